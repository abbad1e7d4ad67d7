// Ages that tick by themselves. When something is stale the server says (status/freshness.py); the page adds its own
// pace: between two of its questions even the newest reading grows that much older.
(function (fw) {
  "use strict";
  const UNITS = [[86400 * 365, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  fw.span = function (seconds) {
    const whole = Math.max(0, Math.round(seconds));
    for (let i = 0; i < UNITS.length; i += 1) {
      const [size, unit] = UNITS[i];
      if (whole < size) continue;
      const smaller = UNITS[i + 1];
      const rest = smaller ? Math.floor((whole % size) / smaller[0]) : 0;
      return `${Math.floor(whole / size)} ${unit}` + (rest ? ` ${rest} ${smaller[1]}` : "");
    }
    return "0 s";
  };

  fw.setAge = function (element, asOf, staleAfter) {
    if (asOf == null) {
      fw.clearAge(element);
      element.textContent = "no data";
      return;
    }
    element.dataset.ageTs = String(asOf);
    if (staleAfter) element.dataset.staleAfter = String(staleAfter);
    else delete element.dataset.staleAfter;
  };

  fw.clearAge = function (element) {
    delete element.dataset.ageTs;
    element.removeAttribute("data-stale");
    if (element.textContent) element.textContent = "";
  };

  fw.tickAges = function () {
    const now = fw.now();
    for (const element of document.querySelectorAll("[data-age-ts]")) {
      const asOf = Number(element.dataset.ageTs);
      const staleAfter = Number(element.dataset.staleAfter || 0);
      const age = now - asOf;
      const pace = fw.pace && !fw.pace.paused ? fw.pace.seconds || 0 : 0;
      const isStale = staleAfter > 0 && age > staleAfter + pace;
      const text = (isStale ? "stale · " : "") + (element.dataset.prefix || "") + fw.span(age);
      if (element.textContent !== text) element.textContent = text;
      if (element.hasAttribute("data-stale") !== isStale) element.toggleAttribute("data-stale", isStale);
      if (element.dataset.titleTs === element.dataset.ageTs) continue;
      element.dataset.titleTs = element.dataset.ageTs;
      element.title = `as of ${fw.longTime(asOf)}`;
    }
  };

  setInterval(() => {
    if (!document.hidden) fw.tickAges();
  }, 1000);
})(window.fundwatch);
