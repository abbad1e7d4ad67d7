// Taking a table along: into the clipboard as a spreadsheet pastes it, or as a file of the choices in the address.
(function (fw) {
  "use strict";

  fw.on("click", "[data-copies]", async (button) => {
    const table = fw.byId(button.dataset.copies);
    if (!table) return fw.announce("Nothing to copy yet");
    const lines = [...table.rows].filter((row) => !row.hidden)
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

  fw.on("click", "a[data-with-choices]", (link) => {
    link.search = location.search;
  });

  // A row that makes a choice makes it wherever it is clicked.
  fw.on("click", ".fw-pick-rows tbody tr", (row, event) => {
    const button = row.querySelector("[data-choose]");
    if (button && !event.target.closest("button, a")) button.click();
  });
})(window.fundwatch);
