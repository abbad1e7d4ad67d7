"""Trades as round trips: counted, judged, and how far they went."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import book, round_trips
from analytics.transactions import Kind, Transaction


def fill(time: float, kind: Kind, quantity: float, price: float, symbol: str = "A", order: str = "") -> Transaction:
    return Transaction(time, kind, symbol, quantity, price, order=order)


FILLS = [
    fill(0, "buy", 100, 10.0),
    fill(10, "buy", 50, 11.0),
    fill(20, "sell", 60, 12.0, order="one"),
    fill(21, "sell", 60, 12.5, order="one"),
    fill(30, "sell", 40, 9.0),
    fill(40, "cover", 10, 10.0),
    fill(50, "short", 5, 20.0, "B"),
    fill(70, "cover", 5, 16.0, "B"),
]


def test_fills_of_an_order_close_one_round_trip_and_zero_parts_long_from_short() -> None:
    trips = round_trips.round_trips(book.build(FILLS).closed)
    assert [(trip.symbol, trip.side, trip.quantity) for trip in trips] == [
        ("A", 1, 120.0),
        ("A", 1, 30.0),
        ("A", -1, 10.0),
        ("B", -1, 5.0),
    ]
    first = trips[0]
    assert (first.opened_seconds, first.closed_seconds, first.held_seconds) == (0.0, 21.0, 21.0)
    assert (first.open_price, first.close_price) == (pytest.approx(1220 / 120), 12.25)
    assert [trip.profit for trip in trips] == pytest.approx([250.0, -60.0, -10.0, 20.0])
    assert first.return_ratio == pytest.approx(250 / 1220)


def test_figures_of_round_trips() -> None:
    trips = round_trips.round_trips(book.build(FILLS).closed)
    found = round_trips.figures(trips)
    assert (found.count, found.won, found.lost, found.hit_rate) == (4, 2, 2, 0.5)
    assert found.payoff == pytest.approx(135 / 35)
    assert found.expectancy == pytest.approx(50.0)
    assert found.profit_factor == pytest.approx(270 / 70)
    assert found.held_seconds == pytest.approx((21 + 20 + 10 + 20) / 4)
    assert (found.median_held_seconds, found.best, found.worst) == (20.0, pytest.approx(250.0), pytest.approx(-60.0))
    sides = {side: [trip for trip in trips if round_trips.by_side(trip) == side] for side in ("long", "short")}
    profits = {side: round_trips.figures(of).profit for side, of in sides.items()}
    assert profits == pytest.approx({"long": 190.0, "short": 10.0})
    assert math.isnan(round_trips.figures([trip for trip in trips if trip.symbol == "B"]).payoff)
    none = round_trips.figures([])
    assert (none.count, none.profit) == (0, 0.0)
    assert math.isnan(none.best)
    assert math.isnan(none.hit_rate)


def test_how_far_each_went_against_and_for_its_holder() -> None:
    trips = round_trips.round_trips(book.build(FILLS).closed)
    times, prices = [5.0, 15.0, 25.0, 35.0, 60.0], [8.0, 13.0, 9.0, 9.5, 25.0]
    found = round_trips.excursions([trip for trip in trips if trip.symbol == "A"], times, prices)
    assert found.adverse == pytest.approx([8 / (1220 / 120) - 1, 9 / 11 - 1, -0.5 / 9])
    assert found.favourable == pytest.approx([13 / (1220 / 120) - 1, 13 / 11 - 1, 0.0])
    short = round_trips.excursions(
        [trip for trip in trips if trip.symbol == "B"], [50.0, 60.0], [21.0, 19.0], [18.0, 17.0]
    )
    assert (short.adverse[0], short.favourable[0]) == (pytest.approx(-0.05), pytest.approx(0.15))
    unseen = round_trips.excursions(trips[:1], [100.0], [5.0])
    assert np.isnan(unseen.adverse).all()
    with pytest.raises(ValueError, match=r"highs\[0\]: is not above 0"):
        round_trips.excursions(trips[:1], [1.0], [0.0])
    with pytest.raises(ValueError, match="out of order"):
        round_trips.excursions(trips[:1], [2.0, 1.0], [5.0, 5.0])


trades = st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 100), st.floats(1.0, 50.0))


@given(st.lists(trades, max_size=25))
def test_trips_add_up_to_what_was_realised_and_shorts_mirror_longs(given_trades: list[tuple[Kind, int, float]]) -> None:
    fills = [fill(float(at), kind, float(quantity), price) for at, (kind, quantity, price) in enumerate(given_trades)]
    built = book.build(fills)
    trips = round_trips.round_trips(built.closed)
    realised = sum(position.realised for position in built.positions.values())
    assert sum(trip.profit for trip in trips) == pytest.approx(realised, abs=1e-6)
    turned: dict[str, Kind] = {"buy": "sell", "sell": "buy"}
    mirror = [fill(each.time_seconds, turned[each.kind], each.quantity, each.price) for each in fills]
    other = round_trips.round_trips(book.build(mirror).closed)
    assert [trip.profit for trip in other] == pytest.approx([-trip.profit for trip in trips])
    assert [trip.side for trip in other] == [-trip.side for trip in trips]
