"""How well a portfolio's orders were carried out, what that cost, and what it cost while something was broken.

Of a fund it is the orders of all portfolios below it. What is not known is NaN and its reason is told; it is never
guessed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.calendar import Dates
from analytics.comparison import Moments, WeightedMoments, mean_of, weighted_mean_of
from analytics.execution import BASIS_POINTS, cost_drag, turnover
from analytics.impact import ImpactFit, ImpactSums, square_root_impact_of
from analytics.orders import QUANTILES
from analytics.performance import anchor_day
from core.format import count, first_of, money
from portfolio.allowed import Limits
from portfolio.execution_model import (
    NO_PRICE_WITHIN_DAYS,
    NO_PRICE_WITHIN_ORDERS,
    Execution,
    Impact,
    Month,
    Outage,
    Part,
    Period,
    Point,
    Shortfall,
    Trading,
)
from portfolio.fund import Fund
from portfolio.given import said_of
from portfolio.histories import fund, kept
from portfolio.outage import Band, within
from portfolio.session_zone import session_zone
from storage.clickhouse.reads.execution import (
    PLACE,
    DayTraded,
    Floats,
    Group,
    Leg,
    Step,
    latencies_of,
    order_sums,
    reasons_told,
    span_told,
    traded_by_day,
    volatilities,
)
from storage.clickhouse.reads.intervals import interval_sums, priced_within_days
from storage.clickhouse.reads.orders_worked import Asked, By
from storage.state.series import list_series

if TYPE_CHECKING:
    from portfolio.query import PortfolioQuery
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

NOBODY_SAID = "not told"
FEWEST_PRICES = 20
"""Daily returns that an instrument's volatility takes."""
VOLATILITY_DAYS = 365
MOST_DAYS, MOST_WEEKS = 45, 400
"""Days of a window of which each day, or each week, is told; of a longer one months."""
YEAR_DAYS = 365.25
UNKNOWN = math.nan
NO_SUMS = (0.0,) * 5
Days = tuple[np.datetime64, np.datetime64]
"""First and last day of a window."""


def execution(
    stores: Stores, portfolio: Portfolio, limits: Limits, query: PortfolioQuery, by: By, bands: Sequence[Band] = ()
) -> Execution | None:
    """Return how orders sent in the query's window were carried out; None: there is none up to its last day.

    bands: when something was broken (portfolio.outage). Raises StorageUnavailable or StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    ids = {portfolio.id: portfolio.currency, **_below(whole, portfolio.id)}
    told = kept(
        stores, ("execution span", portfolio.origin, *ids),
        lambda: span_told(stores.clickhouse, portfolio.origin, list(ids)),
    )  # fmt: skip
    days = _days(told, query)
    if told is None or days is None:
        return None
    start, end = (int(day.astype("datetime64[s]").astype(np.int64)) for day in (days[0], days[1] + 1))
    inside = within(bands, start, end)
    name = ("execution", portfolio.origin, portfolio.id, *ids, str(days[0]), str(days[1]), by, repr(inside))
    return kept(stores, name, lambda: _worked(stores, portfolio, whole, ids, days, by, inside, told[1]))


def _worked(
    stores: Stores, portfolio: Portfolio, whole: Fund, ids: Mapping[str, str], days: Days,
    by: By, bands: tuple[Band, ...], newest: int,
) -> Execution:  # fmt: skip
    clickhouse, origin = stores.clickhouse, portfolio.origin
    start, end = (int(day.astype("datetime64[s]").astype(np.int64)) for day in (days[0], days[1] + 1))
    about = list_series(stores.state, origin)
    zone, step = session_zone(portfolio), _step(days)
    asked = Asked(
        origin, ids, start, end, portfolio.currency, {each.symbol: each.currency for each in about if each.currency},
        {each.symbol: each.multiplier for each in about if each.multiplier != 1}, bands=bands, zone=zone,
    )  # fmt: skip
    traded = traded_by_day(clickhouse, asked)
    asked = _with_rates(asked, whole, days, {each.currency for each in traded})
    volumes = {each.symbol: each.daily_volume for each in about if each.daily_volume}
    day = int(days[1].astype(np.int64))
    spread = (
        volatilities(clickhouse, origin, list(volumes), day - VOLATILITY_DAYS, day, FEWEST_PRICES) if volumes else {}
    )
    sized = [name for name in volumes if spread.get(name, 0.0) > 0]
    asked = replace(
        asked, volumes={name: volumes[name] for name in sized},
        roots={name: spread[name] * BASIS_POINTS / math.sqrt(volumes[name]) for name in sized},
    )  # fmt: skip
    groups = order_sums(clickhouse, asked, step, by)
    of_periods = [each for each in groups if each.of == "period"]
    all_sums = _added(of_periods)
    history = whole.history(portfolio.id, said_of(portfolio)).nav
    inside_window = (history.dates >= days[0]) & (history.dates <= days[1])
    all_orders = _part("All", all_sums)
    trading = _trading(
        traded, asked, history.dates[inside_window], history.value[inside_window], all_orders.arrival_lost
    )
    names = {id: whole.tree[id].name if id in whole.tree else id for id in ids}
    legs = tuple(latencies_of(clickhouse, asked, QUANTILES))
    priced = priced_within_days(clickhouse, asked)
    compared, moments = interval_sums(clickhouse, asked, priced) if priced else (0, NO_SUMS)
    return Execution(
        portfolio=portfolio, first=days[0], last=days[1], newest=min(newest, end - 1), zone=zone, by=by, step=step,
        whole=all_orders, parts=_parts(groups, by, names), periods=_periods(of_periods), legs=legs,
        reasons=tuple(reasons_told(clickhouse, asked)),
        interval=weighted_mean_of(WeightedMoments(compared, *moments)),
        no_interval="" if compared else NO_PRICE_WITHIN_ORDERS if priced else NO_PRICE_WITHIN_DAYS,
        impact=_impact(groups, all_sums, volumes),
        trading=trading,
        outage=_outage(of_periods, bands), told=_told(all_sums, trading, legs, asked, traded), names=names,
    )  # fmt: skip


def _below(whole: Fund, id: str) -> dict[str, str]:
    """Return the currency of each portfolio below one, by id."""
    found: dict[str, str] = {}
    for each in whole.parts(id):
        found |= {each.id: each.currency, **_below(whole, each.id)}
    return found


def _days(told: tuple[int, int] | None, query: PortfolioQuery) -> Days | None:
    """Return first and last day of the query's window among those that are told of; None: there is none."""
    if told is None:
        return None
    first, last = (np.datetime64(at, "s").astype("datetime64[D]") for at in told)
    last = last if query.as_of is None else min(last, query.as_of)
    if query.span is not None:
        begin, last = query.span[0], min(last, query.span[1])
    else:
        anchor = anchor_day(np.array([first, last - 1, last], dtype="datetime64[D]"), query.window)
        begin = anchor if query.window == "ITD" else anchor + 1
    begin = max(begin, first)
    return (begin, last) if begin <= last else None


def _step(days: Days) -> Step:
    length = int((days[1] - days[0]).astype(np.int64)) + 1
    return "day" if length <= MOST_DAYS else "week" if length <= MOST_WEEKS else "month"


def _with_rates(asked: Asked, whole: Fund, days: Days, traded: set[str]) -> Asked:
    """Return what is asked with what other currencies are worth, each day of the window."""
    others = sorted({*asked.currencies.values(), *asked.instruments.values(), *traded} - {asked.wanted, ""})
    if not others:
        return replace(asked, is_one_currency=True)
    every = np.arange(days[0], days[1] + 1)
    numbers = every.astype(np.int64).tolist()
    rates: dict[tuple[str, int], float] = {}
    for currency in others:
        found = whole.exchange().rates(currency, asked.wanted, every).tolist()
        rates |= {(currency, day): rate for day, rate in zip(numbers, found, strict=True) if rate == rate}
    return replace(asked, rates=rates)


def _added(groups: Sequence[Group]) -> Floats:
    return np.sum([each.sums for each in groups], axis=0) if groups else np.zeros(len(PLACE))


def _part(name: str, sums: Floats, key: str = "") -> Part:
    def of(what: str) -> float:
        return float(sums[PLACE[what]])

    def weighted(what: str) -> WeightedMoments:
        names = ("weight", "value", "weight_squares", "cross", "squares")
        return WeightedMoments(int(of(f"{what}_count")), *(of(f"{what}_{each}") for each in names))

    ordered, orders = of("ordered_quantity"), int(of("costed"))
    slipped = weighted("arrival")
    return Part(
        name=name, key=key, orders=int(of("orders")), ended=int(of("ended")), filled=int(of("filled")),
        rejected=int(of("rejected")), cancelled=int(of("cancelled")), expired=int(of("expired")),
        fill_ratio=of("filled_quantity") / ordered if ordered else UNKNOWN, traded=slipped.weight,
        arrival=weighted_mean_of(slipped), decision=weighted_mean_of(weighted("decision")),
        shortfall=Shortfall(
            orders, *(of(each) if orders else UNKNOWN for each in
                      ("paper", "delay", "impact", "missed", "explicit", "lost"))
        ),
        lost=Moments(orders, of("lost"), of("lost_squares")), slipped=slipped,
        arrival_lost=of("arrival_lost") if slipped.count else UNKNOWN,
    )  # fmt: skip


def _parts(groups: Sequence[Group], by: By, names: Mapping[str, str]) -> tuple[Part, ...]:
    labelled = [each for each in groups if each.of == "label"]
    if by == "size":
        labelled.sort(key=lambda each: float(each.label or "-inf"))
    elif by == "hour":
        labelled.sort(key=lambda each: each.label)
    found = [_part(_name(each.label, by, names), each.sums, each.label) for each in labelled]
    return tuple(found if by in ("size", "hour") else sorted(found, key=lambda each: (-each.traded, each.name)))


def _name(label: str, by: By, names: Mapping[str, str]) -> str:
    match by:
        case "strategy":
            return names.get(label, label)
        case "hour":
            return f"{label}:00"
        case "size" if label:
            return f"{money(10.0 ** int(label))} – {money(10.0 ** (int(label) + 1))}"
        case _:
            return label or NOBODY_SAID


def _periods(groups: Sequence[Group]) -> tuple[Period, ...]:
    by_day: dict[int, list[Group]] = defaultdict(list)
    for each in groups:
        by_day[each.period].append(each)
    return tuple(
        Period(np.datetime64(day, "D"), _part(str(np.datetime64(day, "D")), _added(by_day[day])))
        for day in sorted(by_day)
    )


def _impact(groups: Sequence[Group], sums: Floats, volumes: Mapping[str, float | None]) -> Impact:
    if not volumes:
        return Impact(None, (), "Needs daily_volume of the instruments: send it with them.")
    sized = int(sums[PLACE["sized"]])
    if not sized:
        return Impact(None, (), f"Needs {FEWEST_PRICES} daily prices of an instrument whose daily_volume is known.")
    names = ("x", "xx", "xxx", "xxxx", "y", "yy", "xy", "xyy", "xxy", "xxyy", "xxxy")
    fit = square_root_impact_of(ImpactSums(sized, *(float(sums[PLACE[f"impact_{name}"]]) for name in names)))
    if math.isnan(fit.coefficient):
        return Impact(None, (), "Needs three filled orders of different size.")
    classes = sorted((each for each in groups if each.of == "size"), key=lambda each: each.size_class)
    return Impact(fit, tuple(_point(each.sums, fit) for each in classes if each.sums[PLACE["sized"]]))


def _point(sums: Floats, fit: ImpactFit) -> Point:
    many = int(sums[PLACE["sized"]])
    x, y, squares, share = (float(sums[PLACE[f"impact_{name}"]]) for name in ("x", "y", "yy", "share"))
    return Point(share / many, mean_of(Moments(many, y, squares)), fit.intercept + fit.coefficient * x / many)


def _trading(traded: Sequence[DayTraded], asked: Asked, days: Dates, nav: Floats, slipped: float) -> Trading:
    """Return what was traded by month, and what that is of the net asset value: days and nav are the window's."""
    months: dict[np.datetime64, list[tuple[float, float]]] = defaultdict(list)
    costs = np.zeros(len(days))
    for each in traded:
        rate = 1.0 if each.currency == asked.wanted else asked.rates.get((each.currency, each.day), UNKNOWN)
        if math.isnan(rate):
            continue
        day, paid = np.datetime64(each.day, "D"), (each.commission + each.fees) * rate
        months[day.astype("datetime64[M]")].append(((each.bought + each.sold) * rate, paid))
        if len(days):  # what was paid after the last value, and on days without one, is that of the value before
            costs[max(int(np.searchsorted(days, day, side="right")) - 1, 0)] += paid
    found = []
    for month in sorted(months):
        of_month = nav[days.astype("datetime64[M]") == month]
        capital = float(of_month.mean()) if len(of_month) else UNKNOWN
        value, paid = (math.fsum(each) for each in zip(*months[month], strict=True))
        found.append(Month(month, value, paid, capital))
    whole, paid = math.fsum(each.traded for each in found), math.fsum(each.costs for each in found)
    years = (asked.end - asked.start) / 86_400 / YEAR_DAYS
    capital = float(nav.mean()) if len(nav) and (nav > 0).all() else UNKNOWN
    drag = cost_drag(costs, nav, len(days) / years) if not math.isnan(capital) else UNKNOWN
    return Trading(
        months=tuple(found), traded=whole, costs=paid, fills=sum(each.fills for each in traded),
        without_order=sum(each.without_order for each in traded),
        turnover_a_year=float(turnover(whole, capital)) / years, drag_a_year=drag,
        slippage_a_year=float(turnover(slipped, capital)) / years,
    )  # fmt: skip


def _outage(groups: Sequence[Group], bands: tuple[Band, ...]) -> Outage | None:
    if not bands:
        return None
    inside, outside = (_added([each for each in groups if each.is_inside is wanted]) for wanted in (True, False))
    return Outage(bands, _part("inside", inside), _part("outside", outside))


def _told(
    sums: Floats, trading: Trading, legs: Sequence[Leg], asked: Asked, traded: Sequence[DayTraded]
) -> tuple[str, ...]:
    """Return what is left out of the figures, and why."""

    def orders(name: str) -> str:
        many = sums[PLACE[name]]
        return count(many, "order") if many else ""

    said = []
    if missing := orders("without_arrival"):
        said.append(f"{missing} without arrival_price: left out of slippage against arrival and of shortfall.")
    if missing := orders("without_decision"):
        said.append(f"{missing} without decision_price: left out of slippage against the decision and of shortfall.")
    if missing := orders("without_close"):
        said.append(f"{missing} that ended unfilled on a day without a price of the instrument: left out of shortfall.")
    if missing := orders("sent_again"):
        said.append(f"{missing} came to nothing and were sent again: what they missed is told of the later ones.")
    if trading.without_order:
        said.append(f"{count(trading.without_order, 'fill')} of no known order: counted in turnover and costs alone.")
    if backward := sum(each.backward for each in legs):
        said.append(f"{count(backward, 'order')} with a time before that of the step before: left out of latencies.")
    days = {(each.currency, each.day) for each in traded if each.currency != asked.wanted}
    unrated = sorted({currency for currency, day in days if (currency, day) not in asked.rates})
    if unrated or sums[PLACE["without_rate"]]:
        said.append(
            f"There is no rate for {first_of(unrated) or 'a currency'}: its orders and trades have no value here."
        )
    return tuple(said)
