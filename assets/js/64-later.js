// Parts of a page that are fetched when they come into view, and again when their data changed.
(function (fw) {
  "use strict";
  const AHEAD_PX = 300;
  const shown = new WeakMap(); // place → what it shows, or is about to

  const near = new IntersectionObserver(
    (entries) => { for (const entry of entries) if (entry.isIntersecting) fill(entry.target); },
    { rootMargin: `${AHEAD_PX}px` },
  );

  async function fill(place) {
    const { later: url, stamp } = place.dataset;
    const wanted = `${url} ${stamp}`;
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
      if (!place.childElementCount) place.textContent = `Not loaded: ${error.message}`;
    }
  }

  function replace(place, text) {
    const kept = scrollOf(place);
    place.innerHTML = text;
    place.style.minHeight = "";
    for (const { box, top, left } of kept) Object.assign(box, { scrollTop: top, scrollLeft: left });
    if (fw.tickAges) fw.tickAges();
  }

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
    near.unobserve(place);
    near.observe(place);
  }
})(window.fundwatch);
