// Definitions stand in the hover of what they define. Where nothing hovers a tap shows them, and the next takes them away.
(function (fw) {
  "use strict";
  const TOUCH = window.matchMedia("(hover: none)");
  const DEFINED = "main [title]";
  // A heading that sorts tells what its column is as well: nothing else of it could be tapped.
  const ACTS = "button:not(.fw-sort), a, input, select, label, summary, .fw-pick-rows tbody tr";
  let of = null; // what the definition that is shown is of

  function close() {
    of = null;
    const open = document.querySelector(".fw-told");
    if (open) open.remove();
  }

  document.addEventListener("click", (event) => {
    const before = of;
    close();
    const defined = event.target instanceof Element && TOUCH.matches ? event.target.closest(DEFINED) : null;
    if (!defined || event.target.closest(ACTS) || before === defined) return;
    const told = document.createElement("div");
    told.className = "fw-told";
    told.setAttribute("role", "status");
    told.textContent = defined.title;
    fw.byId("page").append(told);
    of = defined;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})(window.fundwatch);
