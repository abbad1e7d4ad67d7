// Events, notes and incidents on every chart over time. Of an event a thin line or band with a small flag above it, of an
// incident a band in the colour of its severity with its sign; each tells on hover what it is. Those of the page come with
// its refresh; a chart shows the ones that lie within its days or hours. Incidents can be hidden.
(function (fw) {
  "use strict";
  const NEAR_PX = 9; // flags nearer than this share one
  const LINE_LETTERS = 64;
  const EDGE_PX = 3;
  const DAY_LETTERS = "2022-12-28".length;
  const HIDDEN = "incidents-hidden";
  let marks = [];
  let more = 0; // incidents that are not sent

  // Returns whether they are others than those that are drawn.
  fw.setMarks = function (found) {
    const now = found.filter((each) => each.more === undefined);
    const rest = found.reduce((sum, each) => sum + (each.more || 0), 0);
    const isOther = rest !== more || JSON.stringify(now) !== JSON.stringify(marks);
    [marks, more] = [now, rest];
    document.documentElement.toggleAttribute("data-incidents", marks.some(isIncident));
    return isOther;
  };

  const isIncident = (mark) => mark.severity !== undefined;
  const areHidden = () => fw.recall(HIDDEN) === "1";

  fw.toggleIncidents = function () {
    fw.remember(HIDDEN, areHidden() ? "" : "1");
    showSwitch(document);
    fw.announce(areHidden() ? "Incidents are hidden on charts" : "Incidents are shown on charts");
    fw.repaint();
  };

  function showSwitch(place) {
    for (const button of place.querySelectorAll("[data-tool=incidents]")) button.setAttribute("aria-pressed", String(!areHidden()));
  }

  fw.hasMarks = () => marks.length > 0;

  fw.isOverTime = (layout) => timeAxes(layout).length > 0;

  const timeAxes = (layout) => Object.keys(layout).filter((key) => /^xaxis\d*$/.test(key) && layout[key].type === "date");

  // Adds the marks to a figure that is about to be drawn in a place.
  fw.withMarks = function (figure, place) {
    const { layout } = figure;
    const width = place.clientWidth;
    showSwitch(place.closest(".fw-panel") || place);
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
    const wanted = areHidden() ? marks.filter((mark) => !isIncident(mark)) : marks;
    const shown = wanted.map((mark) => placed(mark, reach)).filter(Boolean);
    const [incidents, events] = [shown.filter(({ mark }) => isIncident(mark)), shown.filter(({ mark }) => !isIncident(mark))];
    const near = (each) => together(each, figure.layout, key, reach, width);
    const [bottom, top] = heightOf(traces, figure.layout);
    const isCovered = traces.some(({ type }) => type === "heatmap");
    const line = { xref: ref, yref: "paper", y0: bottom, y1: top, layer: isCovered ? "above" : "below" };
    return {
      shapes: [...bandsOf(incidents, line, isCovered), ...events.flatMap(({ from, to }) => shapesOf(from, to, line))],
      flags: [
        ...near(events).map((group) => flag(group, ref, top)),
        ...near(incidents).map((group) => sign(group, ref, top, reach)),
        ...(more && !areHidden() ? [moreOf(ref, bottom)] : []),
      ],
      shown: shown.map(({ mark }) => mark),
    };
  }

  // Faint, with an edge on top that is not: lines are read through it. Where several fire there is one, of the gravest.
  function bandsOf(incidents, line, isCovered) {
    const edges = [...new Set(incidents.flatMap(({ from, to }) => [from, to]))].sort();
    const found = [];
    edges.slice(1).forEach((to, at) => {
      const from = edges[at];
      const inside = incidents.filter((each) => each.from <= from && each.to >= to);
      if (!inside.length) return;
      const color = fw.color(worstOf(inside).color);
      const before = found[found.length - 1];
      if (before && before.to === from && before.color === color) before.to = to;
      else found.push({ from, to, color });
    });
    return found.flatMap(({ from, to, color }) => {
      const band = { ...line, type: "rect", x0: from, x1: to, fillcolor: color, line: { width: 0 } }; // a line would stretch the axis
      const edge = { ...band, layer: "above", ysizemode: "pixel", yanchor: line.y1, y0: 0, y1: -EDGE_PX };
      return isCovered ? [edge] : [{ ...band, opacity: 0.13 }, edge];
    });
  }

  const gravity = ({ mark }) => ["info", "warning", "critical", "urgent"].indexOf(mark.severity);
  const worstOf = (group) => group.reduce((one, other) => (gravity(other) > gravity(one) ? other : one)).mark;

  function sign(group, ref, top, { first, last }) {
    const worst = worstOf(group);
    const [begins, ends, at] = [first, last, group[0].from].map(fw.localSeconds);
    const isLate = at - begins > 0.93 * (ends - begins); // beside the end there is no room
    return {
      ...flag(group, ref, top), name: "incident", text: worst.sign, yanchor: "top", yshift: 0, xanchor: isLate ? "right" : "left",
      font: { size: 11, color: fw.color(worst.color) }, bgcolor: fw.color("panel"), opacity: 0.9, borderpad: 0,
    };
  }

  const moreOf = (ref, bottom) => ({
    name: "incident-more", text: `and ${more} more ${more === 1 ? "incident" : "incidents"}`, x: 0, xref: "paper", y: bottom, yref: "paper",
    xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 10, color: fw.color("muted") }, bgcolor: fw.color("panel"), opacity: 0.8,
  });

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
    return texts.length ? { first: texts[0], last: texts[texts.length - 1], isByDay: fw.isByDay(traces) } : null;
  }

  fw.isByDay = (traces) => traces.every(({ x }) => !Array.isArray(x) || !x.length || String(x[0]).length <= DAY_LETTERS);

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
    // Days are those of UTC, as everywhere: a chart of days has no zone.
    const text = (at) => (byDay ? new Date(at * 1000).toISOString().slice(0, DAY_LETTERS) : fw.localText(at));
    const from = text(mark.at);
    const isOpen = isIncident(mark) && mark.until === null; // it fires: to the end of what is shown
    const to = isOpen ? (from > last ? from : last) : mark.until === null ? from : text(mark.until);
    if (isIncident(mark) && byDay) return onDays(mark, from, to, { first, last });
    if (to < first || from > last) return null;
    return { mark, from: from < first ? first : from, to: to > last ? last : to };
  }

  // Of an incident on a chart of days: the lines that lead to the days on which it fired. Today's may have no value yet:
  // what fires is about the last one.
  function onDays(mark, from, to, { first, last }) {
    const begins = from > last && mark.until === null ? last : from;
    if (to < first || begins > last) return null;
    const before = dayBefore(begins);
    return { mark, from: before < first ? first : before, to: to > last ? last : to };
  }

  const dayBefore = (day) => new Date(Date.parse(day.slice(0, DAY_LETTERS)) - 86400000).toISOString().slice(0, DAY_LETTERS);

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

  function told(mark) {
    if (isIncident(mark)) return toldOf(mark);
    const { at, until, text, who, tags, about } = mark;
    const when = until === null ? fw.localText(at) : `${fw.localText(at)} – ${fw.localText(until)}`;
    const beside = [about, ...tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ");
    return [`<b>${plain(when)}</b> ${plain(who)}`, ...wrapped(text).map(plain), ...(beside ? [plain(beside)] : [])].join("<br>");
  }

  const spanOf = ({ at, until }) => `${fw.localText(at)} – ${until === null ? "now" : fw.localText(until)}`;

  function toldOf(mark) {
    const head = `<b>${mark.sign} ${plain(mark.severity)}: ${plain(mark.who)}</b>`;
    return [head, plain(spanOf(mark)), ...wrapped(mark.text).map(plain), ...(mark.about ? [plain(mark.about)] : [])].join("<br>");
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

  // The marks on the charts of a panel as plain tables, for who does not hover.
  fw.marksOf = function (panel) {
    const shown = new Set([...panel.querySelectorAll(".js-plotly-plot")].flatMap((plot) => ((plot.layout || {}).meta || {}).marks || []));
    const events = [...shown].filter((mark) => !isIncident(mark));
    const incidents = [...shown].filter(isIncident);
    return [...(events.length ? [eventTable(events)] : []), ...(incidents.length ? [incidentTable(incidents)] : [])];
  };

  function eventTable(events) {
    const rows = events.map(({ at, until, text, who, tags, about }) => [
      fw.localText(at), until === null ? "" : fw.localText(until), text, tags.join(", "), about || "everything", who,
    ]);
    return { name: "events and notes", columns: [`time (${fw.zone()})`, "until", "text", "tags", "about", "who"], rows };
  }

  function incidentTable(incidents) {
    const rows = incidents.map(({ at, until, text, who, severity, about }) => [
      fw.localText(at), until === null ? "fires" : fw.localText(until), severity, who, text, about,
    ]);
    const name = more ? `incidents (${more} more on Alerts)` : "incidents";
    return { name, columns: [`since (${fw.zone()})`, "until", "severity", "rule", "what", "about"], rows };
  }
})(window.fundwatch);
