// Definitions stand in the hover of what they define. Where nothing hovers a tap shows them, and the next takes them away.
(function (fw) {
  "use strict";
  const TOUCH = window.matchMedia("(hover: none)");
  const DEFINED = "main [title]";
  // A heading that sorts tells first what its column is: nothing else of it could be tapped.
  const ACTS = "button:not(.fw-sort), a, input, select, label, summary, .fw-pick-rows tbody tr";
  // Rows that stand as cards have no headings, which would say what their figures are: the label of each tells it.
  const CARD = "main .fw-stack td[data-label]";
  let of = null; // what the definition that is shown is of
  let told = null; // what it was of when this tap began

  // Whether this tap of what is defined and acts shows what it is, and the next one acts.
  fw.tellsFirst = (element) => TOUCH.matches && Boolean(element.title) && told !== element;

  function columnOf(cell) {
    const { tHead } = cell.closest("table");
    const heading = tHead && !tHead.getClientRects().length && tHead.rows[0].cells[cell.cellIndex];
    if (!heading) return "";
    const defined = heading.querySelector("[title]") || heading;
    return defined.title ? `${cell.dataset.label}: ${defined.title}` : "";
  }

  function definedAt(target) {
    const cell = target.closest(CARD);
    return cell && columnOf(cell) ? cell : target.closest(DEFINED);
  }

  const definition = (element) => [element.matches(CARD) ? columnOf(element) : "", element.title].filter(Boolean).join(". ");

  function close() {
    of = null;
    const open = document.querySelector(".fw-told");
    if (open) open.remove();
  }

  document.addEventListener("click", (event) => {
    const before = told = of;
    close();
    const defined = event.target instanceof Element && TOUCH.matches ? definedAt(event.target) : null;
    if (!defined || event.target.closest(ACTS) || before === defined) return;
    const shown = document.createElement("div");
    shown.className = "fw-told";
    shown.setAttribute("role", "status");
    shown.textContent = definition(defined);
    fw.byId("page").append(shown);
    of = defined;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})(window.fundwatch);
