// The Import page: a file is chosen or dropped, sent to be looked at, and sent again with whatever a person changes of how
// it is read, until it is taken or left. The server keeps nothing of it: the file stays here.
(function (fw) {
  "use strict";
  const BINARY = ["B", "KiB", "MiB", "GiB"];
  let queue = []; // files that wait for their turn
  let count = 0; // how many were chosen together
  let current = null; // {file} or {refused}, and said: what a person said of how it is read
  let sending = null; // AbortController of the request under way
  let isTaking = false; // whether that is an import: it is not sent twice
  let again = null; // what is sent again when the server answers: only looking at a file

  const look = () => fw.byId("import-look");
  const drop = () => document.querySelector(".fw-import-drop");
  const nameOf = ({ file, refused }) => (file ? file.name : refused);

  function size(bytes) {
    let at = 0;
    let value = bytes;
    for (; value >= 1024 && at < BINARY.length - 1; at += 1) value /= 1024;
    return `${value >= 10 || at === 0 ? Math.round(value) : value.toFixed(1)} ${BINARY[at]}`;
  }

  function status(text, isWrong) {
    const place = fw.byId("import-status");
    if (!place) return;
    place.textContent = text;
    place.toggleAttribute("data-wrong", Boolean(isWrong));
  }

  // What was sent is being taken: another file would hide what comes of it.
  const wait = () => status(`${nameOf(current)} is being imported: wait for the answer.`);

  function choose(files) {
    if (isTaking) {
      wait();
      return;
    }
    queue = [...files];
    count = queue.length;
    next();
  }

  function next() {
    clear();
    const file = queue.shift();
    if (file) open({ file, said: {} });
  }

  function clear() {
    if (sending) sending.abort();
    current = again = null;
    status("");
    if (look()) fw.patch(look(), "");
  }

  function open(chosen) {
    const { file } = chosen;
    const most = Number(drop()?.dataset.mostBytes) || Infinity;
    if (file && file.size > most) {
      status(`${file.name} has ${size(file.size)}, and ${drop().dataset.most} can be taken: split it, or pack it as .zip or .gz.`, true);
      return;
    }
    current = chosen;
    send("look", true);
  }

  // Sends what is open, and shows what comes back. `isFirst`: the answer gets the focus.
  async function send(what, isFirst) {
    const asked = current;
    if (sending) sending.abort();
    const mine = (sending = new AbortController());
    isTaking = what === "take";
    const { file } = asked;
    again = null;
    const place = count > 1 ? ` (file ${count - queue.length} of ${count})` : "";
    const verb = what === "take" ? "Importing" : "Reading";
    status(`${verb} ${nameOf(asked)}${file ? `, ${size(file.size)}` : ""}${place} …`);
    look().setAttribute("aria-busy", "true");
    try {
      if (file) await file.slice(0, 1).arrayBuffer(); // gone or changed since it was chosen: said before it is sent
    } catch (gone) {
      done(mine);
      status(`${file.name} cannot be read any more: it was changed or moved. Choose it again.`, true);
      return;
    }
    const order = { name: file ? file.name : "", refused: asked.refused || "", said: asked.said, accept: isTicked("accept"), new: isTicked("new") };
    try {
      const body = new Blob([JSON.stringify(order), "\n", ...(file ? [file] : [])]);
      const answer = await fetch(`/import/${what}`, { method: "POST", body, signal: mine.signal, headers: { "Content-Type": "application/octet-stream" } });
      if (mine !== sending) return;
      const isTold = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      const told = isTold ? await answer.json() : { said: `Not done: the server answers ${answer.status}.`, done: false, html: "" };
      if (mine !== sending) return;
      done(mine);
      show(told, isFirst || told.done);
    } catch (error) {
      if (mine !== sending || error.name === "AbortError") return;
      done(mine);
      lost(what, asked);
    }
  }

  function done(mine) {
    if (mine === sending) sending = null;
    isTaking = false;
    if (look()) look().removeAttribute("aria-busy");
  }

  function lost(what, asked) {
    if (what === "look") again = asked;
    const wait = what === "look"
      ? `Fundwatch does not answer: ${nameOf(asked)} is read as soon as it does.`
      : `No answer: it is not known whether ${nameOf(asked)} was taken. Look at the list below, or import it again: twice is harmless.`;
    status(wait, true);
    fw.noAnswer();
  }

  fw.onConnection((state) => {
    if (state.failures > 0 || !again) return;
    const asked = again;
    again = null;
    if (asked === current && look()) send("look", true);
  });

  function show(told, isFirst) {
    status(told.said, !told.html);
    mark(told.fields || {});
    if (!told.html || !look()) return;
    fw.patch(look(), told.html);
    settle();
    if (told.done) {
      current = null;
      fw.tickNow();
      relabel();
    }
    if (isFirst) focus();
  }

  // The controls show what the server read, and nothing stays confirmed that was confirmed of something else.
  function settle() {
    for (const control of look().querySelectorAll("select, input")) {
      if (control.localName === "select") control.value = (control.querySelector("option[selected]") || control.options[0]).value;
      else if (control.type === "checkbox") control.checked = false;
      else if (control !== document.activeElement) control.value = control.defaultValue;
    }
  }

  function mark(wrong) {
    for (const control of look().querySelectorAll(".fw-field [name]")) {
      const text = wrong[control.name] || "";
      control.closest(".fw-field").querySelector(".fw-field-wrong").textContent = text;
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  function focus() {
    const asked = look().querySelector(".fw-import-asked :is(input, select)");
    const place = asked || fw.byId("import-heading");
    if (place) place.focus({ preventScroll: false });
  }

  function relabel() {
    const button = look().querySelector("[data-import='leave']");
    if (button && queue.length) button.textContent = `Next: ${queue[0].name}`;
  }

  const isTicked = (name) => Boolean(look()?.querySelector(`input[name="${name}"]`)?.checked);

  function change(control) {
    if (!current) return;
    if (isTaking) {
      wait();
      return;
    }
    const { said } = current;
    const before = JSON.stringify(said);
    const text = control.name === "currency" ? control.value.trim().toUpperCase() : untrimmed(control);
    if (control.name === "column") said.columns = roles();
    else if (text) said[control.name] = text;
    else delete said[control.name];
    if (JSON.stringify(said) !== before) send("look", false);
  }

  const untrimmed = (control) => (control.localName === "select" ? control.value : control.value.trim()); // a blank is a mark

  // All that were told apart by a person, now or before: the server takes them together.
  const roles = () => [...look().querySelectorAll("select[name='column']")].filter((each) => each.value).map((each) => [each.dataset.header, each.value]);

  function take() {
    const open = look().querySelector("input[type='checkbox']:not(:checked)");
    if (isTaking || !current) return undefined;
    if (!open) return send("take", false);
    status("Not imported yet: confirm it first.", true);
    open.focus();
    return undefined;
  }

  fw.on("change", "#import-look :is(select, input:not([type='checkbox']))", change);
  fw.on("keydown", "#import-look input:not([type='checkbox'])", (control, event) => {
    if (event.key === "Enter") change(control);
  });
  fw.on("click", "[data-import-name]", (button) => {
    const box = look().querySelector("input[name='portfolio']");
    box.value = button.dataset.importName;
    change(box);
  });
  fw.on("click", "[data-import='take']", take);
  fw.on("click", "[data-import='leave']", () => {
    if (isTaking) {
      wait();
      return;
    }
    next();
    if (!current) fw.byId("import-file")?.focus();
  });
  fw.on("click", "[data-import-refused]", (button) => {
    if (isTaking) {
      wait();
      return;
    }
    queue = [];
    count = 0;
    clear();
    open({ refused: button.dataset.importRefused, said: {} });
  });
  fw.on("change", "#import-file", (box) => {
    if (box.files.length) choose(box.files);
    box.value = ""; // the same file may be chosen again
  });

  // A file may be dropped anywhere on the page; elsewhere a browser would leave Fundwatch to show it.
  const carriesFiles = (event) => Boolean(drop() && event.dataTransfer && [...event.dataTransfer.types].includes("Files"));
  const hover = (isOver) => document.documentElement.toggleAttribute("data-dropping", isOver);

  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    hover(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hover(false);
  });
  document.addEventListener("drop", (event) => {
    hover(false);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) choose(event.dataTransfer.files);
  });

  // Another page was opened: the file is let go.
  fw.whenDrawn("#page", (main) => new MutationObserver(() => {
    if (current && !look()) {
      if (sending) sending.abort();
      queue = [];
      current = again = sending = null;
      isTaking = false;
    }
  }).observe(main, { childList: true, subtree: true }));
})(window.fundwatch);
