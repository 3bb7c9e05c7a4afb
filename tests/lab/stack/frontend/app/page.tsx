export default function Page() {
  return <h1>Ratiba</h1>;
}
