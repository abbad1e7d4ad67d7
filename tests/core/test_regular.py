"""Regular expressions that people write: whatever they are, they end."""

from __future__ import annotations

import pytest

from core.alerts.expression import Matcher
from core.alerts.matchers import checked
from core.errors import ChangeRejected
from core.regular import check_pattern, full_match


def test_the_whole_text_is_meant_and_a_dot_is_a_line_end_too() -> None:
    assert full_match("a|b.*", "b\nc") and not full_match("a|b", "ab")
    assert full_match("", "") and not full_match("", "x")


def test_a_pattern_that_would_never_end_ends() -> None:
    assert not full_match("(.+)+!", "a" * 500)
    assert not Matcher("component", "=~", "(a*)*b").holds("a" * 500)


@pytest.mark.parametrize("pattern", ["(", "(?=x)x", r"(a)\1"])
def test_what_cannot_be_held_in_time_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(ValueError):
        check_pattern(pattern)
    with pytest.raises(ChangeRejected) as refused:
        checked([Matcher("component", "=~", pattern)])
    assert "is no regular expression" in refused.value.fields["matchers"]
