// A question before something is done: a dialog with "Leave it" first, and what would be done second.
(function (fw) {
  "use strict";

  // Resolves to whether it is to be done.
  fw.ask = function (question, does) {
    const dialog = made(question, does);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "do");
      });
    });
  };

  function made(question, does) {
    const dialog = document.createElement("dialog");
    dialog.className = "fw-help fw-ask";
    dialog.setAttribute("aria-label", does);
    const form = document.createElement("form");
    form.method = "dialog";
    const asked = document.createElement("p");
    asked.textContent = question;
    form.append(asked, choice("Leave it", "", true), choice(does, "do", false));
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
})(window.fundwatch);
