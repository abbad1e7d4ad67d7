// The theme of charts: colour tokens become colours, epoch seconds become local time, the rest is defaults.
(function (fw) {
  "use strict";
  const TOKEN = /^@([a-z0-9-]+)(?:\/([0-9.]+))?$/;
  let palette = {};

  fw.refreshPalette = function () {
    palette = {};
  };

  fw.color = function (name) {
    if (!(name in palette)) {
      palette[name] = getComputedStyle(document.documentElement).getPropertyValue(`--fw-${name}`).trim() || "#888888";
    }
    return palette[name];
  };

  function resolve(text) {
    const match = TOKEN.exec(text);
    if (!match) return text;
    const color = fw.color(match[1]);
    return match[2] === undefined ? color : faded(color, Number(match[2]));
  }

  function faded(color, opacity) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${opacity})`;
  }

  function colored(value) {
    if (typeof value === "string") return value.charCodeAt(0) === 64 ? resolve(value) : value;
    // Numbers are data and left alone; a number before a text is a step of a colour scale.
    if (Array.isArray(value)) return typeof value[0] === "number" && typeof value[1] !== "string" ? value : value.map(colored);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, colored(item)]));
  }

  const two = (n) => (n < 10 ? "0" : "") + n;

  function localText(seconds) {
    if (typeof seconds !== "number") return seconds;
    const d = new Date(seconds * 1000);
    const ms = d.getMilliseconds();
    return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` +
      (ms ? `.${String(ms).padStart(3, "0")}` : "");
  }

  fw.localText = localText;
  fw.localSeconds = (text) => new Date(String(text).replace(" ", "T")).getTime() / 1000;

  fw.zone = () => {
    const part = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(new Date());
    return (part.find((p) => p.type === "timeZoneName") || { value: "" }).value;
  };

  // x1 means xaxis, x2 means xaxis2.
  const axisKey = (ref) => "xaxis" + (ref && ref !== "x" ? ref.slice(1) : "");

  fw.figure = function (raw) {
    const traces = (raw.data || []).map(({ x, y, z, customdata, ...rest }) => {
      const columns = Object.entries({ x, y, z, customdata }).filter(([, column]) => column);
      return { ...colored(rest), ...Object.fromEntries(columns.map(([name, column]) => [name, fw.decodeDeltas(column)])) };
    });
    const figure = { data: traces, layout: withDefaults(colored(raw.layout || {})) };
    const layout = figure.layout;
    const isDate = (ref) => (layout[axisKey(ref)] || {}).type === "date";
    for (const trace of figure.data) {
      if (Array.isArray(trace.x) && isDate(trace.xaxis)) trace.x = trace.x.map(localText);
    }
    for (const key of Object.keys(layout)) {
      if (!/^xaxis\d*$/.test(key) || layout[key].type !== "date") continue;
      if (layout[key].range) layout[key].range = layout[key].range.map(localText);
      const { include, clipmax, ...rest } = layout[key].autorangeoptions || {};
      if (include) layout[key].autorangeoptions = { ...rest, include: include.map(localText), ...(clipmax && { clipmax: localText(clipmax) }) };
    }
    for (const shape of layout.shapes || []) {
      if (shape.xref === "paper" || !isDate(shape.xref)) continue;
      shape.x0 = localText(shape.x0);
      shape.x1 = localText(shape.x1);
    }
    for (const note of layout.annotations || []) {
      if (note.xref && note.xref !== "paper" && !note.xref.includes("domain") && isDate(note.xref)) note.x = localText(note.x);
    }
    return figure;
  };

  // A time of day has its date in a second line.
  const hasClock = (layout) =>
    Object.keys(layout).some((key) => /^xaxis\d*$/.test(key) && layout[key].type === "date" && !layout[key].tickformat);

  function withDefaults(given) {
    const font = { family: getComputedStyle(document.body).fontFamily, size: 11, color: fw.color("muted") };
    const layout = {
      autosize: true,
      dragmode: "zoom",
      hovermode: "x unified",
      paper_bgcolor: fw.color("panel"), // the crosshair takes its outline from it
      plot_bgcolor: "rgba(0,0,0,0)",
      showlegend: false,
      separators: ".\u202f",
      colorway: [1, 2, 3, 4, 5, 6].map((n) => fw.color(`series-${n}`)),
      ...given,
      font: { ...font, ...given.font },
      margin: { l: 46, r: 12, t: 8, b: hasClock(given) ? 36 : 26, pad: 0, ...given.margin },
      hoverlabel: {
        bgcolor: fw.color("raised"), bordercolor: fw.color("line"), font: { ...font, color: fw.color("text") }, namelength: -1, ...given.hoverlabel,
      },
      legend: { bgcolor: "rgba(0,0,0,0)", orientation: "h", y: 1.08, x: 0, font, ...given.legend },
    };
    const axes = new Set(["xaxis", "yaxis", ...Object.keys(given).filter((key) => /^[xy]axis\d*$/.test(key))]);
    for (const name of axes) layout[name] = withAxisDefaults(name[0], given[name] || {});
    return layout;
  }

  function withAxisDefaults(letter, given) {
    const axis = {
      gridcolor: fw.color("grid"),
      linecolor: fw.color("line"),
      zerolinecolor: fw.color("line"),
      tickcolor: fw.color("line"),
      zeroline: letter === "y" && given.type !== "log",
      showgrid: true,
      automargin: letter === "y",
      ticks: "",
      ...given,
    };
    if (!axis.range && axis.autorange === undefined) axis.autorange = true; // said aloud: see 42-view.js
    axis.tickfont = { color: fw.color("muted"), size: 11, ...given.tickfont };
    if (letter === "x") {
      Object.assign(axis, {
        showspikes: true, spikemode: "across", spikethickness: 1, spikedash: "solid", spikesnap: "cursor",
        spikecolor: fw.color("unknown"), ...given,
      }, { tickfont: axis.tickfont });
      if (axis.type === "date" && !axis.hoverformat) axis.hoverformat = `%Y-%m-%d %H:%M:%S ${fw.zone()}`;
    } else if (!("fixedrange" in axis)) {
      axis.fixedrange = true; // dragging chooses a span of time
    }
    return axis;
  }
})(window.fundwatch);
