// Exports: a table into the clipboard as a spreadsheet pastes it, and files of the choices in the address.
(function (fw) {
  "use strict";

  fw.on("click", "[data-export-copy]", async (button) => {
    const table = fw.byId(button.dataset.exportCopy);
    if (!table) return fw.announce("Nothing to copy yet");
    const lines = [...table.rows].filter((row) => !row.hidden || row.hasAttribute("data-other-page"))
      .map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ").replace(/\u2212/g, "-")).join("\t"));
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      button.textContent = `Copied ${lines.length - 1} rows`;
    } catch (refused) {
      button.textContent = "The browser refused";
    }
    fw.announce(button.textContent);
    setTimeout(() => { button.textContent = label; }, 2000);
    return undefined;
  });

  fw.on("click", "a[data-export-choices]", (link) => {
    link.search = location.search;
  });
})(window.fundwatch);
