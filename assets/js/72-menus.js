// Menus of the header: opened by their button, closed by it, by Esc, by a press beside them, or when the focus leaves them.
(function (fw) {
  "use strict";
  const MENUS = [["account-button", "account-menu", ".fw-account"], ["safe-button", "safe-menu", ".fw-safe-place"]];

  for (const [buttonId, menuId, around] of MENUS) {
    const button = () => fw.byId(buttonId);
    const menu = () => fw.byId(menuId);

    const show = (isOpen) => {
      if (!menu() || menu().hidden === !isOpen) return;
      menu().hidden = !isOpen;
      button().setAttribute("aria-expanded", String(isOpen));
    };

    fw.on("click", `#${buttonId}`, () => show(menu().hidden));

    document.addEventListener("click", (event) => {
      if (!(event.target instanceof Element) || !event.target.closest(around)) show(false);
    });

    document.addEventListener("focusout", (event) => {
      const place = event.target instanceof Element && event.target.closest(around);
      if (place && event.relatedTarget && !place.contains(event.relatedTarget)) show(false);
    });

    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu() || menu().hidden) return;
      show(false);
      button().focus();
      event.preventDefault();
    });
  }
})(window.fundwatch);
