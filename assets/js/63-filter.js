// A filter over all columns of a small table: rows that hold every word typed. Kept when a refresh brings new rows.
(function (fw) {
  "use strict";
  const said = new WeakMap(); // box → what its count says, so that the same is not announced again

  const words = (box) => box.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);

  function apply(box) {
    const table = fw.byId(box.dataset.filters);
    const rows = table && table.tBodies[0] ? [...table.tBodies[0].rows] : [];
    const wanted = words(box);
    let left = 0;
    for (const row of rows) {
      const text = wanted.length ? [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase() : "";
      const isShown = wanted.every((word) => text.includes(word));
      if (row.hidden === isShown) row.hidden = !isShown;
      left += isShown;
    }
    const all = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
    const count = !rows.length ? "" : !left ? "nothing matches" : wanted.length ? `${left} of ${rows.length}` : all;
    if (said.get(box) === count) return;
    said.set(box, count);
    box.querySelector(".fw-filter-count").textContent = count;
  }

  fw.on("input", ".fw-filter input", (input) => apply(input.closest(".fw-filter")));

  fw.on("keydown", ".fw-filter input", (input, event) => {
    if (event.key === "Escape" && !input.value) input.blur(); // the browser itself clears it first
  });

  // Before the next paint: nobody sees rows that do not match.
  new MutationObserver(() => {
    for (const box of document.querySelectorAll(".fw-filter")) if (box.querySelector("input")) apply(box);
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
})(window.fundwatch);
