// The keyboard: digits open tabs, letters act. Nothing happens while a person types.
(function (fw) {
  "use strict";

  const help = () => fw.byId("help");
  const actions = {
    r: () => fw.tickNow(),
    p: () => fw.togglePause(),
    t: () => fw.switchTheme(),
    n: () => fw.notices.open(),
    "/": () => fw.focusFilter(),
    "?": () => toggleHelp(),
  };

  fw.focusFilter = function () {
    const filter = document.querySelector("main .fw-filter input");
    if (filter) filter.focus();
  };

  function toggleHelp() {
    const dialog = help();
    if (!dialog) return;
    if (dialog.open) return dialog.close();
    define(dialog.querySelector(".fw-definitions"));
    return dialog.showModal();
  }

  function part(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  // Definitions stand in the hover of what they define: here the keyboard reaches those of the page, all of them.
  function define(place) {
    const seen = new Set();
    const rows = [];
    for (const each of document.querySelectorAll("main :is(.fw-panel-title, .fw-card, .fw-sort, th)[title]")) {
      const name = each.matches(".fw-card") ? each.querySelector(".fw-card-title").textContent : each.textContent;
      if (!each.checkVisibility() || seen.has(name + each.title)) continue;
      seen.add(name + each.title);
      rows.push(part("dt", name), part("dd", each.title));
    }
    place.replaceChildren(...rows);
    place.parentElement.hidden = !rows.length;
  }

  function openTab(digit) {
    const keys = new Map(document.querySelector(".fw-nav").dataset.keys.split(" ").map((pair) => pair.split("=")));
    const link = [...document.querySelectorAll(".fw-nav a")].find((a) => a.getAttribute("href") === keys.get(digit));
    if (link) link.click();
    return !!link;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || fw.isTyping(event.target)) return;
    const dialog = help();
    if (dialog && dialog.open && event.key !== "?") return;
    if (/^[1-9]$/.test(event.key)) {
      if (openTab(event.key)) event.preventDefault();
      return;
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  fw.on("click", "#help-button, #help-item", toggleHelp);
  fw.on("click", "#help-close", toggleHelp);
})(window.fundwatch);
