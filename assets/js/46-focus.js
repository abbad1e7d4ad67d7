// The keyboard stays where it was: when a redrawn slot takes the focused control away, its successor is focused.
(function (fw) {
  "use strict";
  const CONTROLS = "a[href], button, input, select, textarea, [tabindex='0']";
  let last = null; // {element, id, name, indexes and path of its ancestors}: the focused control and where it stood

  const controlsIn = (place) => [...place.querySelectorAll(CONTROLS)].filter((each) => !each.disabled && each.getClientRects().length);
  // Buttons of a table say the same in each row: what they would do tells them apart.
  const actOf = (element) => (element.dataset.act ? (({ source, action, target }) => `${source} ${action} ${target}`)(JSON.parse(element.dataset.act)) : "");
  const nameOf = (element) => `${element.tagName} ${actOf(element) || element.getAttribute("aria-label") || element.textContent.trim()}`;

  function ancestors(element) {
    const path = [];
    for (let place = element.parentElement; place; place = place.parentElement) path.push(place);
    return path;
  }

  document.addEventListener("focusin", ({ target }) => {
    const page = fw.byId("page");
    if (!page || !page.contains(target)) {
      last = null;
      return;
    }
    const path = ancestors(target);
    const indexes = path.slice(0, path.indexOf(page)).map((place) => controlsIn(place).indexOf(target));
    last = { element: target, id: target.id, name: nameOf(target), does: Boolean(actOf(target)), indexes, path };
  });

  // Left by a person, not taken away: nothing is to be given back.
  document.addEventListener("focusout", ({ target }) => setTimeout(() => {
    if (last && last.element === target && target.isConnected && document.activeElement === document.body) last = null;
  }));

  function successor() {
    const same = last.id && fw.byId(last.id);
    if (same) return same;
    const level = last.path.findIndex((place) => place.isConnected);
    if (level < 0 || level >= last.indexes.length) return null; // another tab, or what floats above the page
    const inside = controlsIn(last.path[level]);
    const alike = inside.filter((each) => nameOf(each) === last.name);
    if (alike.length) return alike[0];
    if (last.does) return harmless(level);
    if (inside.length) return inside[Math.min(last.indexes[level], inside.length - 1)];
    return beside(level);
  }

  // Never a button that would do the same to another: the box that scrolls, else the nearest control of another kind.
  function harmless(level) {
    for (const place of last.path.slice(level, last.indexes.length)) {
      if (place.tabIndex === 0) return place;
      const found = controlsIn(place).find((each) => !actOf(each));
      if (found) return found;
    }
    return null;
  }

  // The slot is empty now: the control before it, else after it, in the nearest place that has one.
  function beside(level) {
    const slot = last.path[level];
    const near = last.path.slice(level + 1, last.indexes.length).map(controlsIn).find((found) => found.length) || [];
    const before = near.filter((each) => slot.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING);
    return before[before.length - 1] || near[0] || null;
  }

  fw.controlName = nameOf;

  // The button itself, or the one that stands for it after a redraw.
  fw.sameAct = (button) => [...document.querySelectorAll("[data-act]")].find((each) => actOf(each) === actOf(button));

  new MutationObserver(() => {
    if (!last || last.element.isConnected) return;
    const next = document.activeElement === document.body ? successor() : null;
    last = null;
    if (next) next.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });
})(window.fundwatch);
