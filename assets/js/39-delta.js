// Columns of a figure as the server sends them (dashboard/views/delta.py): differences of whole numbers, or of days.
(function (fw) {
  "use strict";
  const DAY_MS = 86400000, MORE = 32;
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const DIGITS = Object.fromEntries([...LETTERS].map((letter, digit) => [letter.charCodeAt(0), digit]));

  fw.decodeDeltas = function (values) {
    if (Array.isArray(values)) return Array.isArray(values[0]) || isEncoded(values[0]) ? values.map(fw.decodeDeltas) : values;
    if (!isEncoded(values)) return values;
    if (values.days) return sums(values.days).map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10));
    return sums(values.deltas).map((sum) => (sum === null ? null : sum / values.scale));
  };

  const isEncoded = (value) => value !== null && typeof value === "object" && (value.deltas !== undefined || value.days !== undefined);

  // Base64 VLQ, as source maps have it; a space is null.
  function sums(text) {
    const found = [];
    let sum = 0, number = 0, weight = 1; // products, not shifts: numbers may be longer than 32 bits
    for (let at = 0; at < text.length; at += 1) {
      const digit = DIGITS[text.charCodeAt(at)];
      if (digit === undefined) {
        found.push(null);
        continue;
      }
      number += (digit % MORE) * weight;
      weight *= MORE;
      if (digit >= MORE) continue;
      const size = Math.floor(number / 2);
      sum += number % 2 ? -size : size;
      found.push(sum);
      number = 0;
      weight = 1;
    }
    return found;
  }
})(window.fundwatch);
