// Columns of a figure as the server packs them (dashboard/views/delta.py): differences of whole numbers, or of days.
(function (fw) {
  "use strict";
  const DAY_MS = 86400000;

  fw.unpack = function (values) {
    if (Array.isArray(values)) return Array.isArray(values[0]) || isPacked(values[0]) ? values.map(fw.unpack) : values;
    if (!isPacked(values)) return values;
    if (values.days) return sums(values.days).map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10));
    return sums(values.steps).map((sum) => (sum === null ? null : sum / values.by));
  };

  const isPacked = (value) => value !== null && typeof value === "object" && !!(value.steps || value.days);

  function sums(steps) {
    let sum = 0;
    return steps.map((step) => {
      if (step === null) return null;
      sum += step;
      return sum;
    });
  }
})(window.fundwatch);
