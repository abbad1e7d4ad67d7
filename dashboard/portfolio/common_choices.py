"""Choices that pages of a portfolio have in common: which one, as of which day, and by what positions are grouped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboard.components.choices import choice_input, choice_select, chosen
from dashboard.views.tab import Choices
from portfolio.chosen import find, key_of
from portfolio.holdings import GROUPS, Group
from storage.state.portfolios import Portfolio

WHICH = ("portfolio",)
WHICH_AND_WHEN = ("portfolio", "asof")
"""What pages of a portfolio share (Page.shared_choices)."""
DEFAULT_GROUP: Group = "sector"
MARKS = {"sample": "sample", "replay": "replay"}
"""What is said of portfolios that are not the fund's own, by origin."""
INDENT = "\u2003"


def portfolio_choice(tab: str, known: Sequence[Portfolio], choices: Choices) -> Any:
    """Return the choice of the portfolio of a page, among those that may be seen."""
    first = find(known, "")
    return choice_select(
        tab, "portfolio", tree(known), choices, default=key_of(first) if first else "", label="Portfolio"
    )


def as_of_choice(tab: str, choices: Choices) -> Any:
    """Return the choice of the day up to which a page knows what there is."""
    hint = "Last day (UTC) that counts; empty for the newest"
    return choice_input(tab, "asof", choices, default="", label="As of", type="date", hint=hint)


def group_choice(tab: str, choices: Choices) -> Any:
    """Return the choice of what positions are grouped by."""
    return choice_select(tab, "group", [*GROUPS.items()], choices, default=DEFAULT_GROUP, label="Grouped by")


def chosen_group(choices: Choices) -> Group:
    """Return what positions are grouped by: what is not on offer counts as the default."""
    name = chosen([*GROUPS.items()], choices, "group", DEFAULT_GROUP)
    return next(group for group in GROUPS if group == name)


def tree(known: Sequence[Portfolio]) -> list[tuple[str, str]]:
    """Return (key, label) of every portfolio, each under its parent and indented by its depth.

    One whose parent is not there, or that is its own ancestor, stands at the top.
    """
    children: dict[tuple[str, str], list[Portfolio]] = {}
    ids = {(each.origin, each.id) for each in known}
    for each in known:
        at = (each.origin, each.parent if (each.origin, each.parent) in ids else "")
        children.setdefault(at, []).append(each)
    found: dict[str, str] = {}

    def add(each: Portfolio, depth: int) -> None:
        if key_of(each) in found:
            return
        found[key_of(each)] = INDENT * depth + label(each)
        for child in children.get((each.origin, each.id), ()):
            add(child, depth + 1)

    for origin in dict.fromkeys(each.origin for each in known):
        for top in children.get((origin, ""), ()):
            add(top, 0)
    for each in known:
        add(each, 0)
    return list(found.items())


def label(portfolio: Portfolio) -> str:
    """Return a portfolio's name, with its origin where that is not the fund itself."""
    mark = MARKS.get(portfolio.origin)
    return f"{portfolio.name} ({mark})" if mark else portfolio.name
