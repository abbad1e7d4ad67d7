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
      columns: ["name", ...(trace.x || trace.z[0].map((_, i) => i))],
      rows: trace.z.map((row, i) => [trace.y ? trace.y[i] : i, ...row]),
    }));
    if (lines.length) tables.push(ofLines(lines, plot.layout));
    return tables;
  }

  // Rows by x; of a chart with names down its side, by name.
  function ofLines(drawn, layout) {
    const traces = drawn.flatMap((trace) => [trace, ...beside(trace)]);
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
    const names = traces.map((trace, i) => {
      const unit = axisUnit(trace, layout, isSideways ? "x" : "y");
      return `${trace.name || `series ${i + 1}`}${unit && `, ${unit}`}`;
    });
    return { name: "series", columns: [keyName(layout, rows, isSideways), ...names], rows };
  }

  // What a bar's hover tells in another unit, where the chart names it.
  function beside(trace) {
    const name = (trace.meta || {}).customdata;
    return name ? [{ ...trace, name, y: trace.customdata, yaxis: "none", meta: {} }] : [];
  }

  // "%" of an axis "y2" whose ticks are written "5 %"; a mark stands for its text, which says its own.
  function axisUnit(trace, layout, side) {
    if (shownOf(trace) !== trace.y) return "";
    const axis = layout[`${side}axis${(trace[`${side}axis`] || side).slice(1)}`] || {};
    return (axis.ticksuffix || "").trim() || titleOf(axis).match(/^(?:.*, )?([A-Z]{3})$/)?.[1] || "";
  }

  // A mark on a line stands for its text, such as an amount, and not for the height of the line.
  const shownOf = (trace) => (trace.mode === "markers" && Array.isArray(trace.text) ? trace.text : trace.y);

  const titleOf = (axis) => ((axis || {}).title || {}).text || "";

  function keyName(layout, rows, isSideways) {
    if (isSideways) return "name";
    if ((layout.meta || {}).x) return layout.meta.x;
    const axis = layout.xaxis || {};
    if (!rows.length || axis.type !== "date") {
      const unit = (axis.ticksuffix || "").trim();
      return typeof (rows[0] || [])[0] === "string" ? "name" : `${titleOf(axis) || "x"}${unit && `, ${unit}`}`;
    }
    return String(rows[0][0]).length > "2022-12-28".length ? `time (${fw.zone()})` : "date";
  }

  function ofTable(table, as) {
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden || row.hasAttribute("data-other-page"));
    const headings = [...table.tHead.rows[0].cells];
    const columns = withUnits(headings.flatMap((heading, at) =>
      heading.dataset.buttons === undefined ? [ofColumn(heading, rows.map((row) => row.cells[at]), as)] : []));
    return {
      name: table.caption ? text(table.caption) : "table",
      columns: toldApart(columns.map((column) => column.name)),
      rows: rows.map((_, at) => columns.map((column) => column.cells[at])),
    };
  }

  function ofColumn(heading, cells, as) {
    const numbers = heading.classList.contains("fw-number");
    return {
      name: heading.dataset.plain || text(heading),
      cells: cells.map((cell) => as(raw(cell), said(cell), cell.classList.contains("fw-number"))),
      units: cells.map((cell) => (numbers ? unitOf(cell, heading) : null)),
    };
  }

  // Numbers stand without their units: the heading says it; where rows differ, a column beside, one for all that agree.
  function withUnits(columns) {
    const kindsOf = ({ units }) => new Set(units.filter((unit) => unit !== null));
    const mixed = columns.filter((column) => kindsOf(column).size > 1);
    const together = columns[0].cells.map((_, at) => new Set(mixed.map(({ units }) => units[at]).filter((unit) => unit !== null)));
    const isOne = mixed.length > 1 && together.every((units) => units.size < 2);
    return columns.flatMap((column) => {
      const [unit] = kindsOf(column);
      if (!mixed.includes(column)) return [unit ? { ...column, name: `${column.name}, ${unit}` } : column];
      if (!isOne) return [column, { name: `${column.name}, unit`, cells: column.units.map((each) => each || "") }];
      return column === mixed[mixed.length - 1] ? [column, { name: "unit", cells: together.map((units) => [...units][0] || "") }] : [column];
    });
  }

  const text = (cell) => cell.textContent.trim();

  // What a cell says without signs that stand for a word beside them, lines apart.
  function said(cell) {
    const copy = cell.cloneNode(true);
    for (const sign of copy.querySelectorAll("[aria-hidden=true]")) sign.remove();
    for (const line of copy.querySelectorAll("br")) line.replaceWith("; ");
    return text(copy).replace(/^\p{So}+\s*/u, "");
  }

  // A number as it is, not as people read it: of 27.2 M and +4.00 % nothing can be computed.
  function raw(cell) {
    if (cell.classList.contains("fw-number") && cell.dataset.sort !== undefined) return cell.dataset.sort;
    const shown = said(cell);
    return shown === "–" || shown === "n/a" ? "" : shown;
  }

  // The unit of the number behind what a cell shows: its own, or its column's; null where there is no number.
  function unitOf(cell, heading) {
    if (!Number.isFinite(Number(cell.dataset.sort || "none"))) return null;
    return cell.dataset.unit || heading.dataset.unit || "";
  }

  function toldApart(names) {
    const seen = new Map();
    return names.map((name) => {
      seen.set(name, (seen.get(name) || 0) + 1);
      return seen.get(name) > 1 ? `${name} (${seen.get(name)})` : name;
    });
  }
})(window.fundwatch);
