// The choices of a tab outlive it: a visit to its plain address begins with the last ones of this browser, and writes them
// into the address. An address that has choices of its own is the truth.
(function (fw) {
  "use strict";
  const NOT_KEPT = new Set(["highlight", "order"]);
  const OWN = "own:";
  let isFirst = true; // the page with which the browser's tab was opened

  const nameOf = (path) => `choices ${path}`;

  // A zoom to hours of the past is of no use tomorrow; a range of days is.
  function worthKeeping(tab, name) {
    if (NOT_KEPT.has(name)) return false;
    return (name !== "from" && name !== "to") || tab.hasAttribute("data-zoom-days");
  }

  fw.keepChoices = function (choices) {
    const path = fw.pathOf(location.pathname);
    const tab = document.querySelector(`.fw-tab[data-path="${path}"]`);
    if (!tab || !fw.isTab(path)) return;
    const kept = Object.entries(choices).filter(([name]) => worthKeeping(tab, name)).sort();
    fw.remember(nameOf(path), new URLSearchParams(kept).toString());
    const select = tab.querySelector(`select[id*='"name":"portfolio"']`);
    if (select && select.value.startsWith(OWN)) fw.remember(`own ${path}`, select.value);
  };

  fw.keptOf = (path) => (isFirst ? ownFirst(path) : fw.recall(nameOf(path)));

  // Writes the kept choices of a page into its address, if that has none.
  fw.restoreKept = function (path) {
    const kept = fw.keptOf(path);
    isFirst = false;
    if (kept && !location.search && fw.isTab(path)) history.replaceState(history.state, "", `${location.pathname}?${kept}${location.hash}`);
  };

  // A browser that opens Fundwatch anew opens it with a portfolio of its own, even if it showed the sample last.
  function ownFirst(path) {
    const kept = fw.recall(nameOf(path));
    const shown = new URLSearchParams(kept || "").get("portfolio");
    const own = fw.recall(`own ${path}`);
    return own && shown && !shown.startsWith(OWN) ? new URLSearchParams({ portfolio: own }).toString() : kept;
  }
})(window.fundwatch);
