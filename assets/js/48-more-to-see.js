// What scrolls shows on which sides there is more of it: data-more says left, right, below; 22-tables.css fades them.
(function () {
  "use strict";
  const BOXES = ".fw-table-box, .fw-table-tall, .fw-lines";
  let due = false;

  function mark(box) {
    const right = box.scrollWidth - box.clientWidth - box.scrollLeft > 1;
    const below = box.scrollHeight - box.clientHeight - box.scrollTop > 1;
    const more = [box.scrollLeft > 1 && "left", right && "right", below && "below"].filter(Boolean).join(" ");
    if ((box.dataset.more || "") === more) return;
    if (more) box.dataset.more = more;
    else delete box.dataset.more;
  }

  function markAll() {
    due = false;
    for (const box of document.querySelectorAll(BOXES)) mark(box);
  }

  function soon() {
    if (due) return;
    due = true;
    setTimeout(markAll, 200);
  }

  document.addEventListener("scroll", ({ target }) => {
    if (target instanceof Element && target.matches(BOXES)) mark(target);
  }, { capture: true, passive: true });
  window.addEventListener("resize", soon);
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
})();
