"""The portfolios of the Overview: a row each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import urlencode

from dash import html

from core import format as text
from core.limits import on_scale
from core.model import Status
from core.readiness import Checks, ReadinessCheck, State
from dashboard.components.age import age
from dashboard.components.card import bar, state_badge
from dashboard.components.spark import spark
from dashboard.components.table import Cell, Column, data_table, or_none
from dashboard.portfolio.cards import LAST, last_title
from portfolio.glance import Glance
from portfolio.headlines import Compared
from status.readiness import Readiness
from storage.state.portfolios import OWN

ROWS = "overview-portfolios-rows"
INDENT = "\u2003"
BEFORE_LAST = (
    Column("name", "Portfolio", numeric=False, definition="By it the table is in the order of the tree"),
    Column("state", "Trading", numeric=False, definition="Whether all checks of it are ready"),
    Column("value", "Value", definition="Net asset value at its last value, in its currency"),
)
AFTER_LAST = (
    Column("month", "MTD %", definition="Since the last value of the month before", unit="ratio"),
    Column("year", "YTD %", definition="Since the last value of the year before", unit="ratio"),
    Column(
        "drawdown",
        "Drawdown now",
        definition="Index below its running maximum, and how much of the limit that is",
        unit="ratio",
    ),
    Column("sharpe", "Sharpe 1y", definition="Of a year to the last value"),
    Column("course", "60 values", numeric=False, definition="Growth over the newest 60 values"),
    Column("age", "Age", definition="Of the last value; of a sample and of what has ended its day"),
)


def portfolio_table(found: Sequence[Glance], safe: Readiness, limits: Mapping[str, float]) -> html.Div:
    """Return a row a portfolio, each before its parts, first what is in trouble or has a part that is.

    limits: on the drawdown of each by id, as a share.
    """
    places = {each.key: float(at) for at, each in enumerate(found)}
    ordered = troubled_first(found, {each.key for each in found if _is_troubled(each, safe)})
    is_mixed = len({each.figures.rhythm for each in found if each.figures.last_day}) > 1
    rows = [_row(each, safe, limits, places[each.key], says_rhythm=is_mixed) for each in ordered]
    title = last_title(each.figures.rhythm for each in found if each.figures.last_day)
    last = Column("day", f"{title} %", definition="Time-weighted return since the value before the last", unit="ratio")
    return data_table(ROWS, (*BEFORE_LAST, last, *AFTER_LAST), rows, caption="Portfolios")


def troubled_first(found: Sequence[Glance], troubled: AbstractSet[str], depth: int = 0) -> list[Glance]:
    """Return portfolios in the order of their tree, at each level first those with one of `troubled` (keys) in them."""
    families: list[list[Glance]] = []
    for each in found:
        if each.depth <= depth or not families:
            families.append([])
        families[-1].append(each)
    families.sort(key=lambda family: troubled.isdisjoint(each.key for each in family))
    return [
        each
        for head, *below in families
        for each in (head, *(troubled_first(below, troubled, depth + 1) if below else ()))
    ]


def _is_troubled(each: Glance, safe: Readiness) -> bool:
    is_watched = each.portfolio.origin == OWN and not each.has_ended
    return is_watched and not safe.of(each.portfolio.id).is_safe


def _row(
    each: Glance, safe: Readiness, limits: Mapping[str, float], place: float, *, says_rhythm: bool
) -> dict[str, Cell | None]:
    """Return the cells of a portfolio; says_rhythm: whether others are valued more or less often."""
    portfolio, figures = each.portfolio, each.figures
    link = html.A(portfolio.name, href=f"/portfolio?{urlencode({'portfolio': each.key})}")
    mark = [] if portfolio.origin == OWN else [" ", html.Span(portfolio.origin, className="fw-mark")]
    value = text.money(figures.value, portfolio.currency) if math.isfinite(figures.value) else None
    return {
        "name": Cell([INDENT * each.depth, link, *mark], sort=place, hint=portfolio.note),
        "state": _state(each, safe),
        "value": Cell(value, sort=figures.value, unit=portfolio.currency),
        "day": _return(figures.day, LAST[figures.rhythm].lower() if says_rhythm else ""),
        "month": _return(figures.month),
        "year": _return(figures.year),
        "drawdown": _drawdown(each, limits),
        "sharpe": Cell(or_none(text.ratio(figures.sharpe)), sort=figures.sharpe, hint=figures.why_no_sharpe),
        "course": Cell(spark(figures.index, label=f"{portfolio.name}: growth") if len(figures.index) > 1 else None),
        "age": _age(each),
    }


def _state(each: Glance, safe: Readiness) -> Cell:
    if each.portfolio.origin != OWN:
        return Cell("not traded", tone="muted", hint="It is no money of the fund")
    if each.has_ended:
        return Cell("ended", tone="muted")
    answer = safe.of(each.portfolio.id)
    is_known = not safe.unknown and each.portfolio.id in safe.portfolios
    word = "safe" if answer.is_safe else "not safe" if is_known else "unknown"
    badge = state_badge(Status.OK if answer.is_safe else Status.CRITICAL, word)
    broken = next((one for one in safe.checks if _is_broken_limit(one, each.portfolio.id)), None)
    said = [" ", html.A("limit", href=broken.where, title="A limit is broken")] if broken is not None else []
    return Cell([badge, *said], sort=float(answer.is_safe), hint="; ".join(answer.reasons))


def _is_broken_limit(check: ReadinessCheck, portfolio: str) -> bool:
    return check.portfolio == portfolio and check.check == Checks.LIMITS and check.state == State.NOT_READY


def _return(found: Compared, of: str = "") -> Cell:
    """Return the cell of a return; of: what it is of, where the column does not say so."""
    if not math.isfinite(found.own):
        return Cell(None, hint=found.reason)
    sign = "gain" if found.own > 0 else "loss" if found.own < 0 else ""
    arrow = {"gain": "▲ ", "loss": "▼ "}.get(sign, "")
    shown = text.percent(found.own, signed=True).removesuffix(" %")
    said = [f"{arrow}{shown}", html.Span(f" {of}", className="fw-muted")] if of else f"{arrow}{shown}"
    return Cell(said, sort=found.own, tone=sign, hint=found.told)


def _drawdown(each: Glance, limits: Mapping[str, float]) -> Cell:
    depth = each.figures.drawdown.depth
    if not math.isfinite(depth):
        return Cell(None)
    if each.portfolio.origin != OWN:
        return Cell(text.percent(depth), sort=depth, hint="It is no money of the fund and has no limit")
    limit = limits.get(each.portfolio.id)
    if limit is None:
        return Cell(text.percent(depth), sort=depth, hint="It has no limit")
    share = -depth / limit
    told = f"{text.percent(share)} of its limit, {text.percent(-limit)}"
    level = html.Span(bar(share, told), className=f"fw-level-{on_scale(share).value}")
    return Cell([level, " ", text.percent(depth)], sort=depth, hint=told, mark="fw-of-limit")


def _age(each: Glance) -> Cell:
    figures = each.figures
    if not figures.last_day:
        return Cell("no value yet", tone="muted")
    if figures.newest is None:
        return Cell(figures.last_day, sort=figures.last_day, tone="muted")
    newest = figures.newest
    shown = age(newest.known_at, newest.stale_after_seconds)
    return Cell(shown, sort=newest.known_at, hint=f"value of {figures.last_day}")
