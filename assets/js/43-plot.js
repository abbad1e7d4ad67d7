// Charts on the page: Plotly, loaded where it is used, draws one after the other, so that the page answers in between.
(function (fw) {
  "use strict";
  const RESIZE_AFTER_MS = 60;
  const DRAWN = "fundwatch-chart"; // among the browser's user timings
  // Nothing leaves: plotly 7 would otherwise offer to send the chart's data to its cloud.
  const CONFIG = {
    displaylogo: false, displayModeBar: false, doubleClick: "autosize", plotlyServerURL: "", responsive: false, scrollZoom: false,
    showSendToCloud: false, showTips: false,
  };
  let loading = null;
  let queue = Promise.resolve();

  fw.plotly = function () {
    loading = loading || load().catch((error) => { loading = null; throw error; });
    return loading;
  };

  function load() {
    if (window.Plotly) return Promise.resolve();
    const url = document.querySelector('meta[name="fundwatch-plotly"]').content;
    const coming = document.readyState === "complete" ? null : document.querySelector(`script[src="${url}"]`); // with the page
    return new Promise((done, fail) => {
      const script = coming || document.createElement("script");
      script.addEventListener("load", done);
      script.addEventListener("error", () => { script.remove(); fail(new Error(`cannot load ${url}`)); });
      if (coming) return;
      script.src = url;
      document.head.append(script);
    });
  }

  const turn = () => new Promise((done) => setTimeout(done));

  // `made` returns the figure when its turn has come, or null when it is not wanted any more.
  fw.draw = function (place, made) {
    const drawn = queue.then(fw.plotly).then(() => drawNow(place, made));
    queue = drawn.catch(() => undefined).then(turn);
    return drawn;
  };

  async function drawNow(place, made) {
    const figure = place.isConnected ? made() : null;
    if (!figure) return;
    place.parentElement.classList.remove("fw-skeleton");
    const isFirst = !place.firstElementChild;
    if (isFirst) place.append(document.createElement("div"));
    const plot = place.firstElementChild;
    await fw.plotNow(plot, figure);
    performance.mark(DRAWN);
    if (isFirst) watch(place, plot);
    writeMinus(plot);
  }

  // At once, out of turn.
  fw.plotNow = (plot, { data, layout }) => window.Plotly.react(plot, data, layout, CONFIG);

  // Plotly's formats write a hyphen before a number below 0, every page a minus: mended as the label appears, before it
  // is painted. A hyphen within a date or a name stays.
  const HYPHEN = /(^|[^\p{L}\p{N}_.,)-])-(?=\.?\d)/gu;
  const minded = new WeakSet();

  function writeMinus(plot) {
    const layer = plot.querySelector(".hoverlayer");
    if (!layer || minded.has(layer)) return;
    minded.add(layer);
    new MutationObserver(() => {
      const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode, text = node.nodeValue.replace(HYPHEN, "$1−");
        if (text !== node.nodeValue) node.nodeValue = text;
      }
    }).observe(layer, { childList: true, subtree: true });
  }

  function watch(place, plot) {
    plot.on("plotly_relayout", (relayout) => {
      fw.noteZoom(place.id, relayout);
      const page = place.closest(".fw-tab");
      if (page && page.dataset.zooms.split(" ").includes(place.id)) fw.zoomed(page.dataset.page, relayout);
      else if (fw.hasMarks() && Object.keys(relayout).some((key) => key.startsWith("xaxis"))) fw.drawAgain(place.id);
    });
    fits.observe(place);
  }

  const due = new Map(); // place → timer
  const fits = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      clearTimeout(due.get(target));
      due.set(target, setTimeout(() => fit(target), RESIZE_AFTER_MS));
    }
  });

  function fit(place) {
    due.delete(place);
    const plot = place.firstElementChild;
    if (!place.isConnected || !place.clientWidth || !plot || !plot._fullLayout) return;
    const { width, height } = plot._fullLayout;
    if (Math.abs(width - place.clientWidth) > 0.5 || Math.abs(height - place.clientHeight) > 0.5) window.Plotly.Plots.resize(plot);
  }

  fw.forgetPlot = function (place) {
    fits.unobserve(place);
    if (window.Plotly && place.firstElementChild) window.Plotly.purge(place.firstElementChild);
  };
})(window.fundwatch);
