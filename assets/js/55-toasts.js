// Toasts: a critical or urgent alert that begins while a page is open is shown at once. What is urgent stays until it is
// closed. They are on until somebody switches them off in this browser, beside the sound.
(function (fw) {
  "use strict";
  const WANTED = "toasts", SHOWN_MS = 8000, MOST = 3;
  let last = null; // row of the history of alerts up to which this page has been told
  let hidden = 0;

  const isOn = () => fw.recall(WANTED) !== "off";
  const open = () => [...document.querySelectorAll(".fw-toast")];

  function told({ after, shown, more }) {
    last = after;
    if (!isOn() || fw.notices.isOpen()) return;
    shown.forEach(add);
    hidden += more;
    count();
  }

  function add(toast) {
    if (open().length >= MOST) {
      const lesser = open().find((each) => each.dataset.level !== "urgent");
      hidden += 1;
      if (toast.level !== "urgent" || !lesser) return;
      lesser.remove();
    }
    const element = made(toast);
    fw.byId(`toasts-${toast.level}`).append(element);
    if (toast.level !== "urgent") leave(element);
  }

  function made({ level, sign, word, text, of, at, href }) {
    const time = part("time", "fw-time", "");
    Object.assign(time.dataset, { ts: at, style: "time" });
    const state = part("span", "fw-state fw-state-critical", word);
    const mark = part("span", "fw-sign", sign);
    mark.setAttribute("aria-hidden", "true");
    state.prepend(mark);
    const head = part("div", "fw-notice-head", "");
    head.append(state, ...(of ? [part("span", "fw-notice-of", of)] : []), time);
    const link = part("a", "fw-notice-text", text);
    link.href = href;
    const close = part("button", "fw-tool fw-toast-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    const toast = part("div", "fw-toast", "");
    toast.dataset.level = level;
    toast.append(head, link, close);
    return toast;
  }

  function part(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  // Not while it is read, or the page is hidden.
  function leave(toast) {
    setTimeout(() => {
      if (document.hidden || toast.matches(":hover, :focus-within")) return leave(toast);
      return close(toast);
    }, SHOWN_MS);
  }

  function close(toast) {
    toast.remove();
    if (!open().length) hidden = 0;
    count();
  }

  function count() {
    const more = fw.byId("toasts-more");
    if (!more) return;
    more.hidden = !hidden;
    more.textContent = `and ${hidden} more`;
  }

  function clear() {
    open().forEach((each) => each.remove());
    hidden = 0;
    count();
  }

  function show() {
    const button = fw.byId("alerts-toasts");
    if (!button) return;
    const text = `Toasts: ${isOn() ? "on" : "off"}`;
    if (button.textContent !== text) button.textContent = text;
    button.setAttribute("aria-pressed", String(isOn()));
  }

  fw.on("click", ".fw-toast-close", (button) => close(button.closest(".fw-toast")));
  fw.on("click", "#toasts-more, #notices-button", () => {
    clear();
    fw.notices.open();
  });
  fw.on("click", "#alerts-toasts", () => {
    fw.remember(WANTED, isOn() ? "off" : "on");
    show();
  });
  fw.toasts = { after: () => last, told, show };
})(window.fundwatch);
