// Parts of a page that are fetched when they come into view, and again when their data changed.
(function (fw) {
  "use strict";
  const last = new Map(); // path → what was shown there last: a place drawn anew begins with it

  async function fill(place, text) {
    try {
      const answer = await fetch(place.dataset.lazy, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const content = await answer.text();
      if (text === wantedBy(place)) replace(place, content); // else something newer is on its way
    } catch (error) {
      if (!place.childElementCount || place.dataset.old !== undefined) place.textContent = `Not loaded: ${error.message}`;
      delete place.dataset.old;
      throw error;
    }
  }

  function replace(place, content) {
    const box = place.closest(".fw-table-tall");
    const [top, left] = box ? [box.scrollTop, box.scrollLeft] : [0, 0];
    place.innerHTML = content;
    last.set(pathOf(place), content);
    delete place.dataset.old;
    place.style.minHeight = "";
    if (box) Object.assign(box, { scrollTop: top, scrollLeft: left });
    fw.tickAges();
  }

  const wantedBy = (place) => `${place.dataset.lazy} ${place.dataset.stamp}`;
  const pathOf = (place) => place.dataset.lazy.split("?")[0];

  function watch(place) {
    const text = wantedBy(place);
    const before = last.get(pathOf(place));
    if (before !== undefined && !place.childElementCount) place.innerHTML = before;
    if (place.childElementCount && !fw.isDone(place, text)) place.dataset.old = "";
    fw.whenInView(place, text, () => fill(place, text));
  }

  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (target instanceof Element && target.dataset.lazy !== undefined) watch(target);
      for (const added of addedNodes) {
        if (!(added instanceof Element)) continue;
        if (added.dataset.lazy !== undefined) watch(added);
        for (const place of added.querySelectorAll("[data-lazy]")) watch(place);
      }
    }
  }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-lazy", "data-stamp"],
  });
})(window.fundwatch);
