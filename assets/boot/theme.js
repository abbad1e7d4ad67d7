// Runs before the first paint: the theme.
(function () {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("fundwatch-theme");
  } catch (blocked) {
    chosen = null; // storage may be blocked; the system's setting stands
  }
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  document.documentElement.setAttribute("data-bs-theme", ["light", "dark"].includes(chosen) ? chosen : system);
})();
