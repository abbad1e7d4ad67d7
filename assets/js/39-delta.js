// Columns of a figure as the server sends them (dashboard/views/delta.py): differences of whole numbers, or of days.
(function (fw) {
  "use strict";
  const DAY_MS = 86400000;

  fw.decodeDeltas = function (values) {
    if (Array.isArray(values)) return Array.isArray(values[0]) || isEncoded(values[0]) ? values.map(fw.decodeDeltas) : values;
    if (!isEncoded(values)) return values;
    if (values.days) return sums(values.days).map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10));
    return sums(values.deltas).map((sum) => (sum === null ? null : sum / values.scale));
  };

  const isEncoded = (value) => value !== null && typeof value === "object" && !!(value.deltas || value.days);

  function sums(deltas) {
    let sum = 0;
    return deltas.map((delta) => {
      if (delta === null) return null;
      sum += delta;
      return sum;
    });
  }
})(window.fundwatch);
