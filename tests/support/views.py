"""What a tab says: built from the stores and checked as it is sent, its words in the order of the page."""

from __future__ import annotations

from typing import Any

from access.viewer import Viewer
from core.roles import Role
from dashboard.views.serialize import plain, prepare
from dashboard.views.tab import Choices, Page, View, fitted
from storage.stores import Stores
from tests.support.application import local_operator

OPERATOR = Viewer("ana", Role.OPERATOR, may_act=True)


def built(tab: Page, stores: Stores, **choices: str) -> View:
    """Return the view of a tab after checking that it can be sent as the tab declares it."""
    (tab,) = fitted((tab,), stores.settings)
    assert tab.build is not None
    view = tab.build(stores, Choices.of(choices), local_operator(stores.settings))
    prepare(tab, Choices.of(choices), "1", view)
    return view


def laid_out(tab: Page, stores: Stores) -> str:
    """Return the words of a tab's layout: what it says before it has any data."""
    (tab,) = fitted((tab,), stores.settings)
    return text(tab.layout(stores, Choices(), OPERATOR))


def text(part: Any) -> str:
    """Return all words of a component, or of several."""
    return _words(plain(part))


def slot_text(tab: str, view: View, slot: str) -> str:
    """Return the words of a slot, which is named without the id of its tab (or part of a tab)."""
    return text(view.slots[f"{tab}-{slot}"])


def _words(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_words(part) for part in value)
    if isinstance(value, dict):
        return _words(value.get("props", {}).get("children"))
    return "" if value is None else str(value)
