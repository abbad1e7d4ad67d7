// What fires on a portfolio is one line on a phone until somebody opens it, and stays open then over refreshes.
(function (fw) {
  "use strict";
  const PHONE = window.matchMedia("(max-width: 479.98px)");
  let isOpened = false;

  const fold = () => {
    for (const alerts of document.querySelectorAll(".fw-firing")) {
      if (alerts.open !== (isOpened || !PHONE.matches)) alerts.open = !alerts.open;
    }
  };

  fw.on("click", ".fw-firing > summary", (summary) => {
    isOpened = !summary.parentElement.open; // it opens after this
  });

  PHONE.addEventListener("change", fold);
  new MutationObserver(fold).observe(document.documentElement, { childList: true, subtree: true });
})(window.fundwatch);
