// Events and notes on every chart over time: a thin line or band with a small flag on top, which tells on hover who
// wrote what. Those of the page come with its refresh; a chart shows the ones that lie within its days or hours.
(function (fw) {
  "use strict";
  const NEAR_PX = 9; // flags nearer than this share one
  const LINE_LETTERS = 64;
  const DAY_LETTERS = "2022-12-28".length;
  let marks = [];

  // Returns whether they are others than those that are drawn.
  fw.setMarks = function (found) {
    const isOther = JSON.stringify(found) !== JSON.stringify(marks);
    marks = found;
    return isOther;
  };

  fw.hasMarks = () => marks.length > 0;

  fw.isOverTime = (layout) => timeAxes(layout).length > 0;

  const timeAxes = (layout) => Object.keys(layout).filter((key) => /^xaxis\d*$/.test(key) && layout[key].type === "date");

  // Adds the marks to a figure that is about to be drawn in a place of this width.
  fw.withMarks = function (figure, width) {
    const { layout } = figure;
    if (!marks.length) return figure;
    const added = timeAxes(layout).map((key) => onAxis(figure, key, width));
    return {
      ...figure,
      layout: {
        ...layout,
        shapes: [...added.flatMap(({ shapes }) => shapes), ...(layout.shapes || [])],
        annotations: [...(layout.annotations || []), ...added.flatMap(({ flags }) => flags)],
        meta: { ...layout.meta, marks: [...new Set(added.flatMap(({ shown }) => shown))] },
      },
    };
  };

  function onAxis(figure, key, width) {
    const ref = `x${key.slice(5)}`;
    const traces = figure.data.filter((trace) => (trace.xaxis || "x") === ref);
    const reach = reachOf(traces, figure.layout[key]);
    if (!reach) return { shapes: [], flags: [], shown: [] };
    const shown = marks.map((mark) => placed(mark, reach)).filter(Boolean);
    const [bottom, top] = heightOf(traces, figure.layout);
    const isCovered = traces.some(({ type }) => type === "heatmap");
    const line = { xref: ref, yref: "paper", y0: bottom, y1: top, layer: isCovered ? "above" : "below" };
    return {
      shapes: shown.flatMap(({ from, to }) => shapesOf(from, to, line)),
      flags: together(shown, figure.layout, key, reach, width).map((group) => flag(group, ref, top)),
      shown: shown.map(({ mark }) => mark),
    };
  }

  function shapesOf(from, to, line) {
    const color = fw.color("text");
    const edge = { ...line, type: "line", x0: from, x1: from, opacity: 0.5, line: { color, width: 1, dash: "dot" } };
    if (to === from) return [edge];
    return [{ ...line, type: "rect", x0: from, x1: to, opacity: 0.09, fillcolor: color, line: { width: 0 } }, edge];
  }

  // First and last of what the axis can show: of its traces, and of what it is told to show whether or not there is data.
  function reachOf(traces, axis) {
    const { include = [], clipmin, clipmax } = axis.autorangeoptions || {};
    const times = [...include, clipmin, clipmax, ...(axis.range || [])];
    for (const { x } of traces) if (Array.isArray(x) && x.length) times.push(...ends(x));
    const texts = times.filter((each) => typeof each === "string").sort();
    return texts.length ? { first: texts[0], last: texts[texts.length - 1], isByDay: isByDay(traces) } : null;
  }

  const isByDay = (traces) => traces.every(({ x }) => !Array.isArray(x) || !x.length || String(x[0]).length <= DAY_LETTERS);

  function ends(times) {
    let [first, last] = [times[0], times[0]];
    for (const each of times) {
      if (each < first) first = each;
      if (each > last) last = each;
    }
    return [first, last];
  }

  // What lies outside is left out: it would stretch the axis.
  function placed(mark, { first, last, isByDay: byDay }) {
    const text = (at) => (byDay ? fw.localText(at).slice(0, DAY_LETTERS) : fw.localText(at));
    const from = text(mark.at);
    const to = mark.until === null ? from : text(mark.until);
    if (to < first || from > last) return null;
    return { mark, from: from < first ? first : from, to: to > last ? last : to };
  }

  // From the lowest to the highest of the charts that stand on the axis.
  function heightOf(traces, layout) {
    const domains = traces.map(({ yaxis }) => (layout[`yaxis${(yaxis || "y").slice(1)}`] || {}).domain || [0, 1]);
    return domains.length ? [Math.min(...domains.map(([low]) => low)), Math.max(...domains.map(([, high]) => high))] : [0, 1];
  }

  function together(shown, layout, key, reach, width) {
    const [first, last] = (layout[key].range || [reach.first, reach.last]).map(fw.localSeconds);
    const { l = 0, r = 0 } = layout.margin || {};
    const px = Math.max(width - l - r, 1) / Math.max(last - first, 1);
    const groups = [];
    let end = -Infinity;
    for (const each of shown) {
      const at = fw.localSeconds(each.from) * px;
      if (at - end >= NEAR_PX) {
        groups.push([each]);
        end = at;
      } else {
        groups[groups.length - 1].push(each);
      }
    }
    return groups;
  }

  function flag(group, ref, top) {
    const many = group.length > 1;
    return {
      name: "mark", x: group[0].from, xref: ref, y: top, yref: "paper", xanchor: "center", yanchor: "bottom", yshift: -5, showarrow: false,
      text: many ? "◆" : "▼", font: { size: 9, color: fw.color("accent") }, borderpad: 1,
      hovertext: group.map(({ mark }) => told(mark)).join("<br>"),
      hoverlabel: { bgcolor: fw.color("raised"), bordercolor: fw.color("line"), font: { size: 12, color: fw.color("text") } },
    };
  }

  function told({ at, until, text, who, tags, about }) {
    const when = until === null ? fw.localText(at) : `${fw.localText(at)} – ${fw.localText(until)}`;
    const beside = [about, ...tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ");
    return [`<b>${plain(when)}</b> ${plain(who)}`, ...wrapped(text).map(plain), ...(beside ? [plain(beside)] : [])].join("<br>");
  }

  function wrapped(text) {
    const lines = [""];
    for (const word of text.split(/\s+/)) {
      const last = lines.length - 1;
      if (lines[last] && lines[last].length + word.length >= LINE_LETTERS) lines.push(word.slice(0, LINE_LETTERS));
      else lines[last] = `${lines[last]} ${word}`.trim().slice(0, LINE_LETTERS);
    }
    return lines;
  }

  // Plotly reads texts as HTML.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // The marks on the charts of a panel as a plain table, for who does not hover.
  fw.marksOf = function (panel) {
    const shown = [...panel.querySelectorAll(".js-plotly-plot")].flatMap((plot) => ((plot.layout || {}).meta || {}).marks || []);
    if (!shown.length) return [];
    const rows = [...new Set(shown)].map(({ at, until, text, who, tags, about }) => [
      fw.localText(at), until === null ? "" : fw.localText(until), text, tags.join(", "), about || "everything", who,
    ]);
    return [{ name: "events and notes", columns: [`time (${fw.zone()})`, "until", "text", "tags", "about", "who"], rows }];
  };
})(window.fundwatch);
