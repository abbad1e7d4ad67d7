// A reader's zoom survives new data, and a chart nobody zoomed follows its data. Zooms are noted when
// they are made (a reader's carry `axis.range[0]`, plotly's own do not) and put into the next figure of the same choices.
(function (fw) {
  "use strict";
  const AXIS = /^[xy]axis\d*$/;
  const START = /^([xy]axis\d*)\.range\[0\]$/;
  const zooms = new Map(); // graph id → {revision, ranges by axis}

  fw.noteZoom = function (id, relayout) {
    const plot = plotOf(fw.byId(id));
    if (!plot) return;
    for (const key of Object.keys(relayout)) {
      const zoomed = START.exec(key);
      const reset = /^([xy]axis\d*)\.autorange$/.exec(key);
      if (zoomed) rangesOf(id, plot)[zoomed[1]] = [relayout[key], relayout[`${zoomed[1]}.range[1]`]];
      else if (reset && relayout[key]) delete rangesOf(id, plot)[reset[1]];
    }
  };

  fw.isZoomed = (id) => Object.keys((zooms.get(id) || { ranges: {} }).ranges).some((axis) => axis.startsWith("x"));

  function rangesOf(id, plot) {
    const { uirevision } = plot.layout;
    if (!zooms.has(id) || zooms.get(id).revision !== uirevision) zooms.set(id, { revision: uirevision, ranges: {} });
    return zooms.get(id).ranges;
  }

  fw.keepView = function (id, figure, place) {
    const plot = plotOf(place);
    const zoom = zooms.get(id);
    if (!plot) {
      zooms.delete(id);
      return;
    }
    const hidden = new Set((plot.data || []).filter((trace) => trace.visible === "legendonly").map((trace) => trace.name));
    for (const trace of figure.data) if (hidden.has(trace.name)) trace.visible = "legendonly";
    if (!zoom) return;
    if (zoom.revision !== figure.layout.uirevision) {
      zooms.delete(id); // other choices: a way back to the former ones is no way back into their zoom
      return;
    }
    for (const [axis, range] of Object.entries(zoom.ranges)) {
      if (AXIS.test(axis) && figure.layout[axis]) figure.layout[axis] = { ...figure.layout[axis], range, autorange: false };
    }
  };

  const plotOf = (place) => (place ? place.querySelector(".js-plotly-plot") : null);
})(window.fundwatch);
