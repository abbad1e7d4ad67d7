// A session that is over: what was asked waits while a dialog over the page asks to sign in, and is then asked again. So
// the page, its choices and what somebody is typing stay.
(function (fw) {
  "use strict";
  const SIGN_IN = "/sign-in";
  const NOT_SIGNED_IN = 401;
  let waiting = null; // {promise, done}: of everything that waits for the sign-in
  let dialog = null;

  const account = () => document.querySelector('meta[name="fundwatch-account"]').content;

  // Sends, and sends again after the sign-in where the answer is that nobody is signed in.
  fw.whenSignedIn = async function (address, send) {
    for (;;) {
      const response = await send();
      if (response.status !== NOT_SIGNED_IN || address.startsWith(SIGN_IN)) return response;
      await signedIn();
    }
  };

  function signedIn() {
    if (!waiting) {
      let done = null;
      const promise = new Promise((resolve) => { done = resolve; });
      waiting = { promise, done };
    }
    open();
    return waiting.promise;
  }

  function open() {
    dialog = dialog || made();
    mark(false);
    if (dialog.open) return;
    dialog.showModal();
    dialog.querySelector("[name=password]").focus();
  }

  // Another account may see something else: then the page is opened anew.
  function goOn(told) {
    if (told.goto) return window.location.assign(told.goto);
    if (told.name !== account()) return window.location.reload();
    const { done } = waiting;
    waiting = null;
    dialog.remove();
    dialog = null;
    mark(false);
    fw.announce("Signed in again");
    return done();
  }

  async function submit(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    say(form, "");
    try {
      const answer = await window.fetch(SIGN_IN, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
      });
      const told = await answer.json();
      if (answer.ok) goOn(told);
      else say(form, told.said);
    } catch (error) {
      say(form, "Fundwatch does not answer: try again.");
    }
    button.disabled = false;
  }

  function say(form, text) {
    form.querySelector("[role=alert]").textContent = text;
    if (text) form.querySelector("[name=password]").select();
  }

  // "Later" and Escape look at the page behind; a line stays that leads back to the dialog.
  function mark(isPutAway) {
    const there = fw.byId("signed-out");
    if (there && !isPutAway) there.remove();
    if (there || !isPutAway) return;
    const line = element("div", { id: "signed-out", className: "fw-signed-out" });
    line.setAttribute("role", "status");
    line.append("You are signed out: the figures are from before. ");
    const again = element("button", { type: "button", className: "fw-button", textContent: "Sign in" });
    again.addEventListener("click", open);
    line.append(again);
    document.body.append(line);
  }

  function made() {
    const made = element("dialog", { className: "fw-help fw-sign-in" });
    made.setAttribute("aria-labelledby", "sign-in-title");
    const form = element("form", { className: "fw-form", method: "post", action: SIGN_IN });
    form.append(
      element("h2", { id: "sign-in-title", textContent: "Your session is over" }),
      element("p", { textContent: "Sign in, and the page goes on where it is." }),
      field("name", "Name", "username", "text", account()),
      field("password", "Password", "current-password", "password", ""),
      field("code", "Code, if your account has a second factor", "one-time-code", "text", ""),
    );
    const wrong = element("p", { className: "fw-field-wrong" });
    wrong.setAttribute("role", "alert");
    const does = element("div", { className: "fw-form-end" });
    const later = element("button", { type: "button", className: "fw-button", textContent: "Later" });
    later.addEventListener("click", () => made.close());
    does.append(element("button", { className: "fw-button fw-button-main", textContent: "Sign in" }), later);
    // Whoever signs in elsewhere does it in a tab of its own; this page goes on when it is looked at again.
    const elsewhere = element("p");
    elsewhere.append(element("a", { href: SIGN_IN, target: "_blank", textContent: "Sign in another way, in a new tab" }));
    form.append(wrong, does, elsewhere);
    form.addEventListener("submit", (event) => { event.preventDefault(); submit(form); });
    made.append(form);
    made.addEventListener("close", () => { if (waiting) mark(true); });
    document.body.append(made);
    return made;
  }

  function field(name, text, fills, type, value) {
    const label = element("label", { className: "fw-field" });
    const input = element("input", { className: "fw-field-input", name, type, value, autocomplete: fills, required: name !== "code" });
    label.append(element("span", { className: "fw-field-label", textContent: text }), input);
    return label;
  }

  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  // Signed in meanwhile in another tab.
  document.addEventListener("visibilitychange", async () => {
    if (document.hidden || !waiting) return;
    const answer = await window.fetch(SIGN_IN, { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer && answer.ok ? await answer.json() : {};
    if (told.name && waiting) goOn(told);
  });

  fw.on("click", ".fw-open a", (link) => {
    link.href = `${SIGN_IN}?next=${encodeURIComponent(`${location.pathname}${location.search}`)}`;
  });
})(window.fundwatch);
