// Actions on watched sources: a button with data-act asks first, then writes the request to its tab's store.
(function (fw) {
  "use strict";

  fw.on("click", "[data-act]", (button) => {
    const asked = JSON.parse(button.dataset.act);
    const dialog = made(asked);
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "do") request(button.dataset.tab, asked);
      dialog.remove();
      const back = button.isConnected ? button : fw.sameAct(button);
      if (back) back.focus({ preventScroll: true });
    });
    document.body.append(dialog);
    dialog.showModal();
  });

  function made(asked) {
    const dialog = document.createElement("dialog");
    dialog.className = "fw-help fw-ask";
    dialog.setAttribute("aria-label", asked.does);
    const form = document.createElement("form");
    form.method = "dialog";
    const question = document.createElement("p");
    question.textContent = asked.question;
    form.append(question, choice("Leave it", "", true), choice(asked.does, "do", false));
    dialog.append(form);
    return dialog;
  }

  function choice(text, value, isFirst) {
    const button = document.createElement("button");
    button.className = isFirst ? "fw-button" : "fw-button fw-button-do";
    button.value = value;
    button.autofocus = isFirst;
    button.textContent = text;
    return button;
  }

  function request(tab, asked) {
    fw.set(`${tab}-act`, { data: { ...asked, at: Date.now() } });
  }
})(window.fundwatch);
