"""One alert that hides another one, as Alertmanager has it."""

from __future__ import annotations

import pytest

from core.alerts.inhibition import Fires, hidden_by_others, read_inhibition

GRAVE = '{severity="critical"} hides {severity="warning"} by host, rule'


def fires(key: str, **labels: str) -> Fires:
    return Fires(key, f"name of {key}", labels)


def test_it_is_read_and_written_as_the_same() -> None:
    found = read_inhibition(GRAVE)
    assert str(found) == GRAVE and found.equal == ("host", "rule")
    odd = '{a="}, hides {", b!="x"} hides {c=~"d|e"}'
    assert str(read_inhibition(odd)) == odd


NONE = (
    "",
    "a hides b",
    '{a="b"} hides {}',
    '{a="b"} hides {c=~"("}',
    '{a="b"} hides {c="d"} by',
    '{a=""} hides {b="c"}',
)


@pytest.mark.parametrize("text", NONE)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hides|matchers|is empty|regular|nearly all|not understood"):
        read_inhibition(text)


def test_the_labels_behind_by_are_the_same_and_what_is_not_there_is_empty() -> None:
    grave = fires("1", severity="critical", host="a", rule="disk")
    others = [
        fires("2", severity="warning", host="a", rule="disk"),
        fires("3", severity="warning", host="b", rule="disk"),
        fires("4", severity="warning", rule="disk"),
        fires("5", severity="info", host="a", rule="disk"),
    ]
    rule = read_inhibition(GRAVE)
    assert hidden_by_others([rule], [*others, grave]) == {"2": "name of 1"}
    assert hidden_by_others([rule], others) == {}
    everywhere = fires("6", severity="critical", rule="disk")
    assert hidden_by_others([rule], [*others, everywhere]) == {"4": "name of 6"}


def test_alerts_that_both_sides_mean_do_not_hide_each_other_and_hide_what_one_means() -> None:
    rule = read_inhibition('{team="ops"} hides {host="a"}')
    both, same = fires("1", team="ops", host="a"), fires("2", team="ops", host="a")
    assert hidden_by_others([rule], [both, same]) == {}
    assert hidden_by_others([rule], [both, fires("3", host="a")]) == {"3": "name of 1"}
    assert hidden_by_others([rule], [both, fires("4", team="ops", host="b")]) == {"1": "name of 4"}


def test_of_those_that_hide_each_other_in_a_circle_none_is_hidden() -> None:
    circle = [read_inhibition(f'{{a="{one}"}} hides {{a="{other}"}}') for one, other in ("12", "23", "31", "14")]
    firing = [fires(name, a=name) for name in "1234"]
    assert hidden_by_others(circle, firing) == {"4": "name of 1"}
    assert hidden_by_others(circle[:2], firing) == {"2": "name of 1", "3": "name of 2"}
