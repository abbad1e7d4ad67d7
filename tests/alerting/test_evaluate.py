"""What expressions come to, with and without data, for one and for many sets of labels."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.evaluate import Truth, Value, truths
from core.alerts.expression import Compared, Figure, Worked, read_expression
from core.model import labels

VALUES: Mapping[str, list[Value]] = {
    "cpu": [Value(labels(host="a"), 0.9), Value(labels(host="b"), 0.2), Value(labels(host="c"), None)],
    "disk": [
        Value(labels(host="a", mount="/"), 0.95), Value(labels(host="a", mount="/data"), 0.1),
        Value(labels(host="b", mount="/"), 0.99),
    ],
    "loss": [Value((), -0.06)],
    "status": [Value(labels(component="Redis main"), 4.0), Value(labels(component="Kafka main"), 0.0)],
    "gone": [Value((), None)],
    "nowhere": [],
}  # fmt: skip


def read(operand: Figure | Worked) -> list[Value]:
    assert isinstance(operand, Figure)
    return [
        each
        for each in VALUES[operand.name]
        if all(matcher.holds(dict(each.labels).get(matcher.label, "")) for matcher in operand.matchers)
    ]


def found(text: str) -> dict[str, bool | None]:
    """Return what holds, by the labels written out."""
    return {",".join(value for _, value in each.labels): each.holds for each in truths(read_expression(text), read)}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("cpu > 80 %", {"a": True, "b": False, "c": None}),
        ("not cpu > 80 %", {"a": False, "b": True, "c": None}),
        ("loss < -0.05", {"": True}),
        ("status == down", {"Redis main": True, "Kafka main": False}),
        ('status{component=~"Kafka.*"} >= warning', {"Kafka main": False}),
        ("nowhere > 1", {}),
        ("absent(nowhere)", {"": True}),
        ("absent(gone)", {"": True}),
        ("absent(cpu)", {"": False}),
        # Of one host, each of its mounts; what has no partner lacks data.
        ("cpu > 80 % and disk > 90 %", {"a,/": True, "a,/data": False, "b,/": False, "c": None}),
        ("cpu > 80 % or disk > 90 %", {"a,/": True, "a,/data": True, "b,/": True, "c": None}),
        ("loss < -0.05 and cpu > 80 %", {"a": True, "b": False, "c": None}),
        ("gone > 1 and loss > 0", {"": False}),
        ("gone > 1 and loss < 0", {"": None}),
        ("gone > 1 or loss < 0", {"": True}),
        ("gone > 1 or loss > 0", {"": None}),
        ("not (gone > 1 or loss < 0)", {"": False}),
        ("nowhere > 1 and loss < 0", {"": None}),
        ("nowhere > 1 or loss < 0", {"": True}),
    ],
)  # fmt: skip
def test_what_holds_for_which_labels(text: str, holds: Mapping[str, bool | None]) -> None:
    assert found(text) == holds


def test_the_value_is_that_of_what_is_compared_first() -> None:
    assert truths(read_expression("loss < 0 and cpu > 80 %"), read)[0] == Truth(labels(host="a"), True, -0.06)
    assert truths(read_expression("gone < 0 or loss < 0"), read)[0].value == -0.06


THREE = st.sampled_from([True, False, None])


@given(THREE, THREE, THREE)
def test_nothing_without_data_is_ever_said_to_be_clear(a: bool | None, b: bool | None, c: bool | None) -> None:
    """Whatever the missing values are in truth, what is told true or false is so."""
    known = {"a": a, "b": b, "c": c}

    def lookup(values: Mapping[str, bool | None]) -> bool | None:
        def of(operand: Figure | Worked) -> list[Value]:
            assert isinstance(operand, Figure)
            holds = values[operand.name]
            return [Value((), None if holds is None else float(holds))]

        (truth,) = truths(read_expression("(a == 1 and not b == 1) or (c == 1 and b == 1)"), of)
        return truth.holds

    told = lookup(known)
    worlds = [
        {
            name: (value if value is not None else guess)
            for (name, value), guess in zip(known.items(), guesses, strict=True)
        }
        for guesses in [(x, y, z) for x in (True, False) for y in (True, False) for z in (True, False)]
    ]
    if told is not None:
        assert {lookup(world) for world in worlds} == {told}


def test_every_comparison_is_the_one_that_it_is() -> None:
    for sign, holds in {"<": False, "<=": True, ">": False, ">=": True, "==": True, "!=": False}.items():
        (truth,) = truths(Compared(Figure("x"), sign, 1.0), lambda _: [Value((), 1.0)])
        assert truth.holds is holds
