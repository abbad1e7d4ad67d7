// A filter over all columns of a table: rows that hold every word typed, a hundred a page. Kept when a refresh brings new
// rows, and in the order that the reader sorted them in.
(function (fw) {
  "use strict";
  const PAGE_ROWS = 100;
  const pages = new WeakMap(); // box → page of rows that it shows, from 0
  const said = new WeakMap(); // box → what its count says, so that the same is not announced again

  const words = (box) => box.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);

  function apply(box) {
    const table = fw.byId(box.dataset.filters);
    const rows = table && table.tBodies[0] ? [...table.tBodies[0].rows] : [];
    const wanted = words(box);
    const matches = rows.filter((row) => {
      const text = wanted.length ? [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase() : "";
      return wanted.every((word) => text.includes(word));
    });
    const left = matches.length;
    const page = Math.min(pages.get(box) || 0, Math.max(Math.ceil(left / PAGE_ROWS) - 1, 0));
    const shown = new Set(matches.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS));
    for (const row of rows) if (row.hidden === shown.has(row)) row.hidden = !shown.has(row);
    const turnedOver = new Set(matches.filter((row) => !shown.has(row))); // a file has them too (61-panel-data.js)
    for (const row of rows) row.toggleAttribute("data-other-page", turnedOver.has(row));
    if (rows.length) turnTo(box, page, left);
    const all = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
    const count = !rows.length ? "" : !left ? "nothing matches" : wanted.length ? `${left} of ${rows.length}` : all;
    if (said.get(box) === count) return;
    said.set(box, count);
    box.querySelector(".fw-filter-count").textContent = count;
  }

  function turnTo(box, page, left) {
    pages.set(box, page);
    const pager = box.querySelector(".fw-pages");
    const isOne = left <= PAGE_ROWS;
    if (pager.hidden !== isOne) pager.hidden = isOne;
    if (isOne) return;
    const [before, place, after] = pager.children;
    const text = `${page * PAGE_ROWS + 1} – ${Math.min((page + 1) * PAGE_ROWS, left)}`;
    if (place.textContent !== text) place.textContent = text;
    before.disabled = page === 0;
    after.disabled = (page + 1) * PAGE_ROWS >= left;
  }

  fw.on("click", ".fw-pages button", (button) => {
    const box = button.closest(".fw-filter");
    pages.set(box, (pages.get(box) || 0) + Number(button.dataset.turn));
    apply(box);
    const tall = fw.byId(box.dataset.filters).closest(".fw-table-tall");
    if (tall) tall.scrollTop = 0;
  });

  fw.on("input", ".fw-filter input", (input) => {
    const box = input.closest(".fw-filter");
    pages.set(box, 0);
    apply(box);
  });

  fw.on("keydown", ".fw-filter input", (input, event) => {
    if (event.key === "Escape" && !input.value) input.blur(); // the browser itself clears it first
  });

  // Before the next paint: nobody sees rows that do not match.
  new MutationObserver(() => {
    for (const box of document.querySelectorAll(".fw-filter")) if (box.querySelector("input")) apply(box);
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
})(window.fundwatch);
