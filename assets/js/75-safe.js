// May we trade? The badge of every tab asks by itself, also while refreshing is paused. An answer counts for a few
// seconds: without the next one the badge turns red by itself, since nobody knows any more.
(function (fw) {
  "use strict";
  const ASK_MS = 5000, COUNTS_MS = 12000, OTHER_MS = 900, TIMEOUT_MS = 4000;
  const SIGNS = { safe: "✓", "not safe": "✕", unchecked: "○", unknown: "?" };
  const steady = () => performance.now();
  let answeredAt = 0, answeredWall = 0, answeredTime = "", askedAt = 0, isAsking = false, shown = "", shownAt = -TIMEOUT_MS;

  function show({ word, status, count, scope, title }) {
    const button = fw.byId("safe-button");
    if (!button) return;
    const text = `${word} ${count} ${scope}`;
    if (text === shown && button.dataset.status === status) return;
    button.dataset.status = status;
    button.querySelector(".fw-sign").textContent = SIGNS[word];
    button.querySelector(".fw-safe-word").textContent = word;
    button.querySelector(".fw-safe-scope").textContent = scope;
    button.querySelector(".fw-safe-count").textContent = count;
    button.title = `${title}. Opens the list of checks`;
    const before = shown;
    shown = text;
    if (before && before.split(" ")[0] !== word.split(" ")[0]) fw.announce(`Trading: ${title}`);
  }

  // Who halted trading and why, above every page.
  function halted(html) {
    const place = fw.byId("halted");
    if (!place) return;
    fw.patch(place, html);
    place.hidden = !html;
  }

  // The banner of a page says what the badge says: both are of the newest answer, also while refreshing is paused.
  const banner = () => document.querySelector(".fw-safe[data-trading]");

  function silence(said) {
    document.documentElement.toggleAttribute("data-trading-silent", !!said);
    const place = fw.byId("safe-silent");
    if (!place) return;
    if (place.textContent !== said) place.textContent = said;
    place.hidden = !said;
    fw.byId("safe-list").hidden = !!said;
  }

  function silent() {
    const since = answeredAt ? `since ${answeredTime}` : "yet";
    show({ word: "unknown", status: "critical", count: "", scope: "", title: "Nobody knows whether it is safe" });
    silence(`Unknown: Fundwatch has not answered ${since}. What is not known is not safe.`);
  }

  async function ask(button) {
    if (isAsking) return;
    isAsking = true;
    askedAt = steady();
    try {
      const answer = await window.fetch(button.dataset.url, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: "no-store" });
      if (answer.ok) {
        const told = await answer.json();
        answeredAt = steady();
        answeredWall = Date.now();
        answeredTime = new Date(answeredWall).toLocaleTimeString("sv-SE");
        // The page may be a refresh behind: what its tables say of readiness is not to contradict the badge.
        if (shown && shown.split(" ")[0] !== told.word.split(" ")[0] && !fw.pace.paused) setTimeout(fw.tickNow);
        show(told);
        silence("");
        if (banner()) fw.patch(banner().parentElement, told.banner);
        const list = fw.byId("safe-list");
        if (list) fw.patch(list, told.list);
        if (told.halted !== null) halted(told.halted);
        fw.tickAges();
      }
    } catch (error) {
      fw.connection.lastError = String(error); // counted in fetch; the badge turns by its own clock
    }
    isAsking = false;
  }

  // The steady clock stands still while some machines sleep, the other one may be set: by either an answer may be old.
  function isOld() {
    if (!answeredAt) return askedAt > 0 && steady() - askedAt > COUNTS_MS;
    const wall = Date.now() - answeredWall;
    return steady() - answeredAt > COUNTS_MS || wall > COUNTS_MS || wall < -COUNTS_MS;
  }

  // A page that was hidden has asked nothing: its first answer decides.
  const wasHidden = () => steady() - shownAt < TIMEOUT_MS;

  function look() {
    const button = fw.byId("safe-button");
    if (!button) return;
    const isOther = banner() && answeredAt && shown && !isOld() && !shown.startsWith(`${banner().dataset.trading} `);
    const isDue = !askedAt || steady() - askedAt > (isOther ? OTHER_MS : ASK_MS);
    if (!document.hidden && isDue) ask(button);
    if (isOld() && !(isAsking && wasHidden())) silent();
  }

  fw.whenDrawn("#safe-button", () => {
    look();
    setInterval(look, 1000);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) shownAt = steady();
    look();
  });
})(window.fundwatch);
