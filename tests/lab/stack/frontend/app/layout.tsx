import "./globals.css";

export default function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body className="text-jacaranda">{children}</body>
    </html>
  );
}
