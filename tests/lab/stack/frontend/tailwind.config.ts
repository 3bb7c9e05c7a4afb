export default {
  content: ["./app/**/*.tsx"],
  theme: {
    extend: {
      colors: { jacaranda: "#6b4fa0" },
    },
  },
};
