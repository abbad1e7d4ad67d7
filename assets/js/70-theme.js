// The theme switch. Needs no request: charts are painted again from what the page holds.
(function (fw) {
  "use strict";
  const current = () => document.documentElement.getAttribute("data-bs-theme");

  fw.switchTheme = function () {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.setAttribute("data-bs-theme", next);
    fw.remember("theme", next);
    fw.refreshPalette();
    fw.set("theme", { data: next });
    fw.announce(`${next} theme`);
  };

  fw.on("click", "#theme-switch", () => fw.switchTheme());
})(window.fundwatch);
