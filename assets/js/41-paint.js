// What arrives from the server, onto the page: changed figures to their charts, changed HTML to slots, ages to panels.
(function (fw, clientside) {
  "use strict";
  const painted = new Map(); // graph id → {place, text: what it was drawn from, raw}

  clientside.paint = function (payload, shown) {
    if (!payload) return window.dash_clientside.no_update;
    if (payload.base && payload.base !== shown) { // differences from something that this page does not show
      setTimeout(fw.tickNow);
      return null;
    }
    forgetUnmounted();
    for (const [id, html] of Object.entries(payload.slots)) {
      const slot = fw.byId(id);
      if (slot) fw.patch(slot, html);
    }
    setPanels(payload);
    const areMarksOther = payload.marks !== undefined && fw.setMarks(payload.marks);
    if (areMarksOther) fw.repaint();
    for (const [id, raw] of Object.entries(payload.figures)) figure(id, raw, payload.version);
    fw.painted(payload.page, payload.choices);
    if (fw.afterAnswer) fw.afterAnswer();
    return payload.version;
  };

  // A chart is drawn when it comes into view; the figure of one below the first screen is fetched then, too.
  function figure(id, raw, version) {
    const place = fw.byId(id);
    if (!place) return;
    const text = raw.lazy ? `${raw.lazy} ${raw.stamp}` : version;
    const before = painted.get(id);
    if (before && before.place === place && before.text === text) return;
    fw.whenInView(place, text, async () => {
      const found = raw.lazy ? await fetched(raw.lazy) : raw;
      if (!found || !place.isConnected || isEmpty(place)) return;
      painted.set(id, { place, text, raw: found });
      await fw.draw(place, () => ((painted.get(id) || {}).raw === found ? fitted(id, found, place) : null));
    });
  }

  // A chart of which there is nothing yet is sent again when there is.
  const isEmpty = (place) => (place.closest(".fw-panel") || place).dataset.state === "empty";

  async function fetched(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    return answer.json();
  }

  // What is told only to who points at a line is fetched then. Of a figure that has changed since it is another's.
  async function tellMore(id) {
    const { place, raw } = painted.get(id) || {};
    const hover = raw && raw.hover;
    if (!hover || hover.isAsked) return;
    hover.isAsked = true;
    try {
      const found = await fetched(hover.lazy);
      if (!found || found.length !== raw.data.length || (painted.get(id) || {}).raw !== raw) return;
      raw.data = raw.data.map((trace, at) => ({ ...trace, ...found[at] }));
      await fw.draw(place, () => ((painted.get(id) || {}).raw === raw ? fitted(id, raw, place) : null));
    } catch (error) {
      hover.isAsked = false;
    }
  }

  document.addEventListener("pointerover", ({ target }) => {
    const place = target instanceof Element && target.closest(".fw-plot");
    if (place) tellMore(place.id);
  });

  function fitted(id, raw, place) {
    const fresh = fw.figure(raw);
    fresh.layout = fw.fitNarrow(fresh.layout, place.clientWidth);
    fw.keepView(id, fresh, place);
    place.closest(".fw-panel")?.toggleAttribute("data-over-time", fw.isOverTime(fresh.layout));
    return fw.withMarks(fresh, place);
  }

  fw.isPainted = (id) => painted.has(id);

  // What the chart of this id shows, in the colours of now.
  fw.drawnAnew = function (id) {
    const { raw, place } = painted.get(id);
    return fitted(id, raw, place);
  };

  // Flags of marks stand together by how much a chart shows.
  fw.drawAgain = function (id) {
    const { place, raw } = painted.get(id) || {};
    if (place) fw.draw(place, () => fitted(id, raw, place));
  };

  // The page became narrow or wide, or dark or light.
  fw.repaint = function () {
    forgetUnmounted();
    for (const [id, { place, raw }] of painted) fw.draw(place, () => fitted(id, raw, place));
  };

  function forgetUnmounted() {
    for (const [id, { place }] of painted) {
      if (place.isConnected) continue;
      painted.delete(id);
      fw.forgetPlot(place);
    }
  }

  function setPanels(payload) {
    for (const [id, asOf] of Object.entries(payload.as_of)) {
      const panel = fw.byId(id);
      if (!panel) continue;
      const age = panel.querySelector(".fw-panel-age");
      if (age) fw.setAge(age, asOf, payload.stale_after_seconds[id]);
      const note = payload.notes[id] || "";
      setNote(panel, note, asOf === null ? "empty" : note ? "failed" : "");
    }
    for (const [id, note] of Object.entries(payload.notes)) {
      const panel = id in payload.as_of ? null : fw.byId(id);
      if (!panel) continue;
      const age = panel.querySelector(".fw-panel-age");
      if (age) fw.clearAge(age);
      setNote(panel, note, note ? "failed" : "");
    }
    fw.tickAges();
  }

  function setNote(panel, note, state) {
    const place = panel.querySelector(".fw-panel-note");
    if (place && place.textContent !== note) place.textContent = note;
    if (state) panel.dataset.state = state;
    else delete panel.dataset.state;
  }
})(window.fundwatch, window.dash_clientside.fundwatch);
