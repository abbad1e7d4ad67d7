// From address to page: marks the current tab, sets the title, fetches what only some pages need.
(function (fw, clientside) {
  "use strict";
  const loading = {};
  const failed = new WeakSet();

  clientside.route = async function (pathname, search) {
    const path = pathname === "/" ? firstPath() : pathname;
    await loadPlotly(path);
    const page = pages()[path];
    document.title = page ? `${page.title} · Fundwatch` : "Fundwatch";
    markCurrent(path);
    return { path, search: search || "" };
  };

  clientside.drawer = function (_clicks, _route, isOpen) {
    const trigger = window.dash_clientside.callback_context.triggered[0];
    return trigger && trigger.prop_id.startsWith("burger") ? !isOpen : false;
  };

  // Dash would load the chart library a second time if a chart were drawn while it still arrives.
  function loadPlotly(path) {
    const meta = document.querySelector('meta[name="fundwatch-plotly"]');
    if (window.Plotly || !meta.dataset.paths.split(" ").includes(path)) return Promise.resolve();
    const early = fw.byId("plotly-script");
    if (!early || failed.has(early)) return loadScript(meta.content);
    return new Promise((done, fail) => {
      early.addEventListener("load", done);
      early.addEventListener("error", () => { failed.add(early); fail(new Error(`cannot load ${meta.content}`)); });
    });
  }

  function loadScript(url) {
    loading[url] = loading[url] || new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = url;
      script.onload = done;
      script.onerror = () => { delete loading[url]; fail(new Error(`cannot load ${url}`)); };
      document.head.appendChild(script);
    });
    return loading[url];
  }

  function firstPath() {
    const first = document.querySelector(".fw-nav a");
    return first ? first.getAttribute("href") : "/";
  }

  // path → {title, tab: path of the tab it belongs to}
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
