// What is shown once (a token, a sign-in link): copied whole with one press.
(function (fw) {
  "use strict";
  const SHOWN_MS = 2000;

  fw.on("click", "button[data-copies]", async (button) => {
    const secret = button.parentElement.querySelector(".fw-once-secret");
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(secret.textContent);
      button.textContent = "Copied";
    } catch (blocked) {
      getSelection().selectAllChildren(secret);
      button.textContent = "Press Ctrl C";
    }
    fw.announce(button.textContent);
    setTimeout(() => (button.textContent = before), SHOWN_MS);
  });
})(window.fundwatch);
