"""The forms of the Portfolios page: settings of one, a new one, merging, deleting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.errors import ChangeRejected
from core.format import count
from core.portfolios import (
    ACCRUALS,
    COLOURS,
    CRYSTALLISATIONS,
    EVERY_DAY,
    FREQUENCIES,
    PERIODS,
    RULE,
    WEEKDAYS,
    WHOLE,
)
from core.trading_days import OF_EVERY_DAY
from dashboard.components.form import form, hidden, id_of_form, select_field, text_field
from dashboard.portfolios.tables import ID, INDENT
from dashboard.views.form import Form, Said, Sent
from portfolio.allowed import Limits
from portfolio.chosen import benchmarks
from portfolio.series.reference import instrument_name
from portfolio.tree.facts import Node
from portfolio.tree.limited import add_seen, check_seen, delete_seen, set_seen, untold
from portfolio.tree.merge import merge
from portfolio.tree.settings import WHERE_SET
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.stores import Stores

PATH = "/portfolios"
CALENDARS = (WEEKDAYS, EVERY_DAY, "XNYS", "XLON", "XETR", "XPAR", "XSWX", "XTKS", "XHKG", "CMES")
"""Offered while one is typed; any exchange can be given."""
_DAYS = frozenset({"inception", "ended"})


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do."""

    def do(make: Callable[[Sent, Viewer], Said]) -> Callable[[Sent, Viewer], Said]:
        def told(sent: Sent, viewer: Viewer) -> Said:
            try:
                return make(sent, viewer)
            except ChangeRejected as error:
                return Said(error.reason, is_done=False, fields=error.fields)

        return told

    def set_one(sent: Sent, viewer: Viewer) -> Said:
        return Said(set_seen(stores, viewer.portfolios, sent["id"], _fields(sent), viewer.name))

    def add_one(sent: Sent, viewer: Viewer) -> Said:
        id = add_seen(stores, viewer.portfolios, _fields(sent), viewer.name)
        return Said(f"{sent['name']} added.", goto=_opened(id))

    def merge_one(sent: Sent, viewer: Viewer) -> Said:
        one, into = sent["id"], sent["into"]
        if not into:
            wrong = {"into": "choose the portfolio that takes its values"}
            return Said("Nothing was merged.", is_done=False, fields=wrong)
        check_seen(stores, viewer.portfolios, one, into)
        wins = {"this": one, "other": into}.get(sent["wins"], "")
        told = untold(stores, viewer.portfolios, lambda: merge(stores, one, into, wins, viewer.name))
        return Said(told, goto=_opened(into))

    def delete_one(sent: Sent, viewer: Viewer) -> Said:
        return Said(delete_seen(stores, viewer.portfolios, sent["id"], sent["typed"], viewer.name), goto=PATH)

    does = {"set": set_one, "add": add_one, "merge": merge_one, "delete": delete_one}
    return [Form(f"{PATH}/{name}", do(make), CHANGING_ROLE) for name, make in does.items()]


def settings_form(stores: Stores, node: Node, nodes: Sequence[Node], fixed: Mapping[str, str]) -> html.Form:
    """Return the form of every setting of an own portfolio; what the settings file sets (`fixed`) is read-only."""
    form_id = id_of_form(ID, "set", node.portfolio.id)
    parts = [
        _field(form_id, name, str(getattr(node.portfolio, name)), _found(node).get(name, ""), name in fixed,
               _options(stores, name, node, nodes))
        for name in RULE
    ]  # fmt: skip
    return form(f"{PATH}/set", hidden("id", node.portfolio.id), *parts, id=form_id, does="Save")


def add_form(nodes: Sequence[Node], limits: Limits) -> html.Form:
    """Return the form of a new portfolio without values; under limits it is part of one that may be seen."""
    form_id = f"{ID}-add"
    own = [node.portfolio for node in nodes if node.portfolio.origin == OWN]
    parents = [("", "none" if limits is None else "choose one"), *((each.id, each.name) for each in own)]
    return form(
        f"{PATH}/add",
        text_field(form_id, "name", "Name", hint="Such as the name of the fund."),
        text_field(form_id, "currency", "Currency", "USD", hint=RULE["currency"].hint),
        select_field(form_id, "parent", "Part of", parents, hint=RULE["parent"].hint),
        id=form_id,
        does="Add",
        clears=True,
    )  # fmt: skip


def merge_form(node: Node, nodes: Sequence[Node]) -> html.Form:
    """Return the form that makes one portfolio of this and another one."""
    own, form_id = node.portfolio, id_of_form(ID, "merge", node.portfolio.id)
    others = [each.portfolio for each in nodes if each.portfolio.origin == OWN and each.portfolio.id != own.id]
    into = [("", "choose one"), *((each.id, each.name) for each in others if each.currency == own.currency)]
    foreign = [
        (each.id, f"{each.name}: in {each.currency}, this one in {own.currency}")
        for each in others
        if each.currency != own.currency
    ]
    wins = [("", "ask me"), ("this", f"values of {own.name} stay"), ("other", "values of the other one stay")]
    hint = f"Its values, files and parts become those of this one. {own.name} is gone then; files may still name it."
    return form(
        f"{PATH}/merge",
        hidden("id", own.id),
        select_field(form_id, "into", "Merge into", into, hint=hint, withheld=foreign),
        select_field(form_id, "wins", "On days that both have", wins, hint="What else there is on these days is gone."),
        id=form_id,
        does="Merge",
        question=f"Merge {own.name} into {{into}}? That cannot be undone.",
    )  # fmt: skip


def delete_form(node: Node) -> html.Form:
    """Return the form that deletes a portfolio once its name is typed."""
    own, form_id = node.portfolio, id_of_form(ID, "delete", node.portfolio.id)
    values = (
        "It has no values of its own." if node.made_of else f"With it: {count(node.values + node.left_out, 'value')}."
    )
    hint = f"Type {own.name}. {values}"
    return form(
        f"{PATH}/delete",
        hidden("id", own.id),
        text_field(form_id, "typed", "Delete", hint=hint),
        id=form_id,
        does="Delete",
        is_dangerous=True,
    )


def _fields(sent: Sent) -> dict[str, str]:
    """Return the settings that were sent: those that the form did not show or let change stay."""
    found = {name: sent[name] for name in RULE if name in sent.fields}
    return {name: value or "0" if name in WHOLE else value for name, value in found.items()}


def _opened(id: str) -> str:
    """Return the address that shows a portfolio's settings."""
    return f"{PATH}?{urlencode({'edit': f'{OWN}:{id}'})}"


def _field(
    form_id: str, name: str, value: str, found: str, is_fixed: bool, options: Sequence[tuple[str, str]] | None
) -> html.Div:
    rule = RULE[name]
    hints = (rule.hint, f"Found: {found}." if found else "", f"Set in {WHERE_SET}." if is_fixed else "")
    hint = " ".join(filter(None, hints))
    if options is not None and name not in ("calendar", "strategy"):
        return select_field(form_id, name, rule.label, options, value, hint=hint, is_read_only=is_fixed)
    shown = "" if name in WHOLE and value == "0" else value
    return text_field(
        form_id, name, rule.label, shown, hint=hint, type="date" if name in _DAYS else "text",
        options=[each for each, _ in options or ()], is_read_only=is_fixed,
    )  # fmt: skip


def _options(stores: Stores, name: str, node: Node, nodes: Sequence[Node]) -> list[tuple[str, str]] | None:
    """Return what can be chosen for a field; None: anything."""
    own = node.portfolio
    match name:
        case "parent":
            return [("", "none"), *_above(own.id, nodes)]
        case "benchmark":
            own_one = {own.benchmark: instrument_name(own.benchmark)} if own.benchmark else {}
            return [("", "none"), *(own_one | benchmarks(stores, own)).items()]
        case "frequency":
            return [("", "found from the data"), *FREQUENCIES.items()]
        case "colour":
            return [("", "by its place"), *((each, f"series {each}") for each in COLOURS)]
        case "management_accrual":
            return [("", f"{ACCRUALS['daily']}, as usual"), *ACCRUALS.items()]
        case "high_water_mark":
            return [("", "yes, as usual"), ("yes", "yes"), ("no", "no")]
        case "crystallisation":
            return [
                ("", "each year, as usual"),
                *((each, f"each {PERIODS.get(each, each)}") for each in CRYSTALLISATIONS),
            ]
        case "nav_is":
            return [("", "net of fees, as usual"), ("net", "net of fees"), ("gross", "gross of fees")]
        case "calendar":
            return [(each, each) for each in CALENDARS]
        case "strategy":
            known = {each.portfolio.strategy for each in nodes if each.portfolio.strategy}
            return [(each, each) for each in sorted(known)]
    return None


def _above(id: str, nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Return the portfolios that this one can be part of: neither itself nor its own parts."""
    below, found = {id}, []
    for node in nodes:
        each = node.portfolio
        if each.origin != OWN:
            continue
        if each.id in below or each.parent in below:
            below.add(each.id)
        else:
            found.append((each.id, f"{INDENT * node.depth}{each.name}"))
    return found


def _found(node: Node) -> dict[str, str]:
    """Return what the data tell of each field that they tell something of."""
    if not node.values:
        return {}
    told = {"inception": f"first value {node.first}", "ended": f"last value {node.last}"}
    if not math.isinf(node.found.longest_days):
        told["frequency"] = node.found.rhythm
        told["periods_per_year"] = f"{node.found.periods:.4g}"
        if node.found.rhythm == "daily":
            told["calendar"] = EVERY_DAY if node.found.calendar is OF_EVERY_DAY else WEEKDAYS
    return told
