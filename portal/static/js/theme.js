// Before the first paint: the chosen theme, or the device's; and the mark that scripts run.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.themeChoice;
    const theme = choice === "light" || choice === "dark" ? choice : dark.matches ? "dark" : "light";
    root.setAttribute("data-bs-theme", theme);
    document.dispatchEvent(new CustomEvent("theme"));
  };
  root.classList.add("scripted");
  apply();
  dark.addEventListener("change", apply);
  window.setTheme = (choice) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    root.dataset.themeChoice = choice;
    apply();
  };
})();
