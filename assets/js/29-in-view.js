// What is done when an element comes into view, once for every text that says what is wanted there.
(function (fw) {
  "use strict";
  const AHEAD_PX = 300;
  const wanted = new WeakMap(); // element → {text, act}
  const done = new WeakMap(); // element → the text it was done for
  const places = new Set(); // those that wait or waited

  const observer = new IntersectionObserver(
    (entries) => { for (const entry of entries) if (entry.isIntersecting) reach(entry.target); },
    { rootMargin: `${AHEAD_PX}px` },
  );

  // `act` returns a promise; when it fails, the next change or coming into view again tries once more.
  fw.whenInView = function (element, text, act) {
    wanted.set(element, { text, act });
    forgetGone();
    places.add(element);
    observer.unobserve(element); // observing anew asks at once whether it is in view
    observer.observe(element);
  };

  fw.isDone = (element, text) => done.get(element) === text;

  // Everything at once, wherever it stands. Resolves when all of it came or failed.
  fw.reachAll = function () {
    return Promise.all([...places].filter((element) => element.isConnected && element.getClientRects().length).map(reach));
  };

  function forgetGone() {
    for (const element of places) if (!element.isConnected) places.delete(element);
  }

  function reach(element) {
    const { text, act } = wanted.get(element);
    if (done.get(element) === text) return undefined;
    done.set(element, text);
    return act().catch(() => done.delete(element));
  }
})(window.fundwatch);
