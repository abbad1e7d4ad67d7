// What arrives from the server, onto the page: changed figures to their charts, ages to panels.
(function (fw, clientside) {
  "use strict";
  const painted = new Map(); // graph id → what it shows

  clientside.paint = function (wire, theme) {
    const { no_update: same, callback_context: context } = window.dash_clientside;
    const [version, ...targets] = context.outputs_list;
    if (!wire) return context.outputs_list.map(() => same);
    forgetUnmounted();
    const values = targets.map(({ id }) => figure(id, wire.figures[id], theme, same));
    setPanels(wire);
    if (fw.afterAnswer) fw.afterAnswer();
    void version;
    return [wire.version, ...values];
  };

  function figure(id, raw, theme, same) {
    if (!raw) return same;
    if (raw.later) return later(id, raw, theme, same);
    const place = fw.byId(id);
    const text = JSON.stringify(raw);
    const before = painted.get(id);
    if (before && before.place === place && before.text === text && before.theme === theme) return same;
    if (place && place.parentElement) place.parentElement.classList.remove("fw-skeleton");
    painted.set(id, { place, text, theme, raw });
    return fitted(id, raw, place);
  }

  // A figure below the first screen is fetched when its chart comes into view; the wire only says where it is.
  function later(id, { later: url, stamp }, theme, same) {
    const place = fw.byId(id);
    const text = `${url} ${stamp}`;
    const before = painted.get(id);
    if (before && before.place === place && before.text === text) {
      if (before.theme === theme) return same;
      painted.set(id, { ...before, theme });
      return fitted(id, before.raw, place);
    }
    if (place) fw.whenNear(place, text, async () => {
      const raw = await fetched(url);
      if (!raw || !place.isConnected) return;
      if (place.parentElement) place.parentElement.classList.remove("fw-skeleton");
      painted.set(id, { place, text, theme, raw });
      fw.set(id, { figure: fitted(id, raw, place) });
    });
    return same;
  }

  async function fetched(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    return answer.json();
  }

  function fitted(id, raw, place) {
    const fresh = fw.figure(raw);
    if (place) fresh.layout = fw.fitNarrow(fresh.layout, place.clientWidth);
    fw.keepView(id, fresh, place);
    return fresh;
  }

  // The page became narrow or wide.
  fw.repaint = function () {
    forgetUnmounted();
    for (const [id, { place, raw }] of painted) fw.set(id, { figure: fitted(id, raw, place) });
  };

  function forgetUnmounted() {
    for (const [id, { place }] of painted) {
      if (place && !place.isConnected) painted.delete(id);
    }
  }

  function setPanels(wire) {
    for (const [id, asOf] of Object.entries(wire.as_of)) {
      const panel = fw.byId(id);
      if (!panel) continue;
      const age = panel.querySelector(".fw-panel-age");
      if (age) fw.setAge(age, asOf, wire.stale_after_seconds[id]);
      const note = wire.notes[id] || "";
      setNote(panel, note, asOf === null ? "empty" : note ? "failed" : "");
    }
    for (const [id, note] of Object.entries(wire.notes)) {
      const panel = id in wire.as_of ? null : fw.byId(id);
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
