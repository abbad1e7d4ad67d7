// What arrives from the server, onto the page: changed figures to their charts, ages to panels.
(function (fw, clientside) {
  "use strict";
  const painted = new Map(); // graph id → what it shows

  clientside.paint = function (payload, theme) {
    const { no_update: same, callback_context: context } = window.dash_clientside;
    const [version, ...targets] = context.outputs_list;
    if (!payload) return context.outputs_list.map(() => same);
    forgetUnmounted();
    const values = targets.map(({ id }) => figure(id, payload.figures[id], theme, same));
    setPanels(payload);
    if (fw.afterAnswer) fw.afterAnswer();
    void version;
    return [payload.version, ...values];
  };

  function figure(id, raw, theme, same) {
    if (!raw) return same;
    if (raw.lazy) return lazy(id, raw, theme, same);
    const place = fw.byId(id);
    const text = JSON.stringify(raw);
    const before = painted.get(id);
    if (before && before.place === place && before.text === text && before.theme === theme) return same;
    if (place && place.parentElement) place.parentElement.classList.remove("fw-skeleton");
    painted.set(id, { place, text, theme, raw });
    return fitted(id, raw, place);
  }

  // A figure below the first screen is fetched when its chart comes into view; the payload only says where it is.
  function lazy(id, { lazy: url, stamp }, theme, same) {
    const place = fw.byId(id);
    const text = `${url} ${stamp}`;
    const before = painted.get(id);
    if (before && before.place === place && before.text === text) {
      if (before.theme === theme) return same;
      painted.set(id, { ...before, theme });
      return fitted(id, before.raw, place);
    }
    if (place) fw.whenInView(place, text, async () => {
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

  fw.isPainted = (id) => Boolean((painted.get(id) || {}).raw);

  // What the chart of this id shows, in the colours of now.
  fw.drawnAnew = function (id) {
    const { raw, place } = painted.get(id);
    return fitted(id, raw, place);
  };

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
