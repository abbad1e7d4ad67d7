// A page of many rows stands on a narrow screen as cards, which would be many screens high: a few show, and a button
// shows more. How many is kept at the panel, which stays when its table is drawn anew.
(function (fw) {
  "use strict";
  const ALL = 2;

  fw.on("click", ".fw-more-rows", (button) => {
    const panel = button.closest(".fw-panel");
    const box = button.closest(".fw-few-rows");
    const before = [...box.querySelectorAll("tbody tr")].filter((row) => row.getClientRects().length).length;
    panel.dataset.rows = String(Math.min(ALL, Number(panel.dataset.rows || 0) + 1));
    const first = box.querySelectorAll("tbody tr")[before];
    const next = first && first.querySelector("a[href], button");
    // The button may have gone: the keyboard goes on with what is new.
    if (next) next.focus({ preventScroll: true });
  });

  // Another page of rows, or others, begins with few again.
  window.addEventListener("popstate", forget);
  fw.on("click", ".fw-choice-button", forget);
  fw.on("change", "[data-choice]", forget);
  function forget() {
    document.querySelectorAll(".fw-panel[data-rows]").forEach((panel) => delete panel.dataset.rows);
  }
})(window.fundwatch);
