// The account menu: opened by its button, closed by it, by Esc, by a press beside it, or when the focus leaves it.
(function (fw) {
  "use strict";
  const button = () => fw.byId("account-button");
  const menu = () => fw.byId("account-menu");

  function show(isOpen) {
    if (!menu() || menu().hidden === !isOpen) return;
    menu().hidden = !isOpen;
    button().setAttribute("aria-expanded", String(isOpen));
  }

  fw.on("click", "#account-button", () => show(menu().hidden));

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest(".fw-account")) show(false);
  });

  document.addEventListener("focusout", (event) => {
    const place = event.target instanceof Element && event.target.closest(".fw-account");
    if (place && event.relatedTarget && !place.contains(event.relatedTarget)) show(false);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu() || menu().hidden) return;
    show(false);
    button().focus();
    event.preventDefault();
  });
})(window.fundwatch);
