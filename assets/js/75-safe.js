// May we trade? The badge of every tab asks by itself, also while refreshing is paused. An answer counts for a few
// seconds: without the next one the badge turns red by itself, since nobody knows any more.
(function (fw) {
  "use strict";
  const ASK_MS = 5000, COUNTS_MS = 12000, TIMEOUT_MS = 4000;
  const SIGNS = { safe: "✓", "not safe": "✕", unknown: "?" };
  let answeredAt = 0, askedAt = 0, isAsking = false, shown = "";

  function show(word, status, count) {
    const button = fw.byId("safe-button");
    if (!button) return;
    const text = `${word} ${count}`;
    if (text === shown && button.dataset.status === status) return;
    button.dataset.status = status;
    button.querySelector(".fw-sign").textContent = SIGNS[word];
    button.querySelector(".fw-safe-word").textContent = word;
    button.querySelector(".fw-safe-count").textContent = count;
    const before = shown;
    shown = text;
    if (before && before.split(" ")[0] !== word.split(" ")[0]) fw.announce(`Trading: ${word}`);
  }

  function silence(said) {
    const place = fw.byId("safe-silent");
    if (!place) return;
    if (place.textContent !== said) place.textContent = said;
    place.hidden = !said;
    fw.byId("safe-list").hidden = !!said;
  }

  function silent() {
    const since = answeredAt ? `since ${new Date(answeredAt).toLocaleTimeString("sv-SE")}` : "yet";
    show("unknown", "critical", "");
    silence(`Unknown: Fundwatch has not answered ${since}. What is not known is not safe.`);
  }

  async function ask(button) {
    if (isAsking) return;
    isAsking = true;
    askedAt = Date.now();
    try {
      const answer = await window.fetch(button.dataset.url, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: "no-store" });
      if (answer.ok) {
        const told = await answer.json();
        answeredAt = Date.now();
        show(told.word, told.status, told.count);
        silence("");
        const list = fw.byId("safe-list");
        if (list) fw.patch(list, told.list);
        fw.tickAges();
      }
    } catch (error) {
      fw.connection.lastError = String(error); // counted in fetch; the badge turns by its own clock
    }
    isAsking = false;
  }

  function look() {
    const button = fw.byId("safe-button");
    if (!button) return;
    if (answeredAt ? Date.now() - answeredAt > COUNTS_MS : Date.now() - askedAt > COUNTS_MS && askedAt) silent();
    if (!document.hidden && Date.now() - askedAt > ASK_MS) ask(button);
  }

  fw.whenDrawn("#safe-button", () => {
    look();
    setInterval(look, 1000);
  });
  document.addEventListener("visibilitychange", look);
})(window.fundwatch);
