"""Choices as the address carries them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.choices import choice_select, chosen
from dashboard.views.tab import MAX_CHOICES, Choices

WINDOWS = (("1h", "1 h"), ("6h", "6 h"))
names = st.text(min_size=1, max_size=20)


@given(st.dictionaries(names, names, max_size=MAX_CHOICES))
def test_a_query_carries_choices_there_and_back(values: dict[str, str]) -> None:
    choices = Choices.of(values)
    assert dict(Choices.parse(f"?{choices.query}")) == values


@given(st.text(max_size=500))
def test_any_query_is_bounded(query: str) -> None:
    choices = Choices.parse(query)
    assert len(choices) <= MAX_CHOICES
    assert all(len(value) <= 1_000 for value in choices.values())


def test_equal_choices_are_one_key_whatever_their_order() -> None:
    assert Choices.parse("?b=2&a=1") == Choices.parse("?a=1&b=2")
    assert len({Choices.parse("?b=2&a=1"), Choices.parse("?a=1&b=2")}) == 1


def test_a_value_that_is_not_on_offer_falls_back() -> None:
    assert chosen(WINDOWS, Choices.parse("?window=6h"), "window", "1h") == "6h"
    assert chosen(WINDOWS, Choices.parse("?window=99y"), "window", "1h") == "1h"
    select = choice_select("t", "window", WINDOWS, Choices.parse("?window=99y"), default="1h", label="Window")
    assert select.children[1].value == "1h"


def test_seconds_of_a_shared_zoom() -> None:
    choices = Choices.parse("?from=1700000000&to=soon")
    assert choices.seconds("from") == 1_700_000_000.0
    assert choices.seconds("to") is None
    assert choices.seconds("absent") is None
