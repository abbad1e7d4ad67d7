// The page and its first answer, asked for while the frame's scripts still start: the server works meanwhile. When Dash
// asks for the same, it gets what came; when it asks for anything else, that is asked for.
(function (fw) {
  "use strict";
  const CALLBACKS = "/_dash-update-component";
  const COUNTS_MS = 10000; // later something newer is asked for
  const sent = new Map(); // what is asked, as a text → {answer, sentAt}
  const told = new WeakSet(); // answers that have said that the server answers, when they came
  fw.wasEarly = (response) => told.has(response);

  const item = (id, property, value) => ({ id, property, value });

  function ask(body) {
    const sentAt = Date.now();
    const answer = fw.plainFetch(CALLBACKS, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    }).then((response) => {
      if (response.status < 500) fw.answered(response, sentAt);
      told.add(response);
      return response;
    });
    answer.catch(() => undefined); // whoever takes it hears of it
    sent.set(textOf(body), { answer, sentAt });
  }

  // What a request asks for, without what the answer does not depend on. Dash leaves out what is not defined.
  function textOf({ output, inputs, state = [] }) {
    const values = [...inputs, ...state].filter(({ id }) => id !== "tick");
    return JSON.stringify([output, ...values.map(({ id, property, value }) => [id, property, sorted(value ?? null)])]);
  }

  const sorted = (value) => (value === null || typeof value !== "object" ? value : Object.entries(value).sort());

  // Returns the answer to a request of Dash when it was asked for already; each is given once.
  fw.early = function (body) {
    if (!sent.size || typeof body !== "string") return undefined;
    const text = textOf(JSON.parse(body)), found = sent.get(text);
    sent.delete(text);
    return found && Date.now() - found.sentAt < COUNTS_MS ? found.answer : undefined;
  };

  const page = JSON.parse(document.querySelector('meta[name="fundwatch-page"]').content); // {id, tab, shares} or null
  if (!page) return;
  const path = location.pathname;
  const isGiven = ([, value]) => value !== "";
  const kept = location.search ? "" : fw.keptOf(path, page);
  const search = location.search || (kept ? `?${kept}` : "");
  ask({
    output: "page.children",
    outputs: item("page", "children"),
    inputs: [item("route", "data", { path, search })],
    changedPropIds: ["route.data"],
  });
  ask({
    output: `..${page.id}-payload.data...${page.id}-problem.children..`,
    outputs: [item(`${page.id}-payload`, "data"), item(`${page.id}-problem`, "children")],
    inputs: [item("tick", "n_intervals"), item(`${page.id}-choices`, "data", Object.fromEntries([...new URLSearchParams(search)].filter(isGiven)))],
    changedPropIds: [],
    state: [item(`${page.id}-version`, "data"), item(`${page.id}-problem`, "children", null), item("tick", "interval")],
  });
})(window.fundwatch);
