// A tab's choices: collected from its controls and from zooming, written to the address.
(function (fw, clientside) {
  "use strict";
  const skip = () => window.dash_clientside.no_update;
  const HALF_TYPED = /^0\d{3}-\d\d-\d\d$/; // the year of a date of which the last digits are still to come

  // Only what a person touched counts: a control that is still to be set to another choice of the address says the old one.
  const nameIn = (prop) => JSON.parse(prop.slice(0, prop.lastIndexOf("."))).name;

  // Words that are still being typed are one step of the browser's history, not one for each pause.
  const isStillTyped = (triggered, current) =>
    triggered.every(({ prop_id: prop }) => (fw.byId(prop.slice(0, prop.lastIndexOf("."))) || {}).type === "search" && nameIn(prop) in current);

  clientside.choose = function (values, current) {
    const { inputs_list: [inputs], triggered } = window.dash_clientside.callback_context;
    const touched = new Set(triggered.map(({ prop_id: prop }) => nameIn(prop)));
    const next = { ...(current || {}) };
    let changed = false;
    let isOtherWindow = false;
    inputs.forEach(({ id }, index) => {
      const value = values[index] === id.default || values[index] == null || values[index] === "" ? undefined : String(values[index]);
      if (!touched.has(id.name) || value === next[id.name] || HALF_TYPED.test(value)) return;
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
    writeAddress(next, isStillTyped(triggered, current || {}));
    return next;
  };

  // A zoom on the time axis of a chart that writes its span to the address; a double click takes it back.
  fw.zoomed = function (page, relayout) {
    const axis = Object.keys(relayout).map((key) => /^(xaxis\d*)\./.exec(key)).find(Boolean);
    if (!axis) return;
    const [from, to] = [0, 1].map((end) => relayout[`${axis[1]}.range[${end}]`]);
    if (from !== undefined && to !== undefined) {
      const [start, end] = [fw.localSeconds(from), fw.localSeconds(to)];
      if (end > start) fw.choose(page, zoomsToDays(page) ? days(start, end) : { from: Math.floor(start), to: Math.ceil(end) });
    } else if (relayout[`${axis[1]}.autorange`] && new URLSearchParams(location.search).has("from")) {
      fw.choose(page, { from: null, to: null });
    }
  };

  const zoomsToDays = (page) => fw.byId(`page-${page}`).hasAttribute("data-zoom-days");

  // The days whose beginnings are nearest.
  function days(start, end) {
    const day = (seconds) => {
      const noon = new Date((seconds + 43200) * 1000);
      return [noon.getFullYear(), noon.getMonth() + 1, noon.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
    };
    return { from: day(start), to: day(end) };
  }

  // For tabs that write a choice from elsewhere (a click in a table): fundwatch.choose("system", {mount: "/"}).
  // Each choice is a step of the browser's history, unless it takes the place of the last one.
  fw.choose = function (tab, changes, isReplacing = false) {
    const next = Object.fromEntries(new URLSearchParams(location.search));
    for (const [name, value] of Object.entries(changes)) {
      if (value == null || value === "") delete next[name];
      else next[name] = String(value);
    }
    writeAddress(next, isReplacing);
    show(tab, next, (name) => name in changes);
  };

  // The page takes the choices that its address has now: after a step back or forward, or a link to it.
  fw.takeAddress = function () {
    const path = fw.pathOf(location.pathname);
    if (!fw.isOpenAt(path) || fw.isShown(path, location.search)) return;
    const next = Object.fromEntries(new URLSearchParams(location.search));
    fw.addressWritten();
    fw.keepChoices(next);
    show(document.querySelector(".fw-tab").dataset.page, next, () => true);
  };

  window.addEventListener("popstate", () => fw.takeAddress());

  // A link of the navigation to the page that is open.
  window.addEventListener("_dashprivate_pushstate", () => {
    const path = fw.pathOf(location.pathname);
    if (fw.isOpenAt(path)) fw.restoreKept(path);
    fw.takeAddress();
  });

  function show(tab, choices, isConcerned) {
    fw.set(`${tab}-choices`, { data: choices });
    for (const id of controlsOf(tab)) {
      if (isConcerned(id.name)) fw.set(id, { value: choices[id.name] === undefined ? id.default : choices[id.name] });
    }
  }

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

  function writeAddress(choices, isReplacing = false) {
    const query = new URLSearchParams(Object.entries(choices).sort()).toString();
    const search = query ? `?${query}` : "";
    const step = isReplacing || search === location.search ? "replaceState" : "pushState";
    history[step](history.state, "", location.pathname + search + location.hash);
    fw.addressWritten();
    fw.keepChoices(choices);
  }
})(window.fundwatch, window.dash_clientside.fundwatch);
