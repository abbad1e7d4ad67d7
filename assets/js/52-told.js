// What every page says of alerts: how many fire, in the tab's label, the title and the icon; and that all are muted.
(function (fw) {
  "use strict";
  const SHORTEST_MS = 1000;
  let told = { count: 0, sign: "", severity: "", old: false, banner: "", urgent_since: 0, notices: null };
  let askedAt = 0, shown = "", wasLost = false;
  let marked = null; // the icon of what fires, as text; empty while it is read

  const places = () => document.querySelectorAll(".fw-tab-count");
  // Who wants to hear what is urgent is not looking at the page.
  const isQuiet = () => (document.hidden && !fw.sound.isOn()) || fw.pace.paused || fw.connection.failures > 0;

  async function ask() {
    const place = places()[0];
    if (!place || isQuiet()) return;
    askedAt = Date.now();
    try {
      const answer = await window.fetch(`${place.dataset.counts}?${fw.notices.asked()}`, { cache: "no-store" });
      told = answer.ok ? await answer.json() : { ...told, old: true, notices: null };
    } catch (error) {
      return; // the connection says so (10-connection.js)
    }
    show();
    if (!told.old) fw.sound.told(told.urgent_since);
    if (told.notices) fw.notices.told(told.notices);
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
    icon.dataset.calm ??= icon.getAttribute("href");
    const address = said ? withCount(icon.dataset.calm.replace("icon.svg", "icon-firing.svg")) : icon.dataset.calm;
    if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
    const burger = document.querySelector(".fw-burger");
    if (!burger) return;
    burger.setAttribute("aria-label", said ? `Open navigation. Alerts: ${said}` : "Open navigation");
    if (said) burger.dataset.firing = told.count > 99 ? "99+" : told.count;
    else delete burger.dataset.firing;
  }

  // Returns the icon at an address with the number of alerts in place of its mark; as it is until it was read.
  function withCount(address) {
    if (marked === null) {
      marked = "";
      window.fetch(address).then((answer) => (answer.ok ? answer.text() : "")).then((text) => {
        marked = text;
        show();
      }).catch(() => { marked = null; });
    }
    if (!marked) return address;
    const text = told.count > 99 ? "99+" : String(told.count);
    const size = [15, 13, 9][text.length - 1];
    const number = `<text x="23" y="${22 + size * 0.36}" font-family="sans-serif" font-weight="700" font-size="${size}" text-anchor="middle" `;
    return `data:image/svg+xml,${encodeURIComponent(marked.replace(/<path d="[^"]*" stroke="([^"]*)"[^>]*>(?=<\/svg>)/, `${number}fill="$1">${text}</text>`))}`;
  }

  // The drawer's links are drawn when it opens.
  setInterval(() => {
    fw.sound.show();
    fw.toasts.show();
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
