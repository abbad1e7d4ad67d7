// Notices: how many somebody has not seen stands on the bell, which opens the panel that lists them by day. What was
// seen is kept with the account; who has none keeps it in this browser.
(function (fw) {
  "use strict";
  const LIST = "/alerts/notices", SEEN = "notices-seen", LOCAL = "local", MOST = 99;
  const dayName = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const shown = { items: [], older: "", newest: "", from: "", pages: 1, isNew: false };
  let asking = 0;

  const list = () => fw.byId("notices-list");
  const isOpen = () => !!list();
  const hasAccount = () => document.querySelector('meta[name="fundwatch-account"]').content !== LOCAL;

  // What the page asks with: what came since, and what was seen where no account says it.
  function asked() {
    const query = new URLSearchParams();
    if (fw.toasts.after() !== null) query.set("after", fw.toasts.after());
    if (!hasAccount() && fw.recall(SEEN)) query.set("seen", fw.recall(SEEN));
    return query;
  }

  function told(notices) {
    if (!hasAccount() && !fw.recall(SEEN)) fw.remember(SEEN, notices.newest);
    count(notices.unseen);
    fw.toasts.told(notices.toasts);
    if (isOpen() && shown.newest && notices.newest !== shown.newest) load();
  }

  function count(unseen) {
    const button = fw.byId("notices-button");
    if (!button) return;
    const text = unseen > MOST ? `${MOST}+` : String(unseen || "");
    const place = fw.byId("notices-count");
    if (place.textContent !== text) place.textContent = text;
    const said = text ? `Notices: ${text} not seen` : "Notices";
    if (button.getAttribute("aria-label") !== said) button.setAttribute("aria-label", said);
  }

  function open() {
    if (!fw.byId("notices-button") || isOpen()) return;
    Object.assign(shown, { newest: "", from: "", pages: 1, isNew: false });
    fw.set("notices", { is_open: true });
    fw.whenDrawn("#notices-list", () => {
      const zone = fw.byId("notices-zone");
      zone.dataset.style = "zone";
      zone.dataset.ts = fw.now();
      if (shown.items.length) draw(); // what was there when it was closed, until the answer is
      load();
    });
  }

  async function answered(query) {
    if (!hasAccount() && fw.recall(SEEN)) query.set("seen", fw.recall(SEEN));
    if (shown.from) query.set("from", shown.from);
    if (shown.isNew) query.set("new", "1");
    const answer = await window.fetch(`${LIST}?${query}`, { cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.text()) || `the server answers ${answer.status}`);
    return answer.json();
  }

  // The newest pages, as many as are open.
  async function load() {
    const mine = (asking += 1);
    try {
      const got = await answered(new URLSearchParams({ pages: shown.pages }));
      if (mine !== asking || !isOpen()) return;
      Object.assign(shown, { items: got.items, older: got.older, newest: got.newest, from: got.from });
      problem(got.problem);
      draw();
      if (!document.hidden) await mark(got.newest);
    } catch (error) {
      failed(error);
    }
  }

  async function older() {
    const mine = (asking += 1);
    const before = shown.items.length;
    try {
      const got = await answered(new URLSearchParams({ before: shown.older }));
      if (mine !== asking || !isOpen()) return;
      Object.assign(shown, { items: [...shown.items, ...got.items], older: got.older, pages: shown.pages + 1 });
      problem(got.problem);
      draw();
      const first = list().querySelectorAll("a")[before];
      if (first) first.focus();
    } catch (error) {
      failed(error);
    }
  }

  function failed(error) {
    if (!isOpen()) return;
    problem(`Notices cannot be read now: ${error.message}. They are asked for again when the page refreshes.`);
    shown.newest = "?";
    if (!shown.items.length) fw.patch(list(), '<p class="fw-nothing">Nothing is known.</p>');
    list().removeAttribute("aria-busy");
  }

  function problem(text) {
    const place = fw.byId("notices-problem");
    place.hidden = !text;
    if (place.textContent !== text) place.textContent = text;
  }

  function draw() {
    const days = new Map();
    for (const each of shown.items) {
      const name = nameOf(new Date(each.at * 1000));
      days.set(name, [...(days.get(name) || []), each.html]);
    }
    const parts = [...days].map(([name, lines]) => `<h3 class="fw-notices-day">${name}</h3><ul>${lines.join("")}</ul>`);
    const nothing = shown.isNew
      ? "You have seen everything."
      : "Nothing has happened yet. Alerts, halts, imports, silences and maintenance will be listed here.";
    fw.patch(list(), parts.join("") || `<p class="fw-nothing">${nothing}</p>`);
    list().removeAttribute("aria-busy");
    fw.byId("notices-older").hidden = !shown.older;
    fw.byId("notices-new").setAttribute("aria-pressed", String(shown.isNew));
  }

  function nameOf(date) {
    const now = new Date(fw.now() * 1000);
    const days = Math.round((new Date(now).setHours(12, 0, 0, 0) - new Date(date).setHours(12, 0, 0, 0)) / 86400000);
    return days === 0 ? "Today" : days === 1 ? "Yesterday" : dayName.format(date);
  }

  async function mark(newest) {
    if (hasAccount()) {
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify({ up_to: newest });
      const answer = await window.fetch(`${LIST}/seen`, { method: "POST", body, headers });
      if (!answer.ok) throw new Error(`what was seen is not kept, the server answers ${answer.status}`);
    } else {
      fw.remember(SEEN, further(fw.recall(SEEN) || "0.0.0.0", newest));
    }
    count(0);
  }

  function further(one, other) {
    const numbers = other.split(".").map(Number);
    return one.split(".").map((each, at) => Math.max(Number(each), numbers[at])).join(".");
  }

  fw.on("click", "#notices-button", open);
  fw.on("click", "#notices-older", older);
  fw.on("click", "#notices-new", () => {
    Object.assign(shown, { isNew: !shown.isNew, pages: 1 });
    load();
  });
  fw.on("click", "#notices-mark", async () => {
    try {
      await mark(shown.newest);
    } catch (error) {
      return failed(error);
    }
    shown.from = "";
    await load();
    return fw.announce("All notices are marked as seen");
  });
  fw.notices = { isOpen, open, asked, told };
})(window.fundwatch);
