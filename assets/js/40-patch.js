// A slot is changed where what the server sent differs from what it had sent before: rows, cells and buttons that are
// the same stay the elements they were, with their focus, selection and whatever the browser wrote into them since.
(function (fw) {
  "use strict";
  const sources = new WeakMap(); // slot → tree as the server sent it last
  const lives = new WeakMap(); // node of such a tree → node on the page

  fw.patch = function (slot, html) {
    const next = document.createElement("div");
    next.innerHTML = html;
    let before = sources.get(slot);
    if (!before) {
      const isPlace = slot.matches(".fw-skeleton, :has(.fw-skeleton)");
      slot.classList.toggle("fw-waits", isPlace && !html);
      if (isPlace && !html) return; // nothing yet: what comes finds its room
      slot.replaceChildren(); // what stood there was the skeleton
      slot.classList.remove("fw-skeleton");
      before = document.createElement("div");
    }
    lives.set(before, slot);
    lives.set(next, slot);
    children(slot, before, next);
    sources.set(slot, next);
  };

  // Returns the tree that stands for the element from now on.
  function element(old, next) {
    if (old.isEqualNode(next)) return old;
    const live = lives.get(old);
    lives.set(next, live);
    if (old.nodeType !== Node.ELEMENT_NODE) {
      live.data = next.data;
      return next;
    }
    for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) live.removeAttribute(name);
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) live.setAttribute(name, value);
    children(live, old, next);
    return next;
  }

  function children(live, old, next) {
    const partners = matched([...old.childNodes], [...next.childNodes]);
    const kept = new Set(partners.values());
    for (const each of [...old.childNodes]) if (!kept.has(each)) lives.get(each).remove();
    const order = [...old.childNodes].filter((each) => kept.has(each));
    const isSameOrder = [...partners.values()].every((each, at) => each === order[at]);
    const isSorted = live.localName === "tbody" && live.closest("table").querySelector("th[aria-sort]");
    let last = null;
    for (const fresh of [...next.childNodes]) {
      const partner = partners.get(fresh);
      if (!partner) {
        const made = linked(fresh);
        if (last) last.after(made);
        else live.prepend(made);
        last = made;
        continue;
      }
      const stays = lives.get(partner);
      const source = element(partner, fresh);
      if (source !== fresh) fresh.replaceWith(source);
      if (!isSameOrder && !isSorted && (last ? last.nextSibling : live.firstChild) !== stays) {
        if (last) last.after(stays);
        else live.prepend(stays);
      }
      last = stays;
    }
  }

  // Which old node each new one takes the place of: that of the same key, else the same kind of node at the same place.
  function matched(old, next) {
    const byKey = new Map();
    keys(old).forEach((key, at) => byKey.set(key, old[at]));
    const partners = new Map();
    keys(next).forEach((key, at) => {
      const partner = byKey.get(key);
      if (partner && isAlike(partner, next[at])) partners.set(next[at], partner);
    });
    return partners;
  }

  function isAlike(old, next) {
    if (old.nodeName !== next.nodeName) return false;
    if (old.localName !== "button") return true;
    return old.dataset.act === next.dataset.act && old.dataset.choose === next.dataset.choose; // never another's button
  }

  // A row is known by its first cell, anything else by its id; without either by its place.
  function keys(nodes) {
    const seen = new Map();
    return nodes.map((node) => {
      const name = `${node.nodeName} ${node.localName === "tr" ? row(node) : node.id || ""}`;
      const count = (seen.get(name) || 0) + 1;
      seen.set(name, count);
      return `${name} ${count}`;
    });
  }

  const row = (node) => (node.cells.length ? node.cells[0].textContent || node.cells[0].innerHTML : "");

  function linked(source) {
    const made = source.cloneNode(true);
    link(source, made);
    return made;
  }

  function link(source, live) {
    lives.set(source, live);
    source.childNodes.forEach((each, at) => link(each, live.childNodes[at]));
  }
})(window.fundwatch);
