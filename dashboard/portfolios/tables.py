"""The fund's tree as a table, and who changed what of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from dashboard.components.age import age, local_time
from dashboard.components.card import state_badge
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table
from portfolio.chosen import key_of
from portfolio.given import newest_value
from portfolio.tree.facts import Node
from portfolio.tree.settings import CURRENCY_NOT_TOLD
from storage.state.changes import DONE, Change
from storage.state.portfolios import OWN

ID = "portfolios"
INDENT = "\u2003"
_COLUMNS = (
    Column("name", "Portfolio", numeric=False, definition="By it the table is in the order of the tree"),
    Column("strategy", "Strategy", numeric=False),
    Column("currency", "Currency", numeric=False),
    Column("benchmark", "Benchmark", numeric=False),
    Column("life", "Inception – end", numeric=False),
    Column("values", "Values from – to", numeric=False, definition="Days of its first and last value"),
    Column("rhythm", "Rhythm", numeric=False, definition="How often it has a value, found from its dates or set"),
    Column("value", "Last value"),
    Column("age", "Age", definition="Of the last value; none for a sample and for what has ended"),
)
_CHANGES = (
    Column("at", "When", numeric=False),
    Column("who", "Who", numeric=False),
    Column("portfolio", "Portfolio", numeric=False),
    Column("detail", "What", numeric=False),
)


def tree_table(nodes: Sequence[Node], chosen: str) -> html.Div:
    """Return a row a portfolio, its parts under it; its name opens its settings. `chosen`: the key of the open one."""
    rows = [_row(node, chosen, at) for at, node in enumerate(nodes)]
    return data_table(f"{ID}-rows", _COLUMNS, rows, caption="The fund's portfolios")


def _row(node: Node, chosen: str, place: int) -> dict[str, Any]:
    each, key = node.portfolio, key_of(node.portfolio)
    opens = choice_button(
        ID, {"edit": None if key == chosen else key}, each.name, pressed=key == chosen, label=f"Settings of {each.name}"
    )
    mark = [] if each.origin == OWN else [" ", html.Span(each.origin.upper(), className="fw-mark")]
    life = f"{each.inception or '…'} – {each.ended or '…'}" if each.inception or each.ended else None
    return {
        "name": Cell([INDENT * node.depth, opens, *mark], sort=float(place), hint=each.note),
        "strategy": each.strategy or None,
        "currency": _currency(node),
        "benchmark": node.benchmark or None,
        "life": life,
        "values": _values(node),
        "rhythm": node.rhythm or None,
        "value": Cell(text.money(node.last_value), sort=node.last_value) if node.values else None,
        "age": _age(node),
    }


def _currency(node: Node) -> Cell:
    each = node.portfolio
    if CURRENCY_NOT_TOLD in each.note:
        return Cell(
            f"{each.currency}, not told", tone="warning", hint="Its file does not say its currency: set it below"
        )
    return Cell(each.currency)


def _values(node: Node) -> Cell | None:
    if not node.values:
        return Cell("no value yet", tone="muted") if not node.left_out else Cell("all left out", tone="warning")
    parts = f" · sum of {text.count(node.made_of, 'part')}" if node.made_of else ""
    built = " · built from trades" if node.built else ""
    left = [f"{node.left_out:,} left out"] if node.left_out else []
    lost = " ▲" if node.told else ""
    shown = f"{node.first} – {node.last}{parts}{built}{lost}"
    return Cell(shown, tone="warning" if lost else "", hint="; ".join([*left, *node.told]))


def _age(node: Node) -> Any:
    each = node.portfolio
    if node.has_ended:
        return Cell(f"ended {each.ended}", tone="muted")
    if each.origin != OWN or node.last is None:
        return None
    newest = newest_value(each.calendar, node.counts, node.last, node.newest)
    return age(newest.known_at, newest.stale_after_seconds)


def changes_table(changes: Sequence[Change]) -> html.Div:
    """Return a row a change, the newest first."""
    rows = [
        {
            "at": Cell(local_time(each.at), sort=each.at),
            "who": each.who or None,
            "portfolio": each.portfolio,
            "detail": Cell([each.detail, *_going(each)]),
        }
        for each in changes
    ]
    return data_table(f"{ID}-changes-rows", _CHANGES, rows, caption="Changes", nothing="Nothing was changed yet.")


def _going(change: Change) -> list[Any]:
    if change.stage == DONE:
        return []
    return [" ", state_badge(Status.WARNING, "going on, or cut off: do it again")]
