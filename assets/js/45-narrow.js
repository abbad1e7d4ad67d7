// On a narrow page the labels at line ends would take the chart's room: they become captions over its rows. Figures
// that want it say so: layout.meta.narrow = "captions" (dashboard/charts/rows.py). Time axes have as many ticks
// as have room beside the date beneath the first, which plotly would turn upright otherwise.
(function (fw) {
  "use strict";
  const NARROW = window.matchMedia("screen and (max-width: 767.98px)");
  const LETTER_PX = 5.8;
  const VALUE_LETTERS = 8;
  const LINE_PX = 15;
  const RIGHT_PX = 10;
  const TICK_PX = 62;

  fw.fitNarrow = function (layout, width) {
    if (NARROW.matches && (layout.meta || {}).narrow === "captions") return captioned(layout, width);
    return withFewTicks(layout, width);
  };

  function withFewTicks(layout, width) {
    const most = Math.max(2, Math.floor((width - layout.margin.l - layout.margin.r) / TICK_PX));
    const times = Object.entries(layout).filter(([key, axis]) => /^xaxis\d*$/.test(key) && axis.type === "date" && !axis.tickformat);
    return { ...layout, ...Object.fromEntries(times.map(([key, axis]) => [key, { ...axis, nticks: Math.min(most, axis.nticks || most) }])) };
  }

  function captioned(layout, width) {
    const notes = layout.annotations || [];
    const ends = notes.filter((note) => note.name === "end-label");
    const rest = notes.filter((note) => note.name !== "end-label" && note.name !== "wide-only");
    const letters = Math.max(20, Math.floor((width - layout.margin.l - RIGHT_PX) / LETTER_PX));
    const legend = lines(ends.filter((note) => note.yref === "y").sort((a, b) => b.y - a.y), letters);
    const captions = rest.map((note) => (note.name === "caption" ? wrapped(note, letters - VALUE_LETTERS) : note));
    return {
      ...layout,
      margin: { ...layout.margin, r: RIGHT_PX, t: layout.margin.t + legend.length * LINE_PX },
      annotations: [...captions, ...legendNotes(legend, layout.margin.t), ...ends.filter((note) => note.yref !== "y").map((note) => beside(note, layout))],
    };
  }

  // The rows of names above the first chart, each name in the colour of its line.
  function lines(ends, letters) {
    const found = [];
    let room = 0;
    for (const { text, font } of ends) {
      const piece = { text, html: `<span style="color:${font.color}">${text}</span>` };
      if (found.length && room >= text.length + 3) found[found.length - 1].push(piece);
      else found.push([piece]);
      room = (found[found.length - 1].length === 1 ? letters : room - 3) - text.length;
    }
    return found;
  }

  // Above the labels of the time axis, which stand in the margin.
  function legendNotes(legend, margin) {
    if (!legend.length) return [];
    const text = legend.map((pieces) => pieces.map((piece) => piece.html).join("   ")).join("<br>");
    return [{ text, x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", yshift: Math.max(margin - 6, 0), align: "left", showarrow: false, font: { size: 11 } }];
  }

  // The value at the end of a lower row stands right of its caption.
  const beside = (note, layout) => ({
    ...note, x: 1, xanchor: "right", xshift: 0, y: layout[`yaxis${note.yref.slice(1)}`].domain[1], yref: "paper", yanchor: "bottom",
  });

  // A caption says first what is most needed; the rest is there where the page is wide.
  function wrapped(note, letters) {
    if (note.text.length <= letters) return note;
    const parts = note.text.split(" · ");
    let text = parts.shift();
    while (parts.length && text.length + parts[0].length + 3 <= letters) text += ` · ${parts.shift()}`;
    return { ...note, text };
  }

  NARROW.addEventListener("change", () => { if (fw.repaint) fw.repaint(); });
})(window.fundwatch);
