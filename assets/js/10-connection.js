// Does the server answer? Watches every request; when none was answered for a while, asks /healthz.
// Keeps the server's clock, so that ages are right on a machine whose own clock is not.
(function (fw) {
  "use strict";
  const ASK_AFTER_MS = 4000;
  const LOST_AFTER_MS = 8000;
  const ASK_TIMEOUT_MS = 4000;

  const state = { answeredAt: Date.now(), failures: 0, asking: false, skewMs: 0, isLost: false };
  const listeners = [];
  const plainFetch = fw.plainFetch = window.fetch.bind(window);

  fw.connection = state;
  fw.now = () => (Date.now() + state.skewMs) / 1000;
  fw.onConnection = (listener) => listeners.push(listener);

  window.fetch = async function (resource, options) {
    const sentAt = Date.now();
    const address = String(resource && resource.url ? resource.url : resource);
    const isCallback = address.includes("_dash-update-component");
    const opening = isCallback ? fw.openingOf(options.body) : null;
    const isRefresh = isCallback && !opening;
    const send = () => fw.whenSignedIn(address, () => (isCallback && fw.early(options.body)) || plainFetch(resource, options));
    try {
      const answer = opening ? fw.openWhenAnswered(opening, send) : send();
      if (isRefresh) fw.refreshSent();
      const response = await answer;
      // Fundwatch itself answers /healthz with 503 when storage does not: panels say that, not the banner.
      const isOwn = address.endsWith("/healthz") && response.headers.has("X-Fundwatch-Now");
      if (response.status >= 500 && !isOwn) failed(isRefresh);
      else if (!fw.wasEarly(response)) answered(response, sentAt);
      return response;
    } catch (error) {
      failed(isRefresh);
      throw error;
    }
  };

  fw.answered = answered;
  function answered(response, sentAt) {
    const now = Number(response.headers.get("X-Fundwatch-Now"));
    const arrivedAt = Date.now();
    if (now > 0) state.skewMs = now * 1000 - (sentAt + arrivedAt) / 2;
    state.answeredAt = arrivedAt;
    const wasFailing = state.failures > 0;
    state.failures = 0;
    if (wasFailing) tell();
    show();
  }

  function failed(isRefresh) {
    state.failures += 1;
    if (isRefresh) {
      fw.set("tick", { disabled: false }); // Dash leaves the guard on when a request breaks
      fw.holdChoices();
    }
    tell();
  }

  function tell() {
    for (const listener of listeners) listener(state);
  }

  // Something that a person asked for has to wait.
  fw.noAnswer = function () {
    state.failures += 1;
    tell();
    show();
  };

  function show() {
    const silentMs = Date.now() - state.answeredAt;
    const isLost = silentMs > LOST_AFTER_MS && state.failures > 0;
    const banner = fw.byId("banner");
    if (!banner) return;
    const since = new Date(state.answeredAt).toLocaleTimeString("sv-SE");
    const lost = isLost ? `Fundwatch has not answered since ${since}. The figures below are from then; they are not live.` : "";
    if (isLost) fw.holdPage();
    if (isLost) fw.holdChoices();
    const waiting = fw.waiting();
    const text = [lost || (waiting && "Fundwatch does not answer."), waiting].filter(Boolean).join(" ");
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    if (isLost === state.isLost) return;
    state.isLost = isLost;
    document.documentElement.toggleAttribute("data-lost", isLost);
    if (!isLost) fw.tickNow();
  }

  async function ask() {
    if (state.asking) return;
    state.asking = true;
    try {
      await window.fetch("/healthz", { signal: AbortSignal.timeout(ASK_TIMEOUT_MS), cache: "no-store" });
    } catch (error) {
      state.lastError = String(error); // counted in fetch above
    }
    state.asking = false;
  }

  setInterval(() => {
    if (document.hidden) return;
    if (Date.now() - state.answeredAt > ASK_AFTER_MS) ask();
    show();
  }, 1000);

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && state.failures === 0) state.answeredAt = Date.now();
  });
})(window.fundwatch);
