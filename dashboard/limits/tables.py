"""Tables of limits: how each stands, restricted instruments that are held, when limits were broken, who set them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dash import html

from core import format as text
from core.model import Status
from core.portfolio_limits.figures import RESTRICTED, Unit, unit_of, written
from core.portfolio_limits.limit import EVERY, LimitState, PortfolioLimit
from core.roles import Role
from dashboard.components.age import local_time
from dashboard.components.card import bar, state_badge
from dashboard.components.form import form, hidden
from dashboard.components.needing import needing
from dashboard.components.table import Cell, Column, data_table, whole_cell
from portfolio.limits.judge import Finding
from storage.state.portfolio_limits import Breach, Change
from storage.state.portfolios import Portfolio

ID = "limits"
PATH = "/portfolio/limits"
STATUS = {
    LimitState.OK: Status.OK, LimitState.NEAR: Status.WARNING, LimitState.BREACHED: Status.CRITICAL,
    LimitState.UNKNOWN: Status.UNKNOWN,
}  # fmt: skip
WORDS = {LimitState.OK: "kept", LimitState.NEAR: "near", LimitState.BREACHED: "broken", LimitState.UNKNOWN: "not known"}
NOT_KNOWN = "not known"
SET_ABOVE = "above it"
"""Where a limit is set that is told to who may not see the portfolio it is set of."""
Ids = frozenset[str] | None
"""Of own portfolios that may be seen; None: every one."""


def limits_table(found: Sequence[Finding], ids: Ids, *, may_set: bool) -> html.Div:
    """Return a row a limit, the worst first."""
    has_parts = len({each.portfolio.id for each in found}) > 1
    columns = [
        Column("state", "State", numeric=False),
        *([Column("portfolio", "Portfolio", numeric=False)] if has_parts else []),
        Column("figure", "Limit on", numeric=False, definition="The figure, and what of it is nearest to its limit"),
        Column("value", "Value", definition="Of the newest report"),
        Column("limit", "Limit"),
        Column("use", "Use", definition="Value over limit; the bar is full where the limit is reached", unit="ratio"),
        Column("room", "Headroom", definition="What is left, in the unit of the figure; below 0: beyond the limit"),
        Column("money", "In money", definition="Headroom times the net asset value, in the portfolio's currency",
               plain="Headroom in money"),
        Column("severity", "Severity", numeric=False, definition="How much a breach matters: from critical on it is "
               "not safe to trade"),
        Column("set", "Set", numeric=False, definition="Where it stands, or who set it"),
        *([Column("does", "", numeric=False, plain="Change", has_buttons=True)] if may_set else []),
    ]  # fmt: skip
    rows = [_row(each, ids, may_set=may_set) for each in found]
    return data_table(f"{ID}-rows", columns, rows, caption="Limits", nothing="No limit is set.")


def restricted_table(found: Sequence[Finding]) -> html.Div:
    """Return what is held or was bought and must not be."""
    columns = [
        Column("instrument", "Instrument", numeric=False),
        Column("portfolio", "Portfolio", numeric=False),
        Column("note", "Why it is restricted", numeric=False),
    ]
    rows = [
        {
            "instrument": _instrument(each.portfolio, symbol),
            "portfolio": each.portfolio.name,
            "note": whole_cell(each.limit.note or None),
        }
        for each in found
        if each.limit.figure == RESTRICTED and each.value
        for symbol in each.of.split(", ")
    ]
    nothing = "Nothing restricted is held, as far as is known."
    return data_table(f"{ID}-restricted-rows", columns, rows, caption="Restricted instruments held", nothing=nothing)


def breaches_table(found: Sequence[Breach], portfolios: Mapping[str, Portfolio], now: float) -> html.Div:
    """Return when limits were broken: what goes on first, then the newest."""
    columns = [
        Column("state", "State", numeric=False),
        Column("portfolio", "Portfolio", numeric=False),
        Column("figure", "Limit on", numeric=False),
        Column("limit", "Limit", definition="As it was when the breach began"),
        Column("began", "Began", numeric=False),
        Column("lasted", "Lasted", unit="s"),
        Column("worst", "Worst"),
        Column("what", "At its worst", numeric=False),
        Column("ended", "Ended", numeric=False),
    ]
    rows = [_breach(each, portfolios, now) for each in found]
    nothing = "No limit was broken since limits are watched."
    return data_table(f"{ID}-breaches-rows", columns, rows, caption="Breaches", nothing=nothing)


def changes_table(found: Sequence[Change], names: Mapping[str, str]) -> html.Div:
    """Return who set which limit when, what it was and is since then, the newest first."""
    columns = [
        Column("at", "When", numeric=False),
        Column("who", "Who", numeric=False),
        Column("portfolio", "Portfolio", numeric=False),
        Column("was", "Was", numeric=False),
        Column("now", "Is", numeric=False),
    ]
    rows = [_change(each, names) for each in found]
    nothing = "Nobody has set a limit here yet."
    return data_table(f"{ID}-changes-rows", columns, rows, caption="Changes of limits", nothing=nothing)


def limit_text(limit: PortfolioLimit, currency: str = "") -> str:
    """Return a limit in words: what it is on and its value."""
    of = f" {text.cut(', '.join(limit.of), 60)}" if limit.of else ""
    if limit.figure == RESTRICTED:
        return f"{limit.about.title}:{of}"
    return f"{limit.about.title}{of} {limit.operator} {written(limit.value, limit.about.unit, currency)}"


def _row(each: Finding, ids: Ids, *, may_set: bool) -> dict[str, Any]:
    limit, status = each.limit, STATUS[each.state]
    currency, unit = each.portfolio.currency, limit.about.unit
    is_hidden = _is_hidden(limit, ids)
    why = each.why if each.state is LimitState.UNKNOWN else ""
    counted = unit_of(unit, currency)
    value = Cell(text.NOT_AVAILABLE, math.nan, hint=why)
    if each.value is not None:
        value = Cell(written(each.value, unit, currency), each.value, unit=counted)
    return {
        "state": Cell(state_badge(status, WORDS[each.state]), hint=each.why),
        "portfolio": Cell(html.A(each.portfolio.name, href=_address(portfolio=_key(each.portfolio)))),
        "figure": _figure(each, note="" if is_hidden else limit.note),
        "value": value,
        "limit": Cell(bound(limit, currency), limit.value, unit=counted),
        "use": use_cell(each, status),
        "room": amount_cell(each.headroom, unit, currency, why),
        "money": amount_cell(each.headroom_money, Unit.MONEY, currency, why),
        "severity": limit.severity.word,
        "set": _set(limit, ids),
        **({"does": _does(each)} if may_set else {}),
    }


def _figure(each: Finding, note: str) -> Cell:
    about = each.limit.about
    title = html.Span(about.title)
    of = part_of(each)
    part: list[Any] = []
    if of and about.key == RESTRICTED:
        held = f"held or bought: {text.cut(each.of, 60)}" if each.value else ""
        title = html.Span(f"{about.title}: {of}")
        part = [html.Br(), html.Span(held, className="fw-tone-muted")] if held else []
    elif of and about.cut == "instrument":
        part = [" ", _instrument(each.portfolio, of)]
    elif of:
        part = [" ", of]
    reason = each.why.partition(f"{NOT_KNOWN}: ")[2] if each.state is LimitState.UNKNOWN else ""
    unknown = [html.Br(), html.Span(f"{NOT_KNOWN}: {reason}", className="fw-tone-muted")] if reason else []
    said = [html.Br(), html.Span(note, className="fw-tone-muted")] if note else []
    return Cell(
        html.Div([title, *part, *unknown, *said]), sort=f"{about.title} {of}", hint=about.meaning, mark="fw-wraps"
    )


def part_of(each: Finding) -> str:
    """Return what of the figure a limit is on or nearest to; of a restricted list the whole list, whatever is held."""
    if each.limit.figure == RESTRICTED:
        return text.cut(", ".join(each.limit.of), 60)
    return each.of or ", ".join(each.limit.of)


def bound(limit: PortfolioLimit, currency: str) -> str:
    """Return what a limit allows, such as "≤ 25.0 %"."""
    if limit.figure == RESTRICTED:
        return "none held"
    sign = "≤" if limit.operator == "at most" else "≥"
    return f"{sign} {written(limit.value, limit.about.unit, currency)}"


def use_cell(each: Finding, status: Status) -> Cell:
    """Return how much of a limit is used, with a bar."""
    use = each.use
    if math.isnan(use):
        return Cell(text.NOT_AVAILABLE, math.nan, hint=each.why)
    shown = "∞" if math.isinf(use) else text.percent(use)
    level = html.Span(bar(use, f"{shown} of its limit"), className=f"fw-level-{status.value}")
    return Cell([level, " ", shown], sort=use, mark="fw-of-limit")


def amount_cell(value: float, unit: Unit, currency: str, why: str) -> Cell:
    """Return an amount of a figure; why: it is not known."""
    if math.isnan(value):
        return Cell(None, math.nan, hint=why)
    return Cell(written(value, unit, currency), value, unit=unit_of(unit, currency))


def _set(limit: PortfolioLimit, ids: Ids) -> Cell:
    if _is_hidden(limit, ids):
        return Cell(SET_ABOVE, tone="muted")
    of = "every portfolio" if limit.portfolio == EVERY else f"{limit.portfolio}{' and below' if limit.below else ''}"
    if not limit.is_set_here:
        return Cell(f"settings, of {of}" if not limit.id.startswith("sample") else "sample", tone="muted")
    when = local_time(limit.at)
    return Cell(
        html.Div([f"{limit.who}, of {of}, ", when]), sort=limit.at, hint=f"version {limit.version}", mark="fw-wraps"
    )


def _does(each: Finding) -> Any:
    limit = each.limit
    if not limit.is_set_here:
        return None
    edit = html.A("Change", href=_address(portfolio=_key(each.portfolio), limit=limit.id),
                  className="fw-choice-button", title=f"Change {limit_text(limit)}", **needing(Role.ADMIN))  # fmt: skip
    remove = form(
        f"{PATH}/delete", hidden("id", limit.id), id=f"{ID}-delete-{limit.id}-{each.portfolio.id}", does="Delete",
        question=f"Delete the limit {limit_text(limit)} of {limit.portfolio or 'every portfolio'}? It holds no more.",
        is_dangerous=True, role=Role.ADMIN, label=f"Delete {limit_text(limit)}",
    )  # fmt: skip
    return html.Div([edit, remove], className="fw-row-does")


def _breach(each: Breach, portfolios: Mapping[str, Portfolio], now: float) -> dict[str, Any]:
    portfolio = portfolios.get(each.portfolio)
    currency, unit = portfolio.currency if portfolio else "", each.limit.about.unit
    ended = each.ended_at
    badge = state_badge(Status.CRITICAL, "broken") if ended is None else state_badge(Status.OK, "over")
    over: Cell = Cell("goes on") if ended is None else Cell(local_time(ended), sort=ended, hint=each.ended_why)
    lasted = max((now if ended is None else ended) - each.began_at, 0.0)
    return {
        "state": Cell(badge, hint=each.ended_why),
        "portfolio": portfolio.name if portfolio else each.portfolio,
        "figure": Cell(limit_text(each.limit, currency).split(" at ")[0], mark="fw-wraps"),
        "limit": Cell(bound(each.limit, currency), each.limit.value, unit=unit_of(unit, currency)),
        "began": Cell(local_time(each.began_at), sort=each.began_at, hint=written(each.value, unit, currency)),
        "lasted": Cell(text.coarse_duration(lasted), lasted),
        "worst": Cell(written(each.worst, unit, currency), each.worst, unit=unit_of(unit, currency)),
        "what": whole_cell(each.what),
        "ended": over,
    }


def _change(each: Change, names: Mapping[str, str]) -> dict[str, Any]:
    limit = each.now or each.was
    portfolio = limit.portfolio if limit else EVERY
    return {
        "at": Cell(local_time(each.at), sort=each.at),
        "who": each.who,
        "portfolio": names.get(portfolio, portfolio) or "every one",
        "was": whole_cell(_told(each.was) if each.was else None),
        "now": whole_cell(_told(each.now) if each.now else "deleted"),
    }


def _told(limit: PortfolioLimit) -> str:
    more = [limit.severity.word, f"warns at {text.percent(limit.warn_ratio)}"]
    if limit.below:
        more.append("and below")
    if limit.note:
        more.append(limit.note)
    return f"{limit_text(limit)} ({', '.join(more)})"


def _is_hidden(limit: PortfolioLimit, ids: Ids) -> bool:
    return ids is not None and limit.portfolio not in ids and limit.portfolio != EVERY


def _instrument(portfolio: Portfolio, symbol: str) -> Any:
    return html.A(symbol, href=f"/portfolio/holdings?{urlencode({'portfolio': _key(portfolio), 'instrument': symbol})}")


def _key(portfolio: Portfolio) -> str:
    return f"{portfolio.origin}:{portfolio.id}"


def _address(**choices: str) -> str:
    return f"{PATH}?{urlencode(choices)}"
