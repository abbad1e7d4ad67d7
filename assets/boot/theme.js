// Runs before the first paint: the theme, and where the chart library is.
(function () {
  "use strict";
  let theme = "dark";
  try {
    theme = localStorage.getItem("fundwatch-theme") === "light" ? "light" : "dark";
  } catch (blocked) {
    theme = "dark"; // storage may be blocked; the default stands
  }
  document.documentElement.setAttribute("data-bs-theme", theme);
  // Dash would ask for its chart library without a fingerprint, so that no browser could keep it.
  const meta = document.querySelector('meta[name="fundwatch-plotly"]');
  if (meta) {
    Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => meta.content, set: () => undefined });
  }
})();
