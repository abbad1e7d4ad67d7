// Choices that a narrow screen folds away, and the box that adds a portfolio to those compared.
(function (fw) {
  "use strict";
  const MOST = 6;

  fw.on("click", ".fw-more-toggle", (button) => {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(isOpen));
    button.parentElement.toggleAttribute("data-open", isOpen);
  });

  // The names on offer are those of another control: they are on the page already.
  function offered(box) {
    const select = document.querySelector(`select[id*='"name":"${box.dataset.offers}"'][id*='"tab":"${box.dataset.tab}"']`);
    return [...(select ? select.options : [])].map((option) => ({ key: option.value, name: option.text.trim() }));
  }

  fw.on("focusin", ".fw-adder input", (input) => {
    const list = input.list;
    if (!list) return;
    list.replaceChildren(...offered(input.closest(".fw-adder")).map(({ name }) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    }));
  });

  fw.on("change", ".fw-adder input", add);
  fw.on("input", ".fw-adder input", (input, event) => {
    if (event.inputType === "insertReplacementText") add(input); // picked from the list
  });

  function add(input) {
    const box = input.closest(".fw-adder");
    const wanted = input.value.trim().toLowerCase();
    if (!wanted) return say(box, "");
    const names = offered(box);
    const found = names.find(({ name }) => name.toLowerCase() === wanted)
      || only(names.filter(({ name }) => name.toLowerCase().includes(wanted)));
    if (!found) return say(box, `no single portfolio is called “${input.value.trim()}”`);
    const query = new URLSearchParams(location.search);
    const keys = (query.get(box.dataset.name) || "").split(",").filter(Boolean);
    if (keys.length >= MOST && !keys.includes(found.key)) return say(box, `${MOST} at most: take one away first`);
    say(box, "");
    clear(input);
    if (!keys.includes(found.key)) fw.choose(box.dataset.tab, { [box.dataset.name]: [...keys, found.key].join(",") });
    return undefined;
  }

  const only = (found) => (found.length === 1 ? found[0] : undefined);

  function say(box, text) {
    const place = box.querySelector(".fw-adder-said");
    if (place.textContent !== text) place.textContent = text;
  }

  function clear(input) {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "");
    input.dispatchEvent(new Event("input", { bubbles: true })); // React keeps the value, too
  }
})(window.fundwatch);
