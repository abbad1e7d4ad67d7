// The pace of refreshing: chosen seconds, pause, hidden pages, jitter, back-off, countdown.
// `max_intervals` pauses; `disabled` belongs to the guard that stops overlapping requests.
(function (fw) {
  "use strict";
  const CHOICES = [1, 5, 15, 30, 60];
  const SLOWEST_MS = 60000;
  const jitter = 0.9 + Math.random() * 0.2; // viewers who arrived together drift apart

  const chosen = (text) => CHOICES.find((seconds) => seconds === Number(text));
  const pace = { seconds: chosen(fw.recall("every")), paused: false, ticks: 0, nextAt: null };
  fw.pace = pace;

  function intervalMs() {
    const failures = Math.min(fw.connection.failures, 6);
    return Math.round(Math.min(pace.seconds * 1000 * 2 ** failures, Math.max(SLOWEST_MS, pace.seconds * 1000)) * jitter);
  }

  function apply() {
    const stopped = pace.paused || document.hidden;
    fw.set("tick", { interval: intervalMs(), max_intervals: stopped ? 0 : -1 });
    pace.nextAt = stopped ? null : Date.now() + intervalMs();
    draw();
  }

  fw.tickNow = function () {
    pace.ticks += 1;
    fw.set("tick", { n_intervals: Date.now() });
    if (!pace.paused) pace.nextAt = Date.now() + intervalMs();
    draw();
  };

  fw.togglePause = function () {
    pace.paused = !pace.paused;
    apply();
    fw.announce(pace.paused ? "Refresh paused" : "Refresh resumed");
    if (!pace.paused) fw.tickNow();
  };

  function draw() {
    const button = fw.byId("refresh-pause");
    const next = fw.byId("refresh-next");
    if (!button || !next) return;
    button.setAttribute("aria-pressed", String(pace.paused));
    button.setAttribute("aria-label", pace.paused ? "Resume" : "Pause");
    button.title = pace.paused ? "Resume (p)" : "Pause (p)";
    document.documentElement.toggleAttribute("data-paused", pace.paused);
    const left = pace.nextAt === null ? 0 : Math.max(0, Math.ceil((pace.nextAt - Date.now()) / 1000));
    next.textContent = pace.paused ? "paused" : `next in ${left}`;
  }

  fw.on("click", "#refresh-now", () => fw.tickNow());
  fw.on("click", "#refresh-pause", () => fw.togglePause());
  fw.on("change", "#refresh-every", (select) => {
    pace.seconds = Number(select.value);
    fw.remember("every", select.value);
    apply();
  });

  document.addEventListener("visibilitychange", () => {
    apply();
    if (!document.hidden && !pace.paused) fw.tickNow();
  });
  fw.onConnection(() => apply());

  // The guard restarts Dash's timer after each answer; the countdown follows it.
  fw.afterAnswer = function () {
    if (!pace.paused && !document.hidden) pace.nextAt = Date.now() + intervalMs();
  };

  fw.whenDrawn("#refresh-every", (select) => {
    pace.seconds = pace.seconds || chosen(select.dataset.default) || 5;
    select.value = String(pace.seconds);
    apply();
    setInterval(draw, 250);
  });
})(window.fundwatch);
