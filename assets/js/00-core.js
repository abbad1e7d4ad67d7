// What every other file here uses: one namespace, settings that survive, and a way to set a component.
window.fundwatch = window.fundwatch || {};
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.fundwatch = window.dash_clientside.fundwatch || {};

(function (fw) {
  "use strict";

  fw.remember = function (name, value) {
    try {
      localStorage.setItem("fundwatch-" + name, value);
    } catch (blocked) {
      // storage is blocked: the choice lasts until the page is closed
    }
  };

  fw.recall = function (name) {
    try {
      return localStorage.getItem("fundwatch-" + name);
    } catch (blocked) {
      return null;
    }
  };

  fw.set = function (id, props) {
    if (fw.byId("page") && window.dash_clientside.set_props) window.dash_clientside.set_props(id, props);
  };

  fw.byId = (id) => document.getElementById(id);

  // Elements appear when Dash has drawn them; handlers are therefore delegated to the document.
  fw.on = function (event, selector, handler) {
    document.addEventListener(event, (e) => {
      const target = e.target instanceof Element ? e.target.closest(selector) : null;
      if (target) handler(target, e);
    });
  };

  fw.whenDrawn = function (selector, then) {
    const found = document.querySelector(selector);
    if (found) return then(found);
    const watch = new MutationObserver(() => {
      const late = document.querySelector(selector);
      if (!late) return;
      watch.disconnect();
      then(late);
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
    return undefined;
  };

  fw.announce = function (text) {
    const place = fw.byId("announcer");
    if (place) place.textContent = text;
  };

  fw.isTyping = (target) =>
    target instanceof Element && !!target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]");
})(window.fundwatch);
