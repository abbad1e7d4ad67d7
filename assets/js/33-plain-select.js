// Drop-downs in slots (components/choices.py, plain_select): what is picked is a choice of their page.
(function (fw) {
  "use strict";
  fw.on("change", "select[data-choice]", (select) => {
    const { tab, choice, default: own } = select.dataset;
    fw.choose(tab, { [choice]: select.value === own ? null : select.value });
  });

  // One that a person has touched no longer follows its options: it shows what the server says is chosen.
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches("select[data-choice]")) target.value = target.dataset.value;
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["data-value"] });
})(window.fundwatch);
