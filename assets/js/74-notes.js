// A note on a chart: its form in a dialog over the page, for the time that the chart shows; and times of forms, which
// are read and typed in the reader's own zone and sent as moments.
(function (fw) {
  "use strict";

  fw.writeNote = async function (panel) {
    const query = new URLSearchParams(location.search);
    query.set("on", panel.closest(".fw-tab").dataset.page);
    const answer = await fetch(`/events/form?${query}`);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const dialog = made(await answer.text(), panel.querySelector(".fw-panel-title").textContent);
    document.body.append(dialog);
    fill(dialog, shownSpan(panel));
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    dialog.querySelector("textarea").focus();
  };

  function made(html, title) {
    const dialog = document.createElement("dialog");
    dialog.className = "fw-help fw-note";
    dialog.setAttribute("aria-labelledby", "note-title");
    const heading = document.createElement("h2");
    heading.id = "note-title";
    heading.textContent = `Note on ${title}`;
    const place = document.createElement("div");
    place.innerHTML = html;
    const leave = document.createElement("button");
    leave.type = "button";
    leave.className = "fw-button";
    leave.textContent = "Leave it";
    leave.addEventListener("click", () => dialog.close());
    const end = place.querySelector(".fw-form-end");
    end.insertBefore(leave, end.children[1]);
    dialog.append(heading, place);
    return dialog;
  }

  // The stretch that a reader zoomed to; else now, or the last moment of a chart that ends before.
  function shownSpan(panel) {
    const plot = panel.querySelector(".js-plotly-plot");
    const now = Date.now() / 1000;
    const axis = plot && Object.entries(plot._fullLayout || {}).find(([key, each]) => /^xaxis\d*$/.test(key) && each.type === "date");
    if (!axis) return [now, null];
    const [from, to] = axis[1].range.map(fw.localSeconds);
    const isZoomed = fw.isZoomed(panel.querySelector(".fw-plot").id) || new URLSearchParams(location.search).has("from");
    return isZoomed ? [from, Math.min(to, now)] : [Math.min(to, now), null];
  }

  function fill(dialog, [at, until]) {
    write(dialog.querySelector("[name=at]"), at);
    if (until !== null) write(dialog.querySelector("[name=until]"), until);
  }

  function write(input, seconds) {
    input.value = fw.localText(Math.floor(seconds)).replace(" ", "T");
    input.defaultValue = input.value;
  }

  fw.writeMoment = (input) => write(input, Number(input.dataset.ts));

  document.addEventListener("formdata", (event) => {
    for (const input of event.target.querySelectorAll("input[type=datetime-local][name]")) {
      if (input.value) event.formData.set(input.name, new Date(input.value).toISOString());
    }
  });
})(window.fundwatch);
