// Definitions stand in the hover of what they define. Where nothing hovers a tap shows them, and the next takes them away.
(function (fw) {
  "use strict";
  const TOUCH = window.matchMedia("(hover: none)");
  const DEFINED = "main [title]";
  // A heading that sorts tells first what its column is: nothing else of it could be tapped.
  const ACTS = "button:not(.fw-sort), a, input, select, label, summary, .fw-pick-rows tbody tr";
  let of = null; // what the definition that is shown is of
  let told = null; // what it was of when this tap began

  // Whether this tap of what is defined and acts shows what it is, and the next one acts.
  fw.tellsFirst = (element) => TOUCH.matches && Boolean(element.title) && told !== element;

  function close() {
    of = null;
    const open = document.querySelector(".fw-told");
    if (open) open.remove();
  }

  document.addEventListener("click", (event) => {
    const before = told = of;
    close();
    const defined = event.target instanceof Element && TOUCH.matches ? event.target.closest(DEFINED) : null;
    if (!defined || event.target.closest(ACTS) || before === defined) return;
    const shown = document.createElement("div");
    shown.className = "fw-told";
    shown.setAttribute("role", "status");
    shown.textContent = defined.title;
    fw.byId("page").append(shown);
    of = defined;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})(window.fundwatch);
