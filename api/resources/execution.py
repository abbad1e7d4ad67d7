"""How well a portfolio's orders were carried out: in all, and by strategy, venue, instrument, hour, size or broker."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from analytics.comparison import Estimate
from analytics.orders import QUANTILES
from analytics.performance import Window
from api.models import Aged, Answered, Number, Page, aged
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.portfolios import DAY, ID, datasets, finite, portfolio_of
from api.problem import Refused, none_of
from api.readings import components
from core.alerts.spec import HISTORY
from core.clock import DAY_SECONDS
from core.events import component_title
from core.settings.model import Settings
from portfolio.execution import execution
from portfolio.execution_model import Execution, Part
from portfolio.incidents import Fired, fired_events
from portfolio.outage import ANY, Band, bands_of, broken, components_of
from portfolio.query import PortfolioQuery
from status.alerts import alerts_now
from storage.clickhouse.reads.orders_worked import By
from storage.state.portfolios import NOT_TRADED

if TYPE_CHECKING:
    from storage.state.events import Event

TAG = "Portfolios"
BASIS_POINTS, RATIO = "basis points", "ratio"
MONEY = ("traded", "paper", "delay", "impact", "opportunity", "explicit", "shortfall")

OF_ORDERS = ("fill_ratio", "paper", "delay", "impact", "opportunity", "explicit", "shortfall", "shortfall_basis_points")
"""Figures of whole orders."""


class OfOrders(Parameters):
    """Orders of which time, and what they are compared with."""

    window: Window | Literal[""] = Field("1Y", description="Days up to the newest order.")
    start: str = Field("", alias="from", pattern=DAY, description="First day instead of a window, as 2026-01-31.")
    end: str = Field("", alias="to", pattern=DAY, description="Last day; the newest when left out.")
    asof: str = Field("", pattern=DAY, description="The last day (UTC) that counts; the newest when left out.")
    component: str = Field(
        ANY, max_length=160, description="Id of the component whose outages count, as /components says; any of them."
    )


class OfGroupedOrders(Listed):
    """Orders of which time, added up by what."""

    window: Window | Literal[""] = Field("1Y", description="Days up to the newest order.")
    start: str = Field("", alias="from", pattern=DAY, description="First day instead of a window, as 2026-01-31.")
    end: str = Field("", alias="to", pattern=DAY, description="Last day; the newest when left out.")
    asof: str = Field("", pattern=DAY, description="The last day (UTC) that counts; the newest when left out.")
    by: By = Field(
        "strategy",
        description="What orders are added up by; by venue counts are of the orders that "
        "touched it, and only what was traded there and its slippage are told beside them.",
    )


class Sure(Answered):
    """A figure with its 95 % interval."""

    value: Number
    low: Number
    high: Number
    orders: int = Field(description="That it is worked out from.")


class OrderGroup(Answered):
    """Orders added up. Slippage is in basis points, above 0 where it cost."""

    group: str
    orders: int = Field(description="By venue those that touched it, as are all counts.")
    ended: int
    filled: int
    rejected: int
    cancelled: int
    expired: int
    fill_ratio: Number = Field(description="Filled over ordered quantity of those that ended; null by venue.")
    traded: Number = Field(description="Filled quantity at arrival price, in the portfolio's currency.")
    slippage_arrival: Number = Field(description="Against the price at arrival, by value.")
    slippage_arrival_low: Number = Field(description="End of its 95 % interval.")
    slippage_arrival_high: Number
    slippage_decision: Number = Field(description="Against the price of the decision, by value.")
    slippage_decision_low: Number
    slippage_decision_high: Number
    paper: Number = Field(
        description="Ordered quantity at the price of the decision, of ended orders. It and all below: null by venue."
    )
    delay: Number = Field(description="Shortfall from the decision to arrival, in the currency; above 0: it cost.")
    impact: Number = Field(description="Shortfall from arrival to the fills.")
    opportunity: Number = Field(description="Of what was not filled, to the close of the day on which the order ended.")
    explicit: Number = Field(description="Commission and fees.")
    shortfall: Number = Field(description="The four parts together.")
    shortfall_basis_points: Number = Field(description="Of paper.")


class LegTime(Answered):
    """How long a leg of an order's way took."""

    leg: str
    orders: int
    p50_seconds: Number
    p95_seconds: Number
    p99_seconds: Number


class Reason(Answered):
    """Why orders came to nothing."""

    status: str
    reason: str
    orders: int


class ImpactCurve(Answered):
    """slippage = intercept + coefficient · σ √(quantity / ADV), in basis points, fitted to all orders of known size."""

    coefficient: Number
    coefficient_error: Number
    low: Number
    high: Number
    intercept: Number
    intercept_error: Number
    r_squared: Number
    orders: int
    missing: str = Field(description="What a fit needs; empty where there is one.")


class OutageCost(Answered):
    """Orders sent while something was broken, beside all others."""

    seconds: int = Field(description="How long it was broken.")
    inside: OrderGroup
    outside: OrderGroup
    slippage_difference: Sure = Field(description="Basis points, inside less outside.")
    rejected_difference: Sure = Field(description="Of the share of rejected orders.")
    filled_difference: Sure = Field(description="Of the share of filled orders.")
    cost: Sure = Field(description="What the orders inside cost more than as many outside, in the currency.")
    is_compared: bool = Field(description="Whether both sides have orders enough to say anything.")


class ExecutionQuality(Aged):
    """How orders were carried out."""

    first_day: str
    last_day: str
    currency: str
    whole: OrderGroup | None
    slippage_interval: Sure | None = Field(
        description="Against the mean of the prices told between sending and last fill (TWAP): the market's volumes, "
        "which a VWAP takes, no kind of rows tells."
    )
    no_interval: str = Field("", description="Why no order has one; empty: some have.")
    reasons: list[Reason]
    latencies: list[LegTime]
    impact: ImpactCurve | None
    turnover_a_year: Number = Field(description="Bought and sold over the mean net asset value.")
    cost_drag_a_year: Number = Field(description="Commission and fees over the net asset value: ratio a year.")
    slippage_a_year: Number = Field(description="Slippage against arrival over the net asset value: ratio a year.")
    outage: OutageCost | None = Field(description="null: nothing asked for was broken in the window.")
    told: list[str] = Field(description="What is left out, a sentence each.")


def _whole(ask: Ask[OfOrders]) -> ExecutionQuality:
    fired = fired_events(ask.stores, ask.viewer.portfolios, alerts_now(ask.stores).firing)
    bands = bands_of(fired, ask.query.component, ask.now)
    found = _read(ask, ask.query, "strategy", bands)
    if found is None:
        return ExecutionQuality(
            first_day="", last_day="", currency=portfolio_of(ask).currency, whole=None,
            slippage_interval=None, reasons=[], latencies=[],
            impact=None, turnover_a_year=None, cost_drag_a_year=None, slippage_a_year=None, outage=None,
            told=["No orders or trades were told."], **_age(ask, None).model_dump(),
        )  # fmt: skip
    start, end = (int(day.astype("datetime64[s]").astype(np.int64)) for day in (found.first, found.last))
    there = components_of(fired, start, end + DAY_SECONDS)
    unbroken = _unbroken(ask, fired, there)
    fit = found.impact.fit
    curve = ImpactCurve(
        coefficient=finite(fit.coefficient) if fit else None, coefficient_error=fit and finite(fit.coefficient_error),
        low=fit and finite(fit.low), high=fit and finite(fit.high), intercept=fit and finite(fit.intercept),
        intercept_error=fit and finite(fit.intercept_error), r_squared=fit and finite(fit.r_squared),
        orders=fit.observations if fit else 0, missing=found.impact.why,
    )  # fmt: skip
    return ExecutionQuality(
        first_day=str(found.first), last_day=str(found.last), currency=found.portfolio.currency,
        whole=_group(found.whole), slippage_interval=_sure(found.interval), impact=curve,
        no_interval=found.no_interval,
        outage=_outage(found), told=[*found.told, *unbroken],
        reasons=[Reason(status=status, reason=reason, orders=many) for status, reason, many in found.reasons],
        latencies=[
            LegTime(leg=each.name, orders=each.count,
                    **{f"p{round(100 * level)}_seconds": finite(value)
                       for level, value in zip(QUANTILES, each.quantiles, strict=True)})
            for each in found.legs
        ],
        turnover_a_year=finite(found.trading.turnover_a_year), cost_drag_a_year=finite(found.trading.drag_a_year),
        slippage_a_year=finite(found.trading.slippage_a_year), **_age(ask, found).model_dump(),
    )  # fmt: skip


def _unbroken(ask: Ask[OfOrders], fired: Sequence[tuple[Fired, Event]], there: Container[str]) -> list[str]:
    """Return the sentence about a component that was not broken. Raises Refused for one that there is not."""
    asked = ask.query.component
    if asked == ANY or asked in there:
        return []
    watched = {each.id for each in components(ask.stores, ask.now, ask.viewer.portfolios)}
    known = sorted(watched | {event.component for _, event in broken(fired)})
    if asked not in known:
        raise none_of("component", asked, [ANY, *known])
    return [f"{component_title(asked)} was not broken in these days."]


def _groups(ask: Ask[OfGroupedOrders]) -> Page[OrderGroup]:
    found = _read(ask, ask.query, ask.query.by, ())
    rows = sorted(((each.name, each.key, each) for each in found.parts), key=lambda row: row[:2]) if found else []
    part, following = part_of(rows, lambda row: row[:2], ask.begins)
    slippage = [name for name in OrderGroup.model_fields if name.startswith("slippage")]
    units = {
        "fill_ratio": RATIO, **dict.fromkeys(MONEY, portfolio_of(ask).currency),
        **dict.fromkeys((*slippage, "shortfall_basis_points"), BASIS_POINTS),
    }  # fmt: skip
    told = _of_venue if ask.query.by == "venue" else _group
    return Page[OrderGroup](
        items=[told(each) for _, _, each in part], next=following, units=units,
        told=list(found.told) if found else ["No orders or trades were told."], **_age(ask, found).model_dump(),
    )  # fmt: skip


def _read(
    ask: Ask[OfOrders] | Ask[OfGroupedOrders], asked: OfOrders | OfGroupedOrders, by: By, bands: tuple[Band, ...]
) -> Execution | None:
    texts = {"window": asked.window, "from": asked.start, "to": asked.end, "asof": asked.asof}
    query, problems = PortfolioQuery.parse(texts)
    if problems:
        field = "asof" if problems[0].startswith("As of") else "from"
        raise Refused(422, problems[0], field=field, fix="Write days such as 2026-01-31, in order.")
    return execution(ask.stores, portfolio_of(ask), ask.viewer.portfolios, query, by, bands)


def _group(each: Part) -> OrderGroup:
    cost = each.shortfall
    return OrderGroup(
        group=each.name, orders=each.orders, ended=each.ended, filled=each.filled, rejected=each.rejected,
        cancelled=each.cancelled, expired=each.expired, fill_ratio=finite(each.fill_ratio), traded=finite(each.traded),
        slippage_arrival=finite(each.arrival.value), slippage_arrival_low=finite(each.arrival.low),
        slippage_arrival_high=finite(each.arrival.high), slippage_decision=finite(each.decision.value),
        slippage_decision_low=finite(each.decision.low), slippage_decision_high=finite(each.decision.high),
        paper=finite(cost.paper), delay=finite(cost.delay), impact=finite(cost.impact), opportunity=finite(cost.missed),
        explicit=finite(cost.explicit), shortfall=finite(cost.total),
        shortfall_basis_points=finite(cost.in_basis_points(cost.total)),
    )  # fmt: skip


def _of_venue(each: Part) -> OrderGroup:
    """Return what a venue did; an order is on several, so that its fill rate and shortfall belong to none."""
    return _group(each).model_copy(update=dict.fromkeys(OF_ORDERS))


def _sure(found: Estimate) -> Sure:
    return Sure(value=finite(found.value), low=finite(found.low), high=finite(found.high), orders=found.count)


def _outage(found: Execution) -> OutageCost | None:
    one = found.outage
    if one is None:
        return None
    return OutageCost(
        seconds=one.seconds, inside=_group(one.inside), outside=_group(one.outside),
        slippage_difference=_sure(one.slippage), rejected_difference=_sure(one.rejects),
        filled_difference=_sure(one.fills), cost=_sure(one.cost), is_compared=one.is_compared,
    )  # fmt: skip


def _age(ask: Ask[OfOrders] | Ask[OfGroupedOrders], found: Execution | None) -> Aged:
    portfolio = portfolio_of(ask)
    source = f"orders and trades, {portfolio.origin}"
    if portfolio.origin in NOT_TRADED or found is None:
        return Aged(source=source)
    return aged(float(found.newest), ask.now, None, source)


def _datasets(settings: Settings) -> tuple[str, ...]:
    return (*datasets(settings), HISTORY)


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/execution", summary="How well orders were carried out, and what outages cost.",
        answer=_whole, model=ExecutionQuality, query=OfOrders, tag=TAG, parts=ID, datasets=_datasets,
    ),
    Operation(
        path="/portfolios/{id}/execution/groups", summary="Slippage, fills and shortfall of orders by group.",
        answer=_groups, model=Page[OrderGroup], query=OfGroupedOrders, tag=TAG, parts=ID, datasets=datasets,
    ),
)  # fmt: skip
