// Actions on watched sources: a button with data-act asks first, then writes the request to its tab's store.
(function (fw) {
  "use strict";

  fw.on("click", "[data-act]", async (button) => {
    const asked = JSON.parse(button.dataset.act);
    if (await fw.ask(asked.question, asked.does)) request(button.dataset.tab, asked);
    const back = button.isConnected ? button : fw.sameAct(button);
    if (back) back.focus({ preventScroll: true });
  });

  function request(tab, asked) {
    fw.set(`${tab}-act`, { data: { ...asked, at: Date.now() } });
  }
})(window.fundwatch);
