// A panel's tools: a note, full screen, CSV, Excel, PNG, link, data as a table.
(function (fw) {
  "use strict";
  const MOST_ROWS = 500;

  const tools = {
    note: (panel) => fw.writeNote(panel),
    incidents: () => fw.toggleIncidents(),
    full(panel) {
      if (document.fullscreenElement) document.exitFullscreen();
      else panel.requestFullscreen();
    },
    csv(panel) {
      if (panel.dataset.csv) return follow(`${panel.dataset.csv}${location.search}`, `${panel.id}.csv`);
      const tables = fw.panelData(panel);
      if (!tables.length) return fw.announce("No data to download");
      const text = tables.map((table) => [table.columns, ...table.rows].map(csvLine).join("\r\n")).join("\r\n\r\n");
      return download(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }), `${panel.id}.csv`);
    },
    async xlsx(panel) {
      const tables = fw.panelData(panel, typed);
      for (const table of tables) table.columns = table.columns.map((name) => name.replace(/, ratio$/, "")); // they stand as percent
      if (!tables.length) return fw.announce("No data to download");
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("/table.xlsx", { method: "POST", headers, body: JSON.stringify({ tables }) });
      if (!answer.ok) throw new Error(await answer.text());
      return download(await answer.blob(), `${panel.id}.xlsx`);
    },
    png: (panel) => picture(panel, "png", (url) => asBlob(url)),
    svg: (panel) => picture(panel, "svg", (url) => new Blob([decodeURIComponent(url.slice(url.indexOf(",") + 1))], { type: "image/svg+xml" })),
    async link(panel) {
      const url = `${location.origin}${location.pathname}${location.search}#${panel.id}`;
      await navigator.clipboard.writeText(url);
      fw.announce("Link copied");
      flash(panel, "Link copied");
    },
    table(panel, button) {
      const place = panel.querySelector(".fw-panel-data");
      const isOpen = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!isOpen));
      place.replaceChildren(...(isOpen ? [] : [...fw.panelData(panel), ...fw.marksOf(panel)].map(asTable)));
    },
  };

  fw.on("click", "[data-tool]", (button) => {
    const panel = button.closest(".fw-panel");
    const tool = tools[button.dataset.tool];
    if (panel && tool) Promise.resolve(tool(panel, button)).catch((error) => fw.announce(`Failed: ${error.message}`));
  });

  // Icon and full name of every tool are told by its panel: sent with each they were half of a page.
  function furnish(button) {
    const heading = button.closest(".fw-panel").querySelector(".fw-panel-title");
    const icon = document.createElement("span");
    icon.className = `fw-icon fw-icon-${button.dataset.tool}`;
    icon.setAttribute("aria-hidden", "true");
    button.append(icon);
    button.setAttribute("aria-label", `${button.title}: ${heading.textContent}`);
  }

  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const added of addedNodes) {
        if (added instanceof Element) added.querySelectorAll("[data-tool]:empty").forEach(furnish);
      }
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  async function picture(panel, format, blobOf) {
    const plot = panel.querySelector(".js-plotly-plot");
    if (!plot || !window.Plotly || !(plot.data || []).length) return fw.announce("No chart to download");
    const { width, height } = plot.getBoundingClientRect();
    const figure = fw.pictureOf(panel, plot);
    const size = { width, height: height + figure.headPx, scale: format === "png" ? 2 : 1 };
    const url = await window.Plotly.toImage({ data: figure.data, layout: figure.layout }, { format, ...size });
    return download(blobOf(url), `${panel.id}.${format}`);
  }

  function asBlob(dataUrl) {
    const bytes = Uint8Array.from(atob(dataUrl.slice(dataUrl.indexOf(",") + 1)), (c) => c.charCodeAt(0));
    return new Blob([bytes], { type: "image/png" });
  }

  // A number as one, and a ratio that is shown in percent as such: raw is what it is, said what is read of it.
  function typed(raw, said, isNumber) {
    const ratio = raw === "" ? NaN : Number(plainMinus(raw));
    if (!isNumber || !Number.isFinite(ratio)) return raw;
    const shown = Number(plainMinus(said).replace(/[^\d.+-]/g, "")) / 100;
    const isPercent = said.endsWith("%") && Math.abs(shown - ratio) <= 0.0501 * Math.max(Math.abs(ratio), 0.01);
    return isPercent ? { kind: "percent", ratio } : ratio;
  }

  const plainMinus = (text) => String(text).replace(/\u2212/g, "-");

  function csvLine(cells) {
    return cells.map((cell) => {
      let text = cell == null ? "" : plainMinus(cell);
      if (/^[=+@\t\r]|^-(?![\d.])/.test(text)) text = `'${text}`; // a spreadsheet would run it as a formula
      return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    }).join(",");
  }

  function download(blob, name) {
    const url = URL.createObjectURL(blob);
    follow(url, name);
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  function follow(url, name) {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
  }

  function flash(panel, text) {
    const place = panel.querySelector(".fw-tools");
    place.dataset.flash = text;
    setTimeout(() => delete place.dataset.flash, 1500);
  }

  function asTable(data) {
    const table = document.createElement("table");
    table.className = "fw-table fw-plain-data";
    const row = (cells, tag) => {
      const line = document.createElement("tr");
      for (const cell of cells) {
        const place = document.createElement(tag);
        place.textContent = cell == null ? "–" : String(cell);
        line.append(place);
      }
      return line;
    };
    table.createTHead().append(row(data.columns, "th"));
    const body = table.createTBody();
    for (const cells of data.rows.slice(-MOST_ROWS)) body.append(row(cells, "td"));
    const caption = table.createCaption();
    caption.textContent = data.rows.length > MOST_ROWS ? `${data.name}: last ${MOST_ROWS} of ${data.rows.length} rows` : data.name;
    const box = document.createElement("div");
    box.className = "fw-table-box";
    box.tabIndex = 0;
    box.append(table);
    return box;
  }
})(window.fundwatch);
