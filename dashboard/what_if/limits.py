"""Limits before and after trades that are thought of, and the line that names what they would breach."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from core.portfolio_limits.figures import RESTRICTED, unit_of, written
from core.portfolio_limits.limit import LimitState
from dashboard.components.card import state_badge, verdict
from dashboard.components.table import Cell, Column, data_table
from dashboard.limits.tables import STATUS, WORDS, amount_cell, bound, limit_text, part_of, use_cell
from portfolio.limits.judge import Finding
from portfolio.limits.tried import LimitTried

ROWS = "what-if-limits-rows"
COLUMNS = (
    Column("state", "After", numeric=False, definition="How the limit would stand after the trades"),
    Column("portfolio", "Portfolio", numeric=False, definition="Whose limit it is: of this one, or of one above it"),
    Column("figure", "Limit on", numeric=False, definition="The figure, and what of it would be nearest to its limit"),
    Column("limit", "Limit"),
    Column("before", "Value before", definition="Of what is held now"),
    Column("after", "Value after"),
    Column("use_before", "Use before", definition="Value over limit", unit="ratio"),
    Column("use", "Use after", definition="Value over limit; the bar is full where the limit is reached", unit="ratio"),
    Column("room_before", "Headroom before", definition="What is left, in the unit of the figure"),
    Column("room", "Headroom after", definition="What would be left; below 0: beyond the limit"),
    Column("severity", "Severity", numeric=False, definition="From critical on a breach is not safe to trade"),
)


NOT_KNOWN = "How limits would stand is not known: nothing is left after the trades, or the portfolio has ended."


def breach_line(found: Sequence[LimitTried], chosen: str = "") -> list[html.Div]:
    """Return a line of the limits that the trades would break, and one of those that are not known after them.

    chosen: id of the portfolio whose trades they are; a limit of another one is told with its name.
    """

    broken, lost = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for each in found:
        after = each.after
        of = "" if after.portfolio.id == chosen else after.portfolio.name
        limit = limit_text(after.limit, after.portfolio.currency)
        if each.would_breach:
            broken[of].append(f"{limit}: {_after(after)}")
        if each.would_be_lost:
            lost[of].append(f"{limit}: {after.why}")
    lines = []
    if broken:
        told = [f"{f'Of {name} these trades' if name else 'These trades'} would breach {'; '.join(some)}."
                for name, some in broken.items()]  # fmt: skip
        lines.append(verdict(Status.CRITICAL, " ".join(told), word="would breach"))
    if lost:
        told = [f"Whether these{f' of {name}' if name else ''} hold after the trades is not known: {'; '.join(some)}."
                for name, some in lost.items()]  # fmt: skip
        lines.append(verdict(Status.UNKNOWN, " ".join(told), word="not known"))
    return lines


def limits_table(found: Sequence[LimitTried], *, is_known: bool) -> html.Div:
    """Return a row a limit, those that would be broken first. is_known: whether limits could be worked out."""
    nothing = "No limit is set that holds for this portfolio." if is_known else NOT_KNOWN
    return data_table(ROWS, COLUMNS, [_row(each) for each in found], caption="Limits before and after", nothing=nothing)


def limits_said(found: Sequence[LimitTried]) -> str:
    """Return how many limits there are, and how many would be broken."""
    broken = sum(each.would_breach for each in found)
    said = text.count(len(found), "limit") if found else ""
    return f"{said} · would breach {text.number(broken)}" if broken else said


def _row(each: LimitTried) -> dict[str, Any]:
    before, after = each.before, each.after
    limit, currency, unit = after.limit, after.portfolio.currency, after.limit.about.unit
    status = STATUS[after.state]
    is_other = bool(before.of and after.of) and before.of != after.of
    of = text.cut(f"{before.of} → {after.of}" if is_other else part_of(after), 60)
    colon = ":" if limit.figure == RESTRICTED else ""
    return {
        "state": Cell(state_badge(status, _word(each)), hint=after.why),
        "portfolio": Cell(text.cut(after.portfolio.name, 40), hint=after.portfolio.name),
        "figure": Cell(f"{limit.about.title}{colon} {of}".strip(), hint=limit.about.meaning, mark="fw-wraps"),
        "limit": Cell(bound(limit, currency), limit.value, unit=unit_of(unit, currency)),
        "before": _value(before),
        "after": _value(after),
        "use_before": _use(before),
        "use": use_cell(after, status),
        "room_before": amount_cell(before.headroom, unit, currency, _unknown(before)),
        "room": amount_cell(after.headroom, unit, currency, _unknown(after)),
        "severity": limit.severity.word,
    }


def _word(each: LimitTried) -> str:
    if each.would_breach:
        return "would breach"
    was_broken = each.before.state is LimitState.BREACHED
    if was_broken and each.after.state is not LimitState.UNKNOWN:
        return "stays broken" if each.after.state is LimitState.BREACHED else "no longer broken"
    return WORDS[each.after.state]


def _value(each: Finding) -> Cell:
    if each.value is None:
        return Cell(text.NOT_AVAILABLE, math.nan, hint=each.why)
    unit, currency = each.limit.about.unit, each.portfolio.currency
    return Cell(written(each.value, unit, currency), each.value, hint=each.of, unit=unit_of(unit, currency))


def _use(each: Finding) -> Cell:
    if math.isnan(each.use):
        return Cell(text.NOT_AVAILABLE, math.nan, hint=each.why)
    return Cell("∞" if math.isinf(each.use) else text.percent(each.use), each.use)


def _unknown(each: Finding) -> str:
    return each.why if each.state is LimitState.UNKNOWN else ""


def _after(each: Finding) -> str:
    """Return what would be beyond the limit."""
    if each.value is None or each.limit.about.unit.value == "count":
        return each.of
    value = written(each.value, each.limit.about.unit, each.portfolio.currency)
    return f"{each.of} {value}".strip() if not each.limit.of else value
