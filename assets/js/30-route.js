// From address to page: marks the current tab, sets the title, fetches what only some pages need.
(function (fw, clientside) {
  "use strict";
  let asked = null; // the page that was asked for and has not come yet
  fw.pageCame = () => { asked = null; };

  clientside.route = function (pathname) {
    const path = fw.pathOf(pathname);
    // A step back, or a link to the page that is open: other choices of the same page, unless another one is on its way.
    if (fw.isOpenAt(path) && (asked === null || asked === path)) {
      fw.takeAddress();
      return window.dash_clientside.no_update;
    }
    asked = path;
    fw.restoreKept(path);
    fw.markPage(path);
    return { path, search: location.search };
  };

  // Plotly takes the browser a second to start: it does so while the server makes the figures, not before they are asked for.
  fw.refreshSent = function () {
    if (drawsCharts(fw.pathOf(location.pathname))) fw.plotly().catch(() => undefined); // whoever draws asks again, and says why not
  };

  fw.pageTitle = (path) => (pages()[path] || { title: "The page" }).title;

  // Title and navigation say which page is open.
  fw.markPage = function (path) {
    const page = pages()[path];
    fw.setTitle(page ? `${page.title} · Fundwatch` : "Fundwatch");
    markCurrent(path);
  };

  // What needs a person stands before it (52-told.js).
  let title = document.title, before = "";
  fw.setTitle = function (text = title) {
    title = text;
    document.title = before + title;
  };
  fw.setBeforeTitle = function (text) {
    before = text;
    fw.setTitle();
  };

  clientside.drawer = function (_clicks, _route, isOpen) {
    const trigger = window.dash_clientside.callback_context.triggered[0];
    return trigger && trigger.prop_id.startsWith("burger") ? !isOpen : false;
  };

  const plotlyMeta = () => document.querySelector('meta[name="fundwatch-plotly"]');
  const drawsCharts = (path) => plotlyMeta().dataset.paths.split(" ").includes(path);

  fw.pathOf = (pathname) => (pathname === "/" ? firstPath() : pathname);
  // {tab: path of the tab of a page, shares: names of choices that it shares with other pages of that tab}
  fw.pageAt = (path) => ({ tab: "", shares: [], ...pages()[path] });

  function firstPath() {
    const first = document.querySelector(".fw-nav a");
    return first ? first.getAttribute("href") : "/";
  }

  // path → {title, tab: path of the tab it belongs to, shares: names of choices}
  const pages = () => JSON.parse(document.querySelector(".fw-nav").dataset.pages);

  function markCurrent(path) {
    const page = pages()[path];
    for (const link of document.querySelectorAll(".fw-links a")) {
      const href = link.getAttribute("href");
      if (href === path) link.setAttribute("aria-current", "page");
      else if (page && href === page.tab) link.setAttribute("aria-current", "true"); // a sub-page of it is open
      else link.removeAttribute("aria-current");
    }
  }

  // The drawer's links are drawn when it opens.
  new MutationObserver(() => {
    const fresh = document.querySelector(".fw-drawer .fw-links a:not([aria-current])");
    if (fresh) markCurrent(location.pathname);
  }).observe(document.documentElement, { childList: true, subtree: true });
})(window.fundwatch, window.dash_clientside.fundwatch);
