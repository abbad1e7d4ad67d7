// A press outlives a redraw: browsers make no click of a press whose control was drawn anew before it was let go.
// Its successor is clicked, if the pointer is let go over it.
(function (fw) {
  "use strict";
  const CONTROLS = "#page button, #page a[href]";
  let pressed = null;

  const controlAt = (target) => (target instanceof Element ? target.closest(CONTROLS) : null);

  document.addEventListener("pointerdown", ({ button, target }) => {
    pressed = button === 0 ? controlAt(target) : null;
  });

  document.addEventListener("pointerup", ({ target }) => {
    const before = pressed;
    pressed = null;
    const under = before && !before.isConnected ? controlAt(target) : null;
    if (under && fw.controlName(under) === fw.controlName(before)) under.click();
  });
})(window.fundwatch);
