// A tab's choices: collected from its controls and from zooming, written to the address.
(function (fw, clientside) {
  "use strict";
  const skip = () => window.dash_clientside.no_update;

  clientside.choose = function (values, current) {
    const inputs = window.dash_clientside.callback_context.inputs_list[0];
    const next = { ...(current || {}) };
    let changed = false;
    let isOtherWindow = false;
    inputs.forEach(({ id }, index) => {
      const value = values[index] === id.default || values[index] == null ? undefined : String(values[index]);
      if (value === next[id.name]) return;
      changed = true;
      isOtherWindow = isOtherWindow || id.name === "window";
      if (value === undefined) delete next[id.name];
      else next[id.name] = value;
    });
    if (!changed) return skip();
    if (isOtherWindow) { // another window takes the place of a zoom
      delete next.from;
      delete next.to;
    }
    writeAddress(next);
    return next;
  };

  // A zoom on the time axis of a chart that writes its span to the address; a double click takes it back.
  fw.zoomed = function (page, relayout) {
    const axis = Object.keys(relayout).map((key) => /^(xaxis\d*)\./.exec(key)).find(Boolean);
    if (!axis) return;
    const [from, to] = [0, 1].map((end) => relayout[`${axis[1]}.range[${end}]`]);
    if (from !== undefined && to !== undefined) {
      const [start, end] = [fw.localSeconds(from), fw.localSeconds(to)];
      if (end > start) fw.choose(page, { from: Math.floor(start), to: Math.ceil(end) });
    } else if (relayout[`${axis[1]}.autorange`] && new URLSearchParams(location.search).has("from")) {
      fw.choose(page, { from: null, to: null });
    }
  };

  // For tabs that write a choice from elsewhere (a click in a table): fundwatch.choose("system", {mount: "/"}).
  fw.choose = function (tab, changes) {
    const next = Object.fromEntries(new URLSearchParams(location.search));
    for (const [name, value] of Object.entries(changes)) {
      if (value == null || value === "") delete next[name];
      else next[name] = String(value);
    }
    writeAddress(next);
    fw.set(`${tab}-choices`, { data: next });
    for (const id of controlsOf(tab)) {
      if (id.name in changes) fw.set(id, { value: next[id.name] === undefined ? id.default : next[id.name] });
    }
  };

  // A control that went on showing the old choice would write it back with the next change of another.
  function controlsOf(tab) {
    const ids = [...document.querySelectorAll('[id^="{"]')].map((element) => JSON.parse(element.id));
    return ids.filter((id) => id.type === "choice" && id.tab === tab);
  }

  // Links and buttons that make a choice: data-choose holds the changes, null takes a choice back.
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-choose]");
    if (pressed) fw.choose(pressed.dataset.tab, JSON.parse(pressed.dataset.choose));
  });

  // A row that makes a choice makes it wherever it is clicked.
  fw.on("click", ".fw-pick-rows tbody tr", (row, event) => {
    const button = row.querySelector("[data-choose]");
    if (button && !event.target.closest("button, a")) button.click();
  });

  function writeAddress(choices) {
    const query = new URLSearchParams(Object.entries(choices).sort()).toString();
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : "") + location.hash);
    fw.addressWritten();
  }
})(window.fundwatch, window.dash_clientside.fundwatch);
