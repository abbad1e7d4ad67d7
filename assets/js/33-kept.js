// The choices of a page outlive it: a visit to its plain address begins with the last ones of this browser, and writes them
// into the address. What pages of one tab share (which portfolio, as of when) is on each of them as it was chosen last on
// any. An address that has choices of its own is the truth.
(function (fw) {
  "use strict";
  const NOT_KEPT = new Set(["highlight", "order", "limit"]);
  // Of no use where another portfolio is shown.
  const OF_A_PORTFOLIO = ["instrument", "trades", "scenario", "market", "sectors", "asset_classes", "strategies", "currencies"];
  const OWN = "own:";
  let isFirst = true; // the page with which the browser's tab was opened

  const nameOf = (path) => `choices ${path}`;
  const sharedOf = ({ tab }) => `shared ${tab}`;
  const ownOf = ({ tab }) => `own ${tab}`;
  const recalled = (name) => new URLSearchParams(fw.recall(name) || "");
  const isKept = (path, { tab, shares }) => tab === path || shares.length > 0;

  // A zoom to hours of the past is of no use tomorrow; a range of days is.
  function worthKeeping(tab, name) {
    if (NOT_KEPT.has(name)) return false;
    return (name !== "from" && name !== "to") || tab.hasAttribute("data-zoom-days");
  }

  fw.keepChoices = function (choices) {
    const path = fw.pathOf(location.pathname), page = fw.pageAt(path);
    const tab = document.querySelector(`.fw-tab[data-path="${path}"]`);
    if (!tab || !isKept(path, page)) return;
    const kept = Object.entries(choices).filter(([name]) => worthKeeping(tab, name)).sort();
    fw.remember(nameOf(path), new URLSearchParams(kept).toString());
    keepShared(page, choices);
    const select = tab.querySelector(`select[id*='"name":"portfolio"']`);
    if (select && select.value.startsWith(OWN)) fw.remember(ownOf(page), select.value);
  };

  // The default is kept as well, as nothing: it takes the place of what another page had.
  function keepShared(page, choices) {
    if (!page.shares.length) return;
    const shared = recalled(sharedOf(page));
    for (const name of page.shares) shared.set(name, choices[name] || "");
    fw.remember(sharedOf(page), shared.toString());
  }

  // What a page would begin with, as its address says it: "portfolio=own%3Aalpha". page: {tab, shares} (30-route.js).
  fw.keptOf = function (path, page = fw.pageAt(path)) {
    if (!isKept(path, page)) return "";
    const kept = withShared(page, recalled(nameOf(path)));
    const begun = isFirst ? ownFirst(page, kept) : kept;
    begun.sort();
    return begun.toString();
  };

  // Writes the kept choices of a page into its address, if that has none.
  fw.restoreKept = function (path) {
    const kept = fw.keptOf(path);
    isFirst = false;
    if (kept && !location.search) history.replaceState(history.state, "", `${location.pathname}?${kept}${location.hash}`);
  };

  function withShared(page, kept) {
    const before = kept.get("portfolio") || "";
    const shared = recalled(sharedOf(page));
    for (const name of page.shares.filter((each) => shared.has(each))) {
      if (shared.get(name)) kept.set(name, shared.get(name));
      else kept.delete(name);
    }
    if ((kept.get("portfolio") || "") !== before) OF_A_PORTFOLIO.forEach((name) => kept.delete(name));
    return kept;
  }

  // A link to another page of the tab that names no day leads to the day that is shown.
  document.addEventListener("click", ({ target }) => {
    const link = target instanceof Element ? target.closest(".fw-tab a[href]") : null;
    const day = new URLSearchParams(location.search).get("asof");
    if (!link || !day || !link.search || link.origin !== location.origin) return;
    const here = fw.pageAt(fw.pathOf(location.pathname)), there = fw.pageAt(link.pathname);
    const asked = new URLSearchParams(link.search);
    if (here.tab !== there.tab || !here.shares.includes("asof") || !there.shares.includes("asof") || asked.has("asof")) return;
    asked.set("asof", day);
    link.search = asked.toString();
  }, true);

  // A browser that opens Fundwatch anew opens it with a portfolio of its own, even if it showed the sample last.
  function ownFirst(page, kept) {
    const shown = kept.get("portfolio");
    const own = fw.recall(ownOf(page));
    return own && shown && !shown.startsWith(OWN) ? new URLSearchParams({ portfolio: own }) : kept;
  }
})(window.fundwatch);
