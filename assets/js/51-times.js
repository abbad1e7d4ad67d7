// Times in the reader's own zone, written as soon as they are drawn.
(function (fw) {
  "use strict";
  const styles = {
    time: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
    date: { year: "numeric", month: "2-digit", day: "2-digit" },
    datetime: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  };
  const formats = {};
  // Made once: a formatter costs more than all it ever writes.
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "long" });
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

  fw.longTime = (ts) => whole.format(ts * 1000);

  function format(date, style) {
    if (style === "zone") return zone.formatToParts(date).find((part) => part.type === "timeZoneName").value;
    formats[style] = formats[style] || new Intl.DateTimeFormat("sv-SE", styles[style] || styles.datetime);
    return formats[style].format(date);
  }

  function write(element) {
    const date = new Date(Number(element.dataset.ts) * 1000);
    let style = element.dataset.style;
    if (style === "span") style = date.toDateString() === new Date().toDateString() ? "time" : "datetime";
    const text = format(date, style);
    if (element.textContent === text) return;
    element.textContent = text;
    element.dateTime = date.toISOString();
    element.title = whole.format(date);
  }

  const TIMES = "time[data-ts], input[data-ts]";
  const tell = (element) => (element.localName === "time" ? write(element) : fw.writeMoment(element));

  fw.writeTimes = (root) => root.querySelectorAll(TIMES).forEach(tell);

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes" && change.target.matches(TIMES)) tell(change.target);
      for (const node of change.addedNodes || []) {
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        if (node.matches(TIMES)) tell(node);
        fw.writeTimes(node);
      }
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-ts", "data-style"] });
})(window.fundwatch);
