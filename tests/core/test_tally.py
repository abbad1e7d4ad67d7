"""Requests as they are counted: quantiles near the true ones, the slowest kept, pages counted whoever answers them."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from core.web.tally import Counts, Tally, counts_of, open_pages, slowest_calls

NOW = 1_000_000.0


@given(st.lists(st.floats(0.0001, 80), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_the_true_one_to_a_fifth(seconds: list[float], share: float) -> None:
    tally = Tally()
    for each in seconds:
        tally.answered("/a", "GET", 200, each, NOW)
    (counts,) = counts_of(tally.told(NOW)).values()
    true = sorted(seconds)[max(math.ceil(share * len(seconds)), 1) - 1]
    found = counts.quantile(share)
    assert found is not None and true * 0.999 <= found <= true * 1.201
    assert counts.mean_seconds is not None and math.isclose(counts.mean_seconds, sum(seconds) / len(seconds))


def test_counts_are_kept_by_route_and_kind_of_answer() -> None:
    tally = Tally()
    for route, status in (("/a", 200), ("/a", 404), ("/a", 500), ("/b", 304)):
        tally.answered(route, "GET", status, 0.01, NOW)
    found = counts_of(tally.told(NOW))
    assert {name: (each.requests, each.client_errors, each.server_errors) for name, each in found.items()} == {
        "/a": (3, 1, 1), "/b": (1, 0, 0),
    }  # fmt: skip
    assert Counts().quantile(0.5) is None


def test_the_slowest_of_every_process_are_told_and_those_of_hours_ago_forgotten() -> None:
    one, two = Tally(), Tally()
    one.answered("/old", "GET", 200, 99.0, NOW - 7_200)
    for n in range(30):
        (one if n % 2 else two).answered(f"/{n}", "GET", 200, n / 10, NOW - n)
    found = slowest_calls([one.told(NOW), two.told(NOW)])
    assert [each.route for each in found] == [f"/{n}" for n in range(29, 19, -1)]


def test_a_page_counts_once_whichever_process_it_asks_and_not_when_it_is_gone() -> None:
    one, two = Tally(), Tally()
    one.asked_for_news("first browser", NOW - 1, 5)
    two.asked_for_news("first browser", NOW - 6, 5)
    for ago in (0.5, 2, 5.5, 7):  # two pages of one browser
        one.asked_for_news("second browser", NOW - ago, 5)
    two.asked_for_news("closed", NOW - 11, 5)
    told = [one.told(NOW), two.told(NOW)]
    assert open_pages(told) == 3
    assert open_pages([each.told(NOW + 60) for each in (one, two)]) == 0


def test_a_page_that_asks_seldom_counts_until_it_has_been_silent_for_two_intervals_of_its_own() -> None:
    tally = Tally()
    tally.asked_for_news("each minute", NOW, 60)
    tally.asked_for_news("each second", NOW, 1)
    assert open_pages([tally.told(NOW + 1)]) == 2
    assert open_pages([tally.told(NOW + 119)]) == 1
    assert open_pages([tally.told(NOW + 121)]) == 0
