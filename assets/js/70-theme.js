// The theme switch: the system's setting counts until a person chooses. Needs no request: charts are painted again from what the page holds.
(function (fw) {
  "use strict";
  const current = () => document.documentElement.getAttribute("data-bs-theme");

  const system = matchMedia("(prefers-color-scheme: light)");
  let isChosen = fw.recall("theme") !== null;

  function show(next) {
    document.documentElement.setAttribute("data-bs-theme", next);
    fw.refreshPalette();
    fw.repaint();
  }

  system.addEventListener("change", () => {
    if (!isChosen) show(system.matches ? "light" : "dark");
  });

  fw.switchTheme = function () {
    const next = current() === "dark" ? "light" : "dark";
    isChosen = true;
    fw.remember("theme", next);
    show(next);
    fw.announce(`${next} theme`);
  };

  fw.on("click", "#theme-switch", () => fw.switchTheme());
})(window.fundwatch);
