"""Changes of the tree by somebody who may see some portfolios alone: of no other one, and telling of none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from portfolio.allowed import Limits, own_ids, seen
from portfolio.tree.delete import delete
from portfolio.tree.names import ids_of
from portfolio.tree.settings import add, change
from storage.state.portfolios import OWN, Portfolio, list_known_names, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ELSEWHERE = "Not done: it depends on what is being done elsewhere in the fund's tree. Try again later."


def set_seen(stores: Stores, limits: Limits, id: str, fields: Mapping[str, str], who: str) -> str:
    """Change fields of a portfolio that may be seen, as `settings.change` does."""
    check_seen(stores, limits, id)
    allowed = within_limits(stores, limits, fields, id)
    return untold(stores, limits, lambda: change(stores, id, allowed, who))


def add_seen(stores: Stores, limits: Limits, fields: Mapping[str, str], who: str) -> str:
    """Add a portfolio, under one that may be seen where there are limits, and return its id, as `settings.add` does."""
    allowed = within_limits(stores, limits, fields)
    return untold(stores, limits, lambda: add(stores, allowed, who))


def delete_seen(stores: Stores, limits: Limits, id: str, typed: str, who: str) -> str:
    """Delete a portfolio that may be seen, whose name was typed, as `delete.delete` does."""
    check_seen(stores, limits, id)
    return untold(stores, limits, lambda: delete(stores, id, typed, who))


def check_seen(stores: Stores, limits: Limits, *ids: str) -> None:
    """Raise ChangeRejected unless all are own portfolios that may be seen, as if there were no others."""
    if limits is None:
        return
    there = sorted(own_ids(list_portfolios(stores.state, OWN), limits))
    for id in ids:
        if id not in there:
            near = f": there are {', '.join(there[:10])}" if there else ""
            raise ChangeRejected(f"There is no portfolio {id!r}{near}.")


def within_limits(stores: Stores, limits: Limits, fields: Mapping[str, str], id: str = "") -> dict[str, str]:
    """Return fields of a portfolio, or of a new one where `id` is empty, as they may be changed by such a person.

    It stays, or begins, under a portfolio that may be seen. Raises ChangeRejected for a parent or name that cannot be.
    """
    if limits is None:
        return dict(fields)
    known = list_portfolios(stores.state, OWN)
    allowed = {each.id: each for each in seen(known, limits)}
    meant = ids_of(known, list_known_names(stores.state))
    changed = dict(fields)
    was = allowed[id].parent if id in allowed else ""
    parent = changed.pop("parent", was)
    wrong: dict[str, str] = {}
    if parent != was or not id:
        if meant.get(parent, parent) not in allowed:
            wrong["parent"] = f"there is no portfolio {parent!r}: give one of {', '.join(sorted(allowed))[:300]}"
            if not parent:
                wrong["parent"] = "give one of the portfolios that you may see"
        changed["parent"] = meant.get(parent, parent)
    name = changed.get("name", "").strip()
    if meant.get(name, id) != id and meant[name] not in allowed:
        wrong["name"] = "is taken: give another one"
    if wrong:
        raise ChangeRejected("Nothing was changed.", wrong)
    return changed


def untold(stores: Stores, limits: Limits, do: Callable[[], str]) -> str:
    """Do a change and return what it says. Raises ChangeRejected whose words name no portfolio that may not be seen."""
    if limits is None:
        return do()
    try:
        return do()
    except ChangeRejected as error:
        if _names_hidden(error, list_portfolios(stores.state, OWN), limits):
            raise ChangeRejected(ELSEWHERE) from None
        raise


def _names_hidden(error: ChangeRejected, known: list[Portfolio], limits: Limits) -> bool:
    allowed = own_ids(known, limits)
    hidden = {text for each in known if each.id not in allowed for text in (each.id, each.name)}
    told = " ".join(error.lines())
    return any(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", told) for text in hidden)
