// Sorting of small tables in the browser; the order is kept when a refresh brings new rows.
(function (fw) {
  "use strict";
  const orders = new Map(); // table id → {column, descending}

  fw.on("click", ".fw-sort", (button) => {
    if (fw.tellsFirst(button)) return;
    const heading = button.closest("th");
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const before = orders.get(table.id);
    const numeric = heading.classList.contains("fw-number");
    const descending = before && before.column === column ? !before.descending : numeric;
    orders.set(table.id, { column, descending });
    sort(table);
  });

  function sort(table) {
    const order = orders.get(table.id);
    if (!order || !table.tBodies[0] || !table.tHead) return;
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      const wanted = index === order.column ? (order.descending ? "descending" : "ascending") : null;
      if (wanted) cell.setAttribute("aria-sort", wanted);
      else cell.removeAttribute("aria-sort");
    });
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const sorted = rows
      .map((row, index) => ({ row, index, key: key(row.cells[order.column]) }))
      .sort((a, b) => compare(a.key, b.key, order.descending) || a.index - b.index)
      .map(({ row }) => row);
    if (sorted.every((row, index) => row === rows[index])) return;
    body.append(...sorted);
  }

  function key(cell) {
    if (!cell) return null;
    const text = cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
    if (text === "" || text === "–" || text === "n/a") return null;
    const number = Number(text);
    return Number.isNaN(number) ? text.toLowerCase() : number;
  }

  function compare(a, b, descending) {
    if (a === null || b === null) return (a === null) - (b === null);
    const sign = descending ? -1 : 1;
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  }

  // Before the next paint: nobody sees the unsorted rows.
  new MutationObserver((changes) => {
    const touched = new Set();
    for (const { target } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      if (!element) continue;
      const table = element.closest("table.fw-table");
      if (table && table.id) touched.add(table);
      for (const inner of element.querySelectorAll("table.fw-table[id]")) touched.add(inner);
    }
    for (const table of touched) if (orders.has(table.id)) sort(table);
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["data-sort"] });
})(window.fundwatch);
