// Parts of a page that are fetched when they come into view, and again when their data changed.
(function (fw) {
  "use strict";
  const AHEAD_PX = 300;
  const shown = new WeakMap(); // place → what it shows, or is about to
  const last = new Map(); // path → what was shown there last: a place drawn anew begins with it

  const near = new IntersectionObserver(
    (entries) => { for (const entry of entries) if (entry.isIntersecting) fill(entry.target); },
    { rootMargin: `${AHEAD_PX}px` },
  );

  async function fill(place) {
    const { later: url } = place.dataset;
    const wanted = wantedBy(place);
    if (shown.get(place) === wanted) return;
    shown.set(place, wanted);
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const text = await answer.text();
      if (shown.get(place) !== wanted) return; // something newer was asked for meanwhile
      replace(place, text);
    } catch (error) {
      shown.delete(place); // the next change, or coming into view again, tries once more
      if (!place.childElementCount || place.dataset.old !== undefined) place.textContent = `Not loaded: ${error.message}`;
      delete place.dataset.old;
    }
  }

  function replace(place, text) {
    const kept = scrollOf(place);
    place.innerHTML = text;
    last.set(pathOf(place), text);
    delete place.dataset.old;
    place.style.minHeight = "";
    for (const { box, top, left } of kept) Object.assign(box, { scrollTop: top, scrollLeft: left });
    if (fw.tickAges) fw.tickAges();
  }

  const wantedBy = (place) => `${place.dataset.later} ${place.dataset.stamp}`;
  const pathOf = (place) => place.dataset.later.split("?")[0];

  function scrollOf(place) {
    const box = place.closest(".fw-table-tall");
    return box ? [{ box, top: box.scrollTop, left: box.scrollLeft }] : [];
  }

  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (target instanceof Element && target.dataset.later !== undefined) watch(target);
      for (const added of addedNodes) {
        if (!(added instanceof Element)) continue;
        if (added.dataset.later !== undefined) watch(added);
        for (const place of added.querySelectorAll("[data-later]")) watch(place);
      }
    }
  }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-later", "data-stamp"],
  });

  // Watching anew asks at once whether the place is in view.
  function watch(place) {
    const before = last.get(pathOf(place));
    if (before !== undefined && !place.childElementCount) place.innerHTML = before;
    if (place.childElementCount && shown.get(place) !== wantedBy(place)) place.dataset.old = "";
    near.unobserve(place);
    near.observe(place);
  }
})(window.fundwatch);
