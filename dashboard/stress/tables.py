"""Tables of stress: every shock and window with its loss, restless markets, and what one does to each position."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from core import format as text
from core.roles import Role
from dashboard.components.choices import choice_button
from dashboard.components.form import form, hidden
from dashboard.components.table import Cell, Column, amounts_table
from dashboard.holdings.tables import tone
from dashboard.risk.links import instrument_link, portfolio_link
from portfolio.holdings import GROUPS, Group
from portfolio.stress import TRIED, Kind, Moved, Outcome, Stressed, named_moves
from storage.state.scenarios import MOVES, Scenario

MONEY = ("value", "pnl")
ID, PATH = "stress", "/portfolio/stress"
STATED, WINDOWS, OWN, RESTLESS, POSITIONS, GROUPED = (
    f"{ID}-{name}-rows" for name in ("stated", "windows", "own", "restless", "positions", "groups")
)
KINDS: Mapping[Kind, str] = {
    "market": "Market", "sector": "Sector", "currency": "Currency", "own": "Own", "window": "Past",
}  # fmt: skip
LOSS = (
    Column("pnl", "P&L", definition="Of today's book, in the portfolio's currency"),
    Column("share", "Of NAV", definition="P&L over the net asset value", unit="ratio"),
)


def stated_table(found: Stressed, outcomes: Sequence[Outcome], chosen: str) -> html.Div:
    """Return the shocks that come with Fundwatch."""
    columns = [
        Column("name", "Shock", numeric=False, definition="Click to see what it does to each position"),
        Column("kind", "Moves", numeric=False), *LOSS, *_told(outcomes),
    ]  # fmt: skip
    rows = [{"kind": KINDS[each.kind], **_outcome(found, each, chosen)} for each in outcomes]
    return amounts_table(STATED, columns, rows, found.book.found.portfolio.currency, MONEY, caption="Stated shocks")


def windows_table(found: Stressed, outcomes: Sequence[Outcome], chosen: str) -> html.Div:
    """Return the worst windows of the past."""
    columns = [
        Column("length", "Days"),
        Column("name", "When", numeric=False, definition="Click to see what it does to each position"), *LOSS,
        *_told(outcomes),
    ]  # fmt: skip
    rows = []
    for each in outcomes:
        length = int(each.id.split(":")[1])
        rows.append({"length": Cell(text.number(length), float(length)), **_outcome(found, each, chosen)})
    return amounts_table(
        WINDOWS,
        columns,
        rows,
        found.book.found.portfolio.currency,
        MONEY,
        caption="Worst windows",
        nothing="Today's book would have lost on no day, or there are too few prices.",
    )


def own_table(found: Stressed, outcomes: Sequence[Outcome], chosen: str, names: Mapping[str, str]) -> html.Div:
    """Return the scenarios that people keep, and what deletes each; before them the one that is tried."""
    columns = [
        Column("name", "Scenario", numeric=False, definition="Click to see what it does to each position"),
        Column("moves", "Moves", numeric=False), *LOSS, *_told(outcomes),
        Column("who", "By", numeric=False), Column("delete", "", numeric=False, plain="Delete", has_buttons=True),
    ]  # fmt: skip
    rows = []
    for each in outcomes:
        scenario = each.scenario
        assert scenario is not None
        rows.append(
            {
                **_outcome(found, each, chosen),
                "moves": Cell(named_moves(scenario, names), mark="fw-wraps"),
                "who": scenario.who if each.id != TRIED else Cell("not kept", tone="muted"),
                "delete": _delete(scenario) if each.id != TRIED else _take_back(),
            }
        )
    return amounts_table(
        OWN,
        columns,
        rows,
        found.book.found.portfolio.currency,
        MONEY,
        caption="Own scenarios",
        nothing="Nobody has kept one yet.",
    )


def _delete(scenario: Scenario) -> html.Form:
    return form(
        f"{PATH}/delete", hidden("id", str(scenario.id)), id=f"{ID}-delete-{scenario.id}", does="Delete",
        question=f"Delete {scenario.name}? Everybody loses it.", role=Role.ANALYST, label=f"Delete {scenario.name}",
    )  # fmt: skip


def _take_back() -> html.Button:
    return choice_button(ID, dict.fromkeys(MOVES), "Take back", label="Take back the scenario that is tried")


def restless_table(moved: Sequence[Moved], nav: float, currency: str) -> html.Div:
    """Return VaR and ES with restless markets."""
    columns = [
        Column("name", "Markets", numeric=False),
        Column("var", "VaR", definition="Parametric: with the shrunk covariance, moved"),
        Column("share", "Of NAV", unit="ratio"),
        Column("es", "ES", definition="Expected shortfall"),
        Column("times", "Times", definition="VaR over that of markets as they are"),
    ]
    now = moved[0].risk.value_at_risk if moved else math.nan
    rows = [
        {
            "name": Cell(each.name, str(number)),
            "var": Cell(text.money(each.risk.value_at_risk), each.risk.value_at_risk),
            "share": _share(each.risk.value_at_risk, nav),
            "es": Cell(text.money(each.risk.expected_shortfall), each.risk.expected_shortfall),
            "times": Cell(text.ratio(each.risk.value_at_risk / now if now > 0 else math.nan)),
        }
        for number, each in enumerate(moved)
    ]
    return amounts_table(
        RESTLESS, columns, rows, currency, ("var", "es"), caption="Restless markets", nothing="No returns are known."
    )


def positions_table(found: Stressed, outcome: Outcome, choices: Mapping[str, str]) -> html.Div:
    """Return what a shock does to each position, the largest loss first, and to all."""
    whole = found.book.found
    has_parts = len(whole.names) > 1
    columns = [
        Column("instrument", "Instrument", numeric=False, definition="Leads to its history on Holdings"),
        *([Column("portfolio", "Strategy", numeric=False)] if has_parts else []),
        Column("value", "Value"),
        Column("beta", "Beta", definition=f"To {found.benchmark or 'the benchmark'}"),
        Column("move", "Move", definition="P&L over value", unit="ratio"),
        *LOSS,
    ]
    kept = {name: value for name, value in choices.items() if name != "portfolio"}
    rows: list[dict[str, Any]] = [_all(found, outcome)]
    order = sorted(range(len(found.positions)), key=lambda at: float(outcome.pnl[at]))
    for at in order:
        each, lost, beta = found.positions[at], float(outcome.pnl[at]), float(found.betas[at])
        rows.append({
            "instrument": Cell(
                instrument_link(whole, each, choices.get("asof", "")), each.instrument, hint=each.about.name
            ),
            "portfolio": Cell(portfolio_link(whole, each.portfolio, PATH, kept), whole.names.get(each.portfolio)),
            "value": Cell(text.money(each.value), each.value),
            "beta": Cell(text.ratio(beta), beta),
            "move": Cell(text.percent(lost / each.value, signed=True), lost / each.value) if each.value else Cell(None),
            **_loss(lost, whole.nav),
        })  # fmt: skip
    return amounts_table(POSITIONS, columns, rows, found.book.found.portfolio.currency, MONEY, caption="By position")


def groups_table(found: Stressed, outcome: Outcome, group: Group) -> html.Div:
    """Return what a shock does to groups of positions; they add up to all."""
    sums: dict[str, list[float]] = {}
    for each, lost in zip(found.positions, outcome.pnl.tolist(), strict=True):
        sums.setdefault(each.group(group, found.book.found.names), []).append(lost)
    columns = [Column("name", GROUPS[group], numeric=False), *LOSS]
    parts = sorted(((name, math.fsum(lost)) for name, lost in sums.items()), key=lambda part: part[1])
    nav = found.book.found.nav
    rows = [{"name": Cell(name, name), **_loss(lost, nav)} for name, lost in (("All", outcome.total), *parts)]
    return amounts_table(
        GROUPED, columns, rows, found.book.found.portfolio.currency, MONEY, caption=f"By {GROUPS[group].lower()}"
    )


def _told(outcomes: Sequence[Outcome]) -> list[Column]:
    """Return the column of what is left out, where something is."""
    is_told = any(each.why_not or each.told for each in outcomes)
    return [Column("told", "Not in it", numeric=False)] if is_told else []


def _outcome(found: Stressed, each: Outcome, chosen: str) -> dict[str, Any]:
    pick = choice_button(ID, {"scenario": each.id}, each.name, pressed=each.id == chosen,
                         label=f"What {each.name} does to each position", off=each.why_not)  # fmt: skip
    return {
        "name": Cell(pick, each.name),
        **_loss(each.total, found.book.found.nav, each.why_not),
        "told": Cell(each.why_not or each.told or None, mark="fw-wraps"),
    }


def _all(found: Stressed, outcome: Outcome) -> dict[str, Any]:
    value = math.fsum(found.values)
    return {
        "instrument": Cell("All", "All"),
        "value": Cell(text.money(value), value),
        **_loss(outcome.total, found.book.found.nav),
    }


def _loss(lost: float, nav: float, why: str = "") -> dict[str, Cell]:
    return {
        "pnl": Cell(text.money(lost, signed=True), lost, tone=tone(lost), hint=why),
        "share": _share(lost, nav, signed=True),
    }


def _share(value: float, nav: float, *, signed: bool = False) -> Cell:
    share = value / nav if nav > 0 else math.nan
    return Cell(text.percent(share, signed=signed), share)
