// What a panel shows, as plain tables: of its charts and its tables.
(function (fw) {
  "use strict";

  fw.panelData = function (panel) {
    const body = panel.querySelector(".fw-panel-body");
    return [
      ...[...body.querySelectorAll(".js-plotly-plot")].flatMap(ofPlot),
      ...[...body.querySelectorAll("table.fw-table")].map(ofTable),
    ];
  };

  function ofPlot(plot) {
    const traces = (plot.data || []).filter((trace) => trace.visible !== false);
    const heat = traces.filter((trace) => Array.isArray(trace.z));
    const lines = traces.filter((trace) => Array.isArray(trace.y) && !Array.isArray(trace.z));
    const tables = heat.map((trace) => ({
      name: trace.name || "values",
      columns: ["", ...(trace.x || trace.z[0].map((_, i) => i))],
      rows: trace.z.map((row, i) => [trace.y ? trace.y[i] : i, ...row]),
    }));
    if (lines.length) tables.push(ofLines(lines));
    return tables;
  }

  function ofLines(traces) {
    const byX = new Map();
    traces.forEach((trace, column) => trace.y.forEach((y, i) => {
      const x = trace.x ? trace.x[i] : i;
      if (!byX.has(x)) byX.set(x, new Array(traces.length).fill(null));
      byX.get(x)[column] = y;
    }));
    const rows = [...byX].map(([x, values]) => [x, ...values]);
    rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    return { name: "series", columns: [`time (${fw.zone()})`, ...traces.map((t, i) => t.name || `series ${i + 1}`)], rows };
  }

  function ofTable(table) {
    const text = (cell) => cell.textContent.trim();
    return {
      name: table.caption ? text(table.caption) : "table",
      columns: [...table.tHead.rows[0].cells].map(text),
      rows: [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(text)),
    };
  }
})(window.fundwatch);
