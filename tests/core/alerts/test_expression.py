"""What rules watch for, as text and as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.expression import (
    OPERATORS,
    UNITS,
    WORKS,
    Absent,
    All,
    Compared,
    Expression,
    Figure,
    Matcher,
    Not,
    OneOf,
    Worked,
    figures_of,
    read_expression,
)
from core.errors import RuleRejected

NAMES = st.sampled_from(["system_cpu_busy_ratio", "daily_return", "status", "max", "order", "android", "nothing", "b"])
FIGURES = st.builds(
    Figure,
    NAMES,
    st.lists(
        st.builds(
            Matcher, NAMES, st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["", "/data", "Redis.*", "a b"])
        ),
        max_size=2,
    ).map(tuple),
)
WINDOWED = st.builds(
    Figure, NAMES, st.just(()), st.sampled_from(["1y", "ytd", "2024-01-01:2024-12-31"]),
    st.lists(st.tuples(NAMES, st.sampled_from(["SPY", "^GSPC", "weekly"])), max_size=2).map(tuple),
)  # fmt: skip
WORKED = st.builds(
    lambda work, figure, count, unit: Worked(work, figure, count * UNITS[unit][0], f"{count} {unit}"),
    st.sampled_from(WORKS), FIGURES, st.integers(1, 90), st.sampled_from(["s", "min", "h", "d", "w"]),
)  # fmt: skip
COMPARED = st.one_of(
    st.builds(
        lambda operand, operator, number, unit: Compared(operand, operator, number * UNITS[unit][0], unit),
        st.one_of(FIGURES, WINDOWED, WORKED), st.sampled_from(OPERATORS), st.integers(-999, 999),
        st.sampled_from([*UNITS]),
    ),
    st.builds(Compared, FIGURES, st.sampled_from(["==", "!="]), st.sampled_from(["down", "critical"])),
)  # fmt: skip
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(COMPARED, st.builds(Absent, FIGURES)),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(
            All, st.lists(inner.filter(lambda each: not isinstance(each, All)), min_size=2, max_size=3).map(tuple)
        ),
        st.builds(
            OneOf, st.lists(inner.filter(lambda each: not isinstance(each, OneOf)), min_size=2, max_size=3).map(tuple)
        ),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_what_is_written_out_reads_the_same(expression: Expression) -> None:
    assert read_expression(str(expression)) == expression
    assert read_expression(str(expression).replace(" > ", ">").replace("(", "( ")) == expression


def test_and_binds_stronger_than_or_and_brackets_stronger_than_both() -> None:
    a, b, c = (Compared(Figure(name), ">", 1.0) for name in "abc")
    assert read_expression("a > 1 or b > 1 and c > 1") == OneOf((a, All((b, c))))
    assert read_expression("(a > 1 or b > 1) and not c > 1") == All((OneOf((a, b)), Not(c)))
    assert [each.name for each in figures_of(read_expression("(a > 1 or b > 1) and absent(c)"))] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x > 80 %", 0.8),
        ("x > −0.5", -0.5),
        ("x < 1e3", 1000.0),
        ("x >= 2 GiB", 2.0 * 2**30),
        ("x > 15min", 900.0),
        ("x > .5", 0.5),
    ],
)
def test_units_are_worth_what_they_are(text: str, limit: float) -> None:
    found = read_expression(text)
    assert isinstance(found, Compared) and found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a >> 5", "at '> 5'. There could stand a name, a number."),
        ("a > ", "it ends too soon"),
        ("a > 5 furlongs", "a unit such as % or min"),
        ("avg(a, 5 GB) > 3", "GB is no span of time. Write s, min, h, d or w."),
        ('a{x=~"("} > 1', 'x=~"(" is no regular expression'),
        ("", "it ends too soon"),
        ("a > 1 " * 1_000, "longer than 2000 characters"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place_and_what_could_stand_there(text: str, told: str) -> None:
    with pytest.raises(RuleRejected) as refused:
        read_expression(text, "clear")
    assert refused.value.field == "clear" and told in str(refused.value)


@pytest.mark.parametrize(
    ("matcher", "value", "holds"),
    [
        (Matcher("mount", "=", "/"), "/", True),
        (Matcher("mount", "!=", "/"), "/", False),
        (Matcher("name", "=~", "Redis.*"), "Redis main", True),
        (Matcher("name", "=~", "Redis"), "Redis main", False),
        (Matcher("name", "!~", "Redis.*"), "", True),
        (Matcher("name", "=", ""), "", True),
    ],
)
def test_labels_are_what_they_must_be(matcher: Matcher, value: str, holds: bool) -> None:
    assert matcher.holds(value) is holds
