"""A query holds nothing that cannot be, and what a text says that cannot be read is named."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.query import FIELDS, FREQUENCIES, MOST_COMPARED, PortfolioQuery

DAY = np.datetime64("2024-01-02")
TYPED = st.text("0129-.,%:eWYnaif “", max_size=12) | st.sampled_from(["1Y", "86400", "9e9", "2024-02-29"])


def test_a_text_that_makes_no_sense_is_named_and_the_default_is_used() -> None:
    found, problems = PortfolioQuery.parse({"rf": "two", "asof": "2022-02-30", "window": "13Y", "frequency": "X"})
    assert found == PortfolioQuery()
    assert [problem.split(":")[0] for problem in problems] == ["Window", "Returns", "Risk-free rate", "As of"]
    assert "“two” is no number" in problems[2]


def test_every_field_is_read() -> None:
    texts = {
        "portfolio": "own:a", "benchmark": "SP500", "window": "1Y", "from": "1704153600", "to": "1704240000",
        "frequency": "W", "rf": "2", "trials": "9", "rolling": "26", "confidence": "99", "asof": "2024-01-02",
        "compare": "own:b,own:c", "line": "own:b", "highlight": "2024-01-02",
    }  # fmt: skip
    assert tuple(texts) == FIELDS
    assert PortfolioQuery.parse(texts) == (
        PortfolioQuery(
            portfolio="own:a", benchmark="SP500", window="1Y", span=(DAY, DAY + 1), frequency="W", risk_free=0.02,
            trials=9, rolling=26, confidence=0.99, compared=("own:b", "own:c"), line="own:b", as_of=DAY, highlight=DAY,
        ),
        (),
    )  # fmt: skip


@pytest.mark.parametrize(("typed", "rate"), [("2", 0.02), ("2.5 %", 0.025), ("2,5", 0.025), ("-0.5", -0.005)])
def test_a_risk_free_rate_is_percent_a_year_however_typed(typed: str, rate: float) -> None:
    found, problems = PortfolioQuery.parse({"rf": typed})
    assert found.risk_free == pytest.approx(rate)
    assert not problems


@pytest.mark.parametrize("texts", [{}, {"rf": ""}, {"rf": " ", "compare": ",", "window": "", "asof": ""}])
def test_an_emptied_field_is_the_default(texts: dict[str, str]) -> None:
    assert PortfolioQuery.parse(texts) == (PortfolioQuery(), ())


@pytest.mark.parametrize("typed", ["nan", "inf", "1e9", "-100"])
def test_a_rate_that_cannot_be_is_refused(typed: str) -> None:
    found, problems = PortfolioQuery.parse({"rf": typed})
    assert found.risk_free is None
    assert problems


@given(st.dictionaries(st.sampled_from(FIELDS), TYPED))
def test_whatever_is_typed_gives_a_query_that_can_be(texts: dict[str, str]) -> None:
    found, problems = PortfolioQuery.parse(texts)
    assert len(found.compared) <= MOST_COMPARED and found.frequency in (None, *FREQUENCIES)
    assert all(problem.endswith(".") for problem in problems)
    assert (found.span is not None) <= bool({"from", "to"} & set(texts))
    assert hash(found) == hash(PortfolioQuery.parse(texts)[0])


@given(st.dates(), st.dates())
def test_a_range_of_days_comes_out_as_it_was_written(start: date, end: date) -> None:
    found, problems = PortfolioQuery.parse({"from": str(start), "to": str(end)})
    assert (found.span is None) == bool(problems) == (start > end)
    assert found.span is None or tuple(str(day) for day in found.span) == (str(start), str(end))


@given(st.dates(), st.sampled_from(["from", "to"]))
def test_an_end_that_is_not_given_is_open(day: date, name: str) -> None:
    found, problems = PortfolioQuery.parse({name: str(day), "from" if name == "to" else "to": ""})
    assert not problems and found.span is not None
    start, end = found.span
    assert (str(start if name == "from" else end), start <= end) == (str(day), True)


@given(st.dates(date(1970, 1, 2), date(2200, 1, 1)), st.integers(-43_199, 43_199))
def test_an_old_address_in_seconds_means_the_day_nearest(day: date, away: int) -> None:
    seconds = (day - date(1970, 1, 1)).days * 86_400 + away
    found, _ = PortfolioQuery.parse({"from": str(seconds)})
    assert found.span is not None and str(found.span[0]) == str(day)


@pytest.mark.parametrize(
    "values",
    [
        {"window": "13Y"},
        {"frequency": "X"},
        {"risk_free": 1.0},
        {"trials": 0},
        {"rolling": 1},
        {"confidence": 0.4},
        {"risk_free": float("nan")},
        {"span": (DAY, DAY - 1)},
        {"compared": ("own:a", "own:a")},
        {"compared": tuple(f"own:{number}" for number in range(MOST_COMPARED + 1))},
    ],
)
def test_a_query_that_cannot_be_is_not_made(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        PortfolioQuery(**values)
