// What a person asks for while the server does not answer waits. Until it is answered the page, its address, its controls
// and the navigation stay at what is shown: never one page under another's address, nor one window under another's name.
(function (fw) {
  "use strict";
  const AGAIN_AFTER_MS = 1000;
  let shown = null; // {path, url}: the open page
  let held = null; // the page that waits to be opened: {path, url}
  let pending = null; // the page whose request is under way
  let painted = null; // {page, choices}: what the figures are of
  let wanted = null; // {page, choices} that wait

  fw.waiting = function () {
    if (held) return `${fw.pageTitle(held.path)} opens as soon as it does.`;
    return wanted ? "Your choice is taken as soon as it does." : "";
  };

  // Returns the page that a callback's request opens: {path, url}; null for any other.
  fw.openingOf = function (body) {
    if (typeof body !== "string" || !body.includes('"output":"page.children"')) return null;
    const route = JSON.parse(body).inputs[0].value || {};
    return { path: route.path, url: `${route.path}${route.search || ""}` };
  };

  // `send` asks for a page: again and again until it is answered, or another page is asked for.
  fw.openWhenAnswered = async function (page, send) {
    pending = page;
    for (;;) {
      const response = await send().catch(() => null);
      if (pending !== page) return new Promise(() => undefined); // Dash waits for the other one
      if (response && response.status < 500) return arrived(page, response);
      fw.holdPage();
      fw.noAnswer();
      await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS));
    }
  };

  function arrived(page, response) {
    const wasHeld = held;
    pending = held = null;
    shown = page;
    fw.pageCame();
    if (wasHeld) show(page);
    return response;
  }

  // The page that was asked for is not there: back to the address of the one that is.
  fw.holdPage = function () {
    if (!pending) return;
    held = pending;
    if (shown && `${location.pathname}${location.search}` !== shown.url) show(shown);
  };

  function show(page) {
    history.replaceState(history.state, "", page.url);
    fw.markPage(page.path);
  }

  document.addEventListener("click", () => setTimeout(() => { if (held) fw.holdPage(); })); // the same link pressed again

  fw.addressWritten = function () {
    if (shown && shown.path === fw.pathOf(location.pathname)) shown.url = `${shown.path}${location.search}`;
  };

  // Whether the page at this path is the one that is open, and none is on its way.
  fw.isOpenAt = (path) => !pending && !!shown && shown.path === path && !!document.querySelector(`.fw-tab[data-path="${path}"]`);

  fw.isShown = (path, search) => !!shown && shown.url === `${path}${search}`;

  fw.painted = function (page, choices) {
    painted = { page, choices };
    if (text(now()) === text(choices)) fw.keepChoices(choices);
    behind(page, "");
  };

  const now = () => Object.fromEntries(new URLSearchParams(location.search));
  const text = (choices) => new URLSearchParams(Object.entries(choices).sort()).toString();
  const isOpen = (page) => !!fw.byId(`page-${page}`);

  // The choices were not answered: back to those of the figures.
  fw.holdChoices = function () {
    if (!painted || held || pending || !isOpen(painted.page) || text(now()) === text(painted.choices)) return;
    wanted = { page: painted.page, choices: now() };
    change(painted.page, painted.choices);
  };

  function change(page, to) {
    const gone = Object.fromEntries(Object.keys(now()).map((name) => [name, null]));
    fw.choose(page, { ...gone, ...to }, true);
  }

  fw.onConnection((state) => {
    if (state.failures > 0 || !wanted) return;
    const { page, choices } = wanted;
    wanted = null;
    if (isOpen(page)) change(page, choices);
  });

  // The server answered that it could not: the figures are still those of other choices, and the line with the reason says so.
  fw.whenDrawn("#page", (main) => new MutationObserver(() => {
    const problem = main.querySelector(".fw-problem");
    if (!problem || !painted || !isOpen(painted.page)) return;
    const isBehind = problem.textContent && text(now()) !== text(painted.choices);
    behind(painted.page, isBehind ? text(painted.choices).replaceAll("&", ", ") || "the choices a page begins with" : "");
  }).observe(main, { childList: true, subtree: true, characterData: true }));

  function behind(page, of) {
    const problem = fw.byId(`${page}-problem`);
    if (!problem || (problem.dataset.behind || "") === of) return;
    if (of) problem.dataset.behind = of;
    else delete problem.dataset.behind;
  }
})(window.fundwatch);
