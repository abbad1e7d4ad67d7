// Pictures and printed pages: on a light ground, with what a reader must know to trust a sheet that lies on a table: of
// which fund, which window, as of when, and whether it is a sample.
(function (fw) {
  "use strict";
  const LINE_PX = 17;
  const HEAD_PX = 14;
  const LONGEST_WAIT_MS = 8000;
  let before = null; // the theme on the screen while the page is on paper

  // The choices of the tab in words: "Portfolio All strategies (sample)", "Window ITD".
  function choices() {
    const bar = document.querySelector("main .fw-choices");
    if (!bar) return [];
    return [...bar.querySelectorAll(".fw-choice:not(:has(.fw-choice)), .fw-segments[aria-label]")].map(inWords).filter(Boolean);
  }

  function inWords(choice) {
    const name = textOf(choice.querySelector(".fw-choice-label")) || choice.getAttribute("aria-label") || "";
    const select = choice.querySelector("select");
    if (select) return select.selectedIndex < 0 ? "" : `${name} ${select.options[select.selectedIndex].textContent.trim()}`;
    const pressed = choice.querySelector("input:checked");
    if (pressed) return `${name} ${textOf(pressed.parentElement.querySelector("label"))}`;
    const button = choice.querySelector("[aria-pressed=true]");
    if (button) return `${name} ${textOf(button)}`;
    if (name === "or") return ""; // what is typed there is pressed beside it
    const typed = choice.querySelector("input:not([type=radio]):not([type=search])");
    const unit = choice.querySelectorAll(".fw-choice-label")[1];
    return typed && typed.value ? `${name} ${typed.value}${unit ? ` ${textOf(unit)}` : ""}` : "";
  }

  const textOf = (element) => (element ? element.textContent.trim().replace(/\s+/g, " ") : "");
  const page = () => textOf(document.querySelector(".fw-nav [aria-current]"));
  const mark = () => textOf(document.querySelector("main .fw-choices .fw-mark"));
  const days = () => textOf(document.querySelector("main .fw-choices .fw-span")).replace(/ ?(leave zoom|back to \S+)/, "");
  const now = () => `${new Date().toLocaleString("sv").slice(0, 16)} ${fw.zone()}`;

  // Title, choices and days over a chart, as lines no wider than it.
  function head(panel, width) {
    const title = `<b>${textOf(panel.querySelector(".fw-panel-title"))}</b>  ${textOf(panel.querySelector(".fw-panel-subtitle"))}`;
    const said = [mark().toUpperCase(), ...choices(), days(), `drawn ${now()}`].filter(Boolean);
    return [title, ...wrapped(said, Math.floor(width / 6))];
  }

  function wrapped(pieces, letters) {
    const lines = [];
    for (const piece of pieces) {
      const last = lines.length - 1;
      if (last >= 0 && lines[last].length + piece.length + 3 <= letters) lines[last] += ` · ${piece}`;
      else lines.push(piece);
    }
    return lines;
  }

  fw.pictureOf = function (panel, plot) {
    const graph = plot.closest("[id]:not(.js-plotly-plot)") || plot;
    return inLight(() => {
      const { data, layout } = fw.drawnAnew(graph.id);
      const lines = head(panel, plot.clientWidth);
      const headPx = lines.length * LINE_PX + HEAD_PX;
      const margin = { ...layout.margin, t: (layout.margin || {}).t + headPx };
      const note = {
        text: lines.join("<br>"), x: 0, y: 1, xref: "container", yref: "container", xanchor: "left", yanchor: "top",
        font: { size: 12, color: fw.color("text") }, pad: { l: 10, t: HEAD_PX },
      };
      const ground = fw.color("panel");
      return { data, layout: { ...layout, margin, title: note, paper_bgcolor: ground, plot_bgcolor: ground }, headPx };
    });
  };

  // What `make` makes, in the colours of the light theme. The screen is not drawn in between.
  function inLight(make) {
    const root = document.documentElement;
    const theme = root.getAttribute("data-bs-theme");
    root.setAttribute("data-bs-theme", "light");
    fw.refreshPalette();
    try {
      return make();
    } finally {
      root.setAttribute("data-bs-theme", theme);
      fw.refreshPalette();
    }
  }

  const isShown = (graph) => graph.getClientRects().length > 0;
  const graphs = () => [...document.querySelectorAll("main .fw-plot[id]")].filter(isShown);
  const plotIn = (graph) => graph.querySelector(".js-plotly-plot");
  const waits = (graph) => graph.closest(".fw-panel").dataset.state !== "empty" && !(plotIn(graph) && fw.isPainted(graph.id));

  // Light, as wide as the sheet, under a head that says what is shown. All of it at once: a browser's own menu waits for nothing.
  fw.toPaper = function () {
    if (before !== null) return;
    const root = document.documentElement;
    before = root.getAttribute("data-bs-theme");
    root.setAttribute("data-bs-theme", "light");
    root.toggleAttribute("data-paper", true);
    fw.refreshPalette();
    const missing = graphs().filter(waits);
    for (const graph of missing) graph.closest(".fw-panel").toggleAttribute("data-undrawn", true);
    placeHead(missing.length);
    for (const graph of graphs()) redraw(graph, { width: graph.clientWidth, height: graph.clientHeight });
  };

  fw.fromPaper = function () {
    if (before === null) return;
    const root = document.documentElement;
    root.setAttribute("data-bs-theme", before);
    root.toggleAttribute("data-paper", false);
    before = null;
    fw.refreshPalette();
    document.querySelectorAll(".fw-paper-head").forEach((each) => each.remove());
    document.querySelectorAll("[data-undrawn]").forEach((each) => each.removeAttribute("data-undrawn"));
    for (const graph of graphs()) redraw(graph, null);
  };

  function redraw(graph, size) {
    const plot = plotIn(graph);
    if (!plot || !fw.isPainted(graph.id)) return;
    const figure = fw.drawnAnew(graph.id);
    const layout = size ? { ...figure.layout, width: size.width, height: size.height } : figure.layout;
    fw.plotNow(plot, { data: figure.data, layout });
    if (!size) window.Plotly.Plots.resize(plot);
  }

  function placeHead(missing) {
    const place = document.createElement("header");
    place.className = "fw-paper-head";
    const title = document.createElement("h1");
    title.textContent = `Fundwatch · ${page()}`;
    const said = document.createElement("p");
    said.textContent = [...choices(), days(), `printed ${now()}`].filter(Boolean).join(" · ");
    place.append(title, said);
    if (mark()) {
      const label = document.createElement("p");
      label.className = "fw-mark";
      label.textContent = mark();
      place.append(label);
    }
    if (missing) {
      const note = document.createElement("p");
      note.textContent = `${missing} charts were not drawn yet and are left out. Ctrl+P in the page waits for them.`;
      place.append(note);
    }
    document.querySelector("main").prepend(place);
  }

  fw.print = async function () {
    fw.announce("Preparing the page for printing");
    await fw.reachAll();
    await allDrawn();
    fw.toPaper();
    window.print();
  };

  async function allDrawn() {
    const end = Date.now() + LONGEST_WAIT_MS;
    while (Date.now() < end && graphs().some(waits)) {
      await new Promise((then) => { setTimeout(then, 100); });
    }
  }

  window.addEventListener("beforeprint", () => fw.toPaper());
  window.addEventListener("afterprint", () => fw.fromPaper());
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    fw.print();
  });
})(window.fundwatch);
