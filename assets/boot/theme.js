// Runs before the first paint: the theme, and where the chart library is.
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
  // Dash would ask for its chart library without a fingerprint, so that no browser could keep it.
  const meta = document.querySelector('meta[name="fundwatch-plotly"]');
  if (meta) {
    Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => meta.content, set: () => undefined });
  }
})();
