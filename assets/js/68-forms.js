// Forms that change something: posted as JSON, or as their file with the fields in the address; what came of it is said
// in the form, and what is wrong with a field beside it.
(function (fw) {
  "use strict";
  const SHOWN_MS = 12000, LEAD_MS = 5000;
  const REFUSED = "Not of what was sent last: that was refused, and the form says why.";

  fw.on("submit", "form[data-post]", async (form, event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    const pressed = event.submitter;
    if (form.dataset.question && !lacks(form) && !(await fw.ask(questionOf(form), form.dataset.does))) return;
    await fw.post(form, pressed);
  });

  // Whether a field that the question names is empty: nothing is asked then, and the answer says what is missing.
  function lacks(form) {
    const named = [...form.dataset.question.matchAll(/\{(\w+)\}/g)].map(([, name]) => form.elements[name]);
    return named.some((field) => field && !field.value);
  }

  // {name} in a question is what is chosen in the field of that name.
  function questionOf(form) {
    return form.dataset.question.replace(/\{(\w+)\}/g, (all, name) => {
      const { selectedOptions: [option] = [], value = all } = form.elements[name] || {};
      return option ? option.textContent : value;
    });
  }

  // Sends a form, with which of its buttons was pressed, and shows what came of it; returns the answer, null when there
  // was none.
  fw.post = async function (form, pressed) {
    form.setAttribute("aria-busy", "true");
    say(form, "");
    // What was said of something before would be read as the answer to this.
    document.querySelectorAll(".fw-done").forEach((each) => each.remove());
    try {
      const told = await sent(form, pressed);
      show(form, told, pressed);
      return told;
    } catch (error) {
      say(form, "No answer: nothing is known to be done. Try again.", true);
      fw.noAnswer();
      return null;
    } finally {
      form.removeAttribute("aria-busy");
    }
  };

  async function sent(form, pressed) {
    const fields = {};
    let file = null;
    for (const [name, value] of new FormData(form, pressed && pressed.name ? pressed : null)) {
      if (value instanceof File) file = value.size || value.name ? value : file;
      else fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
    }
    const address = file ? `${form.dataset.post}?${new URLSearchParams({ ...fields, file: file.name })}` : form.dataset.post;
    const body = file || JSON.stringify(fields);
    const headers = { "Content-Type": file ? "application/octet-stream" : "application/json" };
    const answer = await fetch(address, { method: "POST", body, headers });
    const isTold = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    return isTold ? answer.json() : { said: `Not done: the server answers ${answer.status}.`, done: false, fields: {} };
  }

  function show(form, told, pressed) {
    say(form, told.said, !told.done);
    mark(form, told.fields || {});
    judge(form, told.done);
    const place = form.dataset.into && told.html && fw.byId(form.dataset.into);
    if (place) place.innerHTML = told.html;
    if (!told.done) return;
    settle(form);
    if (told.goto) return leaveFor(told, form, pressed);
    const once = place && place.querySelector(".fw-once");
    if (once) leadTo(once);
    outlive(form, told.said);
    const dialog = form.closest("dialog");
    if (dialog) dialog.close();
    return fw.tickNow();
  }

  // What is shown once is in sight, whole, and under the keyboard.
  function leadTo(once) {
    fw.announce(once.querySelector("p").textContent);
    once.querySelector(".fw-once-secret").focus({ preventScroll: true });
    const show = () => once.scrollIntoView({ block: "center" });
    show();
    // The table above it gains a row with the next answer.
    const grown = new ResizeObserver(show);
    grown.observe(once.closest(".fw-content"));
    setTimeout(() => grown.disconnect(), LEAD_MS);
  }

  // What is done may take the form itself away, as "Revoke" does: it is told all the same, and the keyboard stays.
  function outlive(form, said) {
    const box = form.contains(document.activeElement) && form.closest("[tabindex='0']");
    const watch = new MutationObserver(() => {
      if (form.isConnected) return;
      watch.disconnect();
      tell(said);
      if (box) box.focus({ preventScroll: true });
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
    setTimeout(() => watch.disconnect(), SHOWN_MS);
  }

  // Panels that tell of what was sent before are empty while what was sent last is refused.
  function judge(form, isDone) {
    for (const id of (form.dataset.judged || "").split(" ").filter(Boolean)) {
      const panel = fw.byId(id);
      if (!panel) continue;
      if (isDone) delete panel.dataset.outdated;
      else panel.dataset.outdated = REFUSED;
    }
  }

  // What was done is told on the page that opens next, where the form may be no more; where it is the same page, the
  // keyboard stays on the button that was pressed.
  function leaveFor(told, form, pressed) {
    fw.remember("said", told.said);
    const isHere = new URL(told.goto, window.location.href).pathname === window.location.pathname;
    if (isHere && pressed && pressed === document.activeElement) fw.remember("pressed", JSON.stringify([form.id, pressed.value]));
    window.location.assign(told.goto);
  }

  function pressAgain([id, value]) {
    fw.whenDrawn(`#${CSS.escape(id)} button[type=submit]`, () => {
      const button = [...fw.byId(id).querySelectorAll("button[type=submit]")].find((each) => each.value === value);
      if (button && document.activeElement === document.body) button.focus({ preventScroll: true });
    });
  }

  const pressed = fw.recall("pressed");
  if (pressed) {
    fw.remember("pressed", "");
    pressAgain(JSON.parse(pressed));
  }

  const told = fw.recall("said");
  if (told) {
    fw.remember("said", "");
    tell(told);
  }

  function tell(text) {
    const place = document.createElement("div");
    place.className = "fw-done";
    place.setAttribute("role", "status");
    document.body.append(place);
    place.textContent = `✓ ${text}`;
    setTimeout(() => place.remove(), SHOWN_MS);
  }

  function say(form, text, isWrong) {
    const place = form.querySelector(".fw-form-said");
    if (!place) return;
    place.textContent = text;
    place.toggleAttribute("data-wrong", Boolean(isWrong));
  }

  function mark(form, wrong) {
    let first = null;
    for (const control of form.elements) {
      const field = control.closest(".fw-field");
      if (!field || !control.name) continue;
      const text = wrong[control.name] || "";
      control.toggleAttribute("aria-invalid", false);
      if (text) control.setAttribute("aria-invalid", "true");
      const place = field.querySelector(".fw-field-wrong");
      if (place) place.textContent = text;
      if (text && !first) first = control;
      const fold = text && field.closest("details");
      if (fold) fold.open = true;
    }
    if (first) first.focus();
  }

  // What was sent is what stands there now, and no longer what somebody types: a refresh may change it again.
  function settle(form) {
    if (form.dataset.clears === undefined) for (const control of form.elements) keep(control);
    form.reset();
  }

  function keep(control) {
    if (control.type === "checkbox") control.defaultChecked = control.checked;
    else if (control.localName === "select") for (const each of control.options) each.defaultSelected = each.selected;
    else if (control.type !== "file") control.defaultValue = control.value;
  }
})(window.fundwatch);
