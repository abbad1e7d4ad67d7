"""Matchers as people and amtool write them: understood, or refused with the place and the fix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.expression import Matcher
from core.alerts.matchers import all_hold, read_matchers, written
from core.errors import ChangeRejected

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('component="Redis main"', (Matcher("component", "=", "Redis main"),)),
        ("{alertname=cpu, severity=~\"info|warning\"}",
         (Matcher("alertname", "=", "cpu"), Matcher("severity", "=~", "info|warning"))),
        (r'path="C:\\logs \"x\"", host=~"a\.b"',
         (Matcher("path", "=", 'C:\\logs "x"'), Matcher("host", "=~", r"a\.b"))),
        ('host != "a" , mount=~"/data.*",', (Matcher("host", "!=", "a"), Matcher("mount", "=~", "/data.*"))),
    ],
)  # fmt: skip
def test_a_text_is_understood(text: str, found: tuple[Matcher, ...]) -> None:
    assert read_matchers(text) == found


@given(st.lists(st.builds(Matcher, st.sampled_from(["host", "rule"]), st.just("="), TEXTS), min_size=1, max_size=5))
def test_what_is_written_is_read_as_the_same(matchers: list[Matcher]) -> None:
    assert read_matchers(written(matchers)) == tuple(matchers)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("{}", "is empty"),
        ("cpu", "not understood at 'cpu'"),
        ('host="a" rule="b"', "not understood at 'rule="),
        ('host=~"("', "no regular expression"),
        ('host=""', "nearly all"),
        ('host=~".*"', "nearly all"),
        ('host!="a"', "nearly all"),
        ('alertname=~".+"', "nearly all"),
        ('severity!="", rule=~".+"', "nearly all"),
        ('severity=~"info|warning|critical|urgent", host!="a"', "nearly all"),
        ('category!="none"', "nearly all"),
        (", ".join(['host="a"'] * 21), "20 at most"),
        (f'host="{"a" * 300}"', "256 characters"),
    ],
)
def test_what_is_wrong_is_refused_with_why(text: str, why: str) -> None:
    with pytest.raises(ChangeRejected) as refused:
        read_matchers(text)
    assert why in refused.value.fields["matchers"]


def test_all_of_them_must_hold_and_a_label_that_is_not_there_is_empty() -> None:
    matchers = read_matchers('host=~"a|b", mount!="/tmp"')
    assert all_hold(matchers, {"host": "a"})
    assert all_hold(matchers, {"host": "b", "mount": "/"})
    assert not all_hold(matchers, {"host": "ab"})
    assert not all_hold(matchers, {"host": "a", "mount": "/tmp"})
    assert not all_hold(matchers, {})
    assert all_hold((), {})
