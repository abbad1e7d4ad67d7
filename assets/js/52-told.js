// What every page says of alerts: how many fire, in the tab's label, the title and the icon; and that all are muted.
(function (fw) {
  "use strict";
  const SHORTEST_MS = 1000;
  let told = { count: 0, sign: "", severity: "", old: false, banner: "", urgent_since: 0 };
  let askedAt = 0, shown = "", wasLost = false;

  const places = () => document.querySelectorAll(".fw-tab-count");
  // Who wants to hear what is urgent is not looking at the page.
  const isQuiet = () => (document.hidden && !fw.sound.isOn()) || fw.pace.paused || fw.connection.failures > 0;

  async function ask() {
    const place = places()[0];
    if (!place || isQuiet()) return;
    askedAt = Date.now();
    try {
      const answer = await window.fetch(place.dataset.counts, { cache: "no-store" });
      told = answer.ok ? await answer.json() : { ...told, old: true };
    } catch (error) {
      return; // the connection says so (10-connection.js)
    }
    show();
    if (!told.old) fw.sound.told(told.urgent_since);
  }

  function show() {
    // What is known is from before the server fell silent: it is not live, and does not look it.
    wasLost = fw.connection.isLost;
    const isOld = told.old || wasLost, why = wasLost ? "Fundwatch does not answer" : "not evaluated now";
    const text = told.count ? `${told.sign} ${told.count}${isOld ? "?" : ""}` : isOld ? "?" : "";
    const said = told.count ? `${told.count} firing, the gravest ${told.severity}${isOld ? `, ${why}` : ""}` : isOld ? why : "";
    shown = text;
    for (const place of places()) {
      if (place.textContent === text) continue;
      place.textContent = text;
      place.title = said;
      place.dataset.severity = told.severity;
      if (said) place.setAttribute("aria-label", said);
      else place.removeAttribute("aria-label");
    }
    mark(told.count && !isOld ? said : "");
    fw.setBeforeTitle(told.count ? `(${told.count}${wasLost ? "?" : ""}) ` : "");
    const banner = fw.byId("muted");
    if (!banner) return;
    fw.patch(banner, told.banner);
    banner.hidden = !told.banner;
  }

  // The browser's own tab has an icon alone, a narrow screen a closed drawer.
  function mark(said) {
    const icon = document.querySelector('link[rel="icon"]');
    const address = icon.getAttribute("href").replace(/icon(-firing)?\.svg/, said ? "icon-firing.svg" : "icon.svg");
    if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
    const burger = document.querySelector(".fw-burger");
    if (!burger) return;
    burger.setAttribute("aria-label", said ? `Open navigation. Alerts: ${said}` : "Open navigation");
    if (said) burger.dataset.firing = told.count > 99 ? "99+" : told.count;
    else delete burger.dataset.firing;
  }

  // The drawer's links are drawn when it opens.
  setInterval(() => {
    fw.sound.show();
    const every = Math.max(SHORTEST_MS, (fw.pace.seconds || 5) * 1000);
    if (Date.now() - askedAt >= every) ask();
    if (wasLost !== fw.connection.isLost || [...places()].some((place) => place.textContent !== shown)) show();
  }, 500);
  const tick = fw.tickNow;
  fw.tickNow = function () { // what somebody did is told at once
    tick();
    ask();
  };
  fw.whenDrawn(".fw-tab-count", ask);
})(window.fundwatch);
