"""A portfolio's round trips, one by one and what they came to by group."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from analytics.performance import Window
from analytics.round_trips import TripFigures, by_side
from api.models import Aged, Answered, Number, Page, Time, age, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.portfolios import DAY, ID, datasets, finite, portfolio_of, refusal
from core.format import count, first_of
from portfolio.excursions import Excursion, excursions_of
from portfolio.matched_trips import Trip
from portfolio.query import PortfolioQuery
from portfolio.round_trips import Trips, trips_of

TAG = "Portfolios"
MONEY = ("open_price", "close_price", "local_profit")
FIGURES = ("profit", "expectancy", "best", "worst")


class OfTrips(Listed):
    """Closed when, of what."""

    window: Window | Literal[""] = Field("", description="Days up to the newest trade; ITD when left out.")
    start: str = Field("", alias="from", pattern=DAY, description="First day (UTC) of closing, instead of a window.")
    end: str = Field("", alias="to", pattern=DAY, description="Last day; that of the newest trade when left out.")
    asof: str = Field("", pattern=DAY, description="The last day that counts; the newest when left out.")
    instrument: str = Field("", max_length=64, description="Only of this symbol.")


class OfTripGroups(OfTrips):
    """Closed when, of what, put together by what."""

    by: Literal["instrument", "portfolio", "month", "side"] = Field(
        "instrument",
        description="What round trips are put together by; portfolio: by the strategy that orders name, else by it.",
    )


class ClosedTrip(Answered):
    """From the first unit in to the last one out, first in first out. What nobody can know is null."""

    portfolio: str = Field(description="Id of the portfolio that traded it: of a part, where a fund is asked for.")
    strategy: str = Field(description="That its orders name; empty: none but the portfolio.")
    instrument: str
    side: str = Field(description="long or short.")
    quantity: Number = Field(description="As after splits.")
    opened_at: Time
    closed_at: Time
    held_seconds: Number
    currency: str = Field(description="Of both prices and the local profit.")
    open_price: Number = Field(description="Mean by quantity, costs in it.")
    close_price: Number = Field(description="Mean by quantity, after costs.")
    profit: Number = Field(description="In the portfolio's currency, each side at the rate of its day.")
    local_profit: Number
    return_ratio: Number = Field(description="Local profit over what was put in.")
    adverse_ratio: Number = Field(description="MAE: against the holder at daily closes, over the opening price.")
    favourable_ratio: Number = Field(description="MFE: for the holder.")
    order_id: str = Field(description="Of the order that closed it; empty: it named none.")


class GroupOfTrips(Answered):
    """What round trips of known profit came to; the group All is all of them."""

    group: str
    round_trips: int
    won: int
    lost: int
    hit_ratio: Number
    payoff_ratio: Number = Field(description="Mean win over mean loss.")
    expectancy: Number = Field(description="Mean profit.")
    profit_factor: Number = Field(description="All that was won over all that was lost.")
    profit: Number
    held_seconds: Number = Field(description="Mean.")
    median_held_seconds: Number
    best: Number
    worst: Number


def _trips(ask: Ask[OfTrips]) -> Page[ClosedTrip]:
    found = _read(ask)
    rows = [(each.of.closed_seconds, place) for place, each in enumerate(found.trips)] if found else []
    part, following = part_of(rows, lambda row: row, ask.begins)
    shown = [found.trips[place] for _, place in part] if found else []
    gone = excursions_of(ask.stores, found.portfolio.origin, found.matched, shown) if found else []
    units = {
        "quantity": "count", "held_seconds": "seconds", "profit": portfolio_of(ask).currency,
        **dict.fromkeys(MONEY, "currency"), **dict.fromkeys(("return_ratio", "adverse_ratio", "favourable_ratio"),
                                                            "ratio"),
    }  # fmt: skip
    return Page[ClosedTrip](
        items=[_trip(*each) for each in zip(shown, gone, strict=True)], next=following, units=units,
        told=_told(found), **_age(ask, found).model_dump(),
    )  # fmt: skip


def _groups(ask: Ask[OfTripGroups]) -> Page[GroupOfTrips]:
    found = _read(ask)
    groups = sorted([*found.by(ask.query.by).items(), ("All", found.all())], key=lambda row: row[0]) if found else []
    part, following = part_of(groups, lambda row: (row[0],), ask.begins)
    units = {
        **dict.fromkeys(FIGURES, portfolio_of(ask).currency), "hit_ratio": "ratio", "payoff_ratio": "ratio",
        "profit_factor": "ratio", "held_seconds": "seconds", "median_held_seconds": "seconds",
    }  # fmt: skip
    return Page[GroupOfTrips](
        items=[_group(*each) for each in part], next=following, units=units, told=_told(found),
        **_age(ask, found).model_dump(),
    )  # fmt: skip


def _read(ask: Ask[OfTrips]) -> Trips | None:
    asked = {name: getattr(ask.query, field) for name, field in (
        ("window", "window"), ("from", "start"), ("to", "end"), ("asof", "asof"))}  # fmt: skip
    query, problems = PortfolioQuery.parse(asked)
    if problems:
        raise refusal(problems[0])
    return trips_of(ask.stores, portfolio_of(ask), ask.viewer.portfolios, query, ask.query.instrument)


def _trip(each: Trip, gone: Excursion) -> ClosedTrip:
    trip = each.of
    return ClosedTrip(
        portfolio=each.portfolio, strategy=each.strategy, instrument=each.about.symbol, side=by_side(trip),
        quantity=trip.quantity,
        opened_at=at(trip.opened_seconds), closed_at=at(trip.closed_seconds), held_seconds=trip.held_seconds,
        currency=each.currency, open_price=finite(each.open_price), close_price=finite(each.close_price),
        profit=finite(each.profit), local_profit=finite(trip.profit), return_ratio=finite(trip.return_ratio),
        adverse_ratio=finite(gone.adverse), favourable_ratio=finite(gone.favourable), order_id=trip.order,
    )  # fmt: skip


def _group(name: str, each: TripFigures) -> GroupOfTrips:
    told = asdict(each)
    numbers = {field: finite(told[field]) for field in (*FIGURES, "profit_factor", "held_seconds",
                                                        "median_held_seconds")}  # fmt: skip
    return GroupOfTrips(
        group=name, round_trips=each.count, won=each.won, lost=each.lost, hit_ratio=finite(each.hit_rate),
        payoff_ratio=finite(each.payoff), **numbers,
    )  # fmt: skip


def _told(found: Trips | None) -> list[str]:
    if found is None:
        return ["No trades were told."]
    matched = found.matched
    told = [f"There is no rate for {first_of(matched.no_rate)} on some days."] if matched.no_rate else []
    if found.unknown:
        told.append(f"{count(found.unknown, 'round trip')} of no known profit are in no figure.")
    if matched.left_out:
        told.append(matched.left_out_said)
    return [*told, *(f"{each}." for each in matched.refused)]


def _age(ask: Ask[OfTrips], found: Trips | None) -> Aged:
    newest = found.matched.newest if found else None
    source = f"trades, {portfolio_of(ask).origin}"
    return Aged(as_of=at(newest), age_seconds=age(newest, ask.now), source=source)


OPERATIONS = (
    Operation(
        path="/portfolios/{id}/round-trips", summary="Round trips, by the time of their closing, oldest first.",
        answer=_trips, model=Page[ClosedTrip], query=OfTrips, tag=TAG, parts=ID, datasets=datasets,
    ),
    Operation(
        path="/portfolios/{id}/round-trip-figures", summary="What round trips came to, by group and all together.",
        answer=_groups, model=Page[GroupOfTrips], query=OfTripGroups, tag=TAG, parts=ID, datasets=datasets,
    ),
)  # fmt: skip
