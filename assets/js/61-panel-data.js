// What a panel shows, as plain tables: of its charts and its tables.
(function (fw) {
  "use strict";

  // as: makes a cell of a table from what it is, what is read of it, and whether its column is of numbers.
  fw.panelData = function (panel, as = (raw) => raw) {
    const body = panel.querySelector(".fw-panel-body");
    return [
      ...[...body.querySelectorAll(".js-plotly-plot")].flatMap(ofPlot),
      ...[...body.querySelectorAll("table.fw-table")].map((table) => ofTable(table, as)),
    ];
  };

  function ofPlot(plot) {
    const traces = (plot.data || []).filter((trace) => trace.visible !== false && trace.name !== "");
    const heat = traces.filter((trace) => Array.isArray(trace.z));
    const lines = traces.filter((trace) => Array.isArray(trace.y) && !Array.isArray(trace.z));
    const tables = heat.map((trace) => ({
      name: trace.name || "values",
      columns: ["", ...(trace.x || trace.z[0].map((_, i) => i))],
      rows: trace.z.map((row, i) => [trace.y ? trace.y[i] : i, ...row]),
    }));
    if (lines.length) tables.push(ofLines(lines, plot.layout));
    return tables;
  }

  // Rows by x; of a chart with names down its side, by name.
  function ofLines(traces, layout) {
    const isSideways = (layout.yaxis || {}).type === "category";
    const byKey = new Map();
    traces.forEach((trace, column) => {
      const [keys, values] = isSideways ? [trace.y, trace.x] : [trace.x, shownOf(trace)];
      values.forEach((value, i) => {
        const key = keys ? keys[i] : i;
        if (!byKey.has(key)) byKey.set(key, new Array(traces.length).fill(null));
        byKey.get(key)[column] = value;
      });
    });
    const rows = [...byKey].map(([key, values]) => [key, ...values]);
    if (!isSideways) rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    return { name: "series", columns: [keyName(layout, rows, isSideways), ...traces.map((t, i) => t.name || `series ${i + 1}`)], rows };
  }

  // A mark on a line stands for its text, such as an amount, and not for the height of the line.
  const shownOf = (trace) => (trace.mode === "markers" && Array.isArray(trace.text) ? trace.text : trace.y);

  function keyName(layout, rows, isSideways) {
    if (isSideways) return "name";
    if ((layout.meta || {}).x) return layout.meta.x;
    if (!rows.length || (layout.xaxis || {}).type !== "date") return "";
    return String(rows[0][0]).length > "2022-12-28".length ? `time (${fw.zone()})` : "date";
  }

  function ofTable(table, as) {
    return {
      name: table.caption ? text(table.caption) : "table",
      columns: toldApart([...table.tHead.rows[0].cells].map((cell) => cell.dataset.plain || text(cell))),
      rows: [...table.tBodies[0].rows].filter((row) => !row.hidden)
        .map((row) => [...row.cells].map((cell) => as(raw(cell), text(cell), cell.classList.contains("fw-number")))),
    };
  }

  const text = (cell) => cell.textContent.trim();

  // A number as it is, not as people read it: of 27.2 M and +4.00 % nothing can be computed.
  function raw(cell) {
    const said = text(cell);
    if (!cell.classList.contains("fw-number")) return said;
    if (cell.dataset.sort !== undefined) return cell.dataset.sort;
    return said === "–" || said === "n/a" ? "" : said;
  }

  function toldApart(names) {
    const seen = new Map();
    return names.map((name) => {
      seen.set(name, (seen.get(name) || 0) + 1);
      return seen.get(name) > 1 ? `${name} (${seen.get(name)})` : name;
    });
  }
})(window.fundwatch);
