"""Matchers that a request filters by, and which label sets they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.problem import Refused
from core.alerts.expression import Matcher
from core.alerts.matchers import FIX, parsed
from core.regular import SYNTAX, check_pattern, full_match

MOST, LONGEST = 20, 500


def matchers_of(texts: Iterable[str], field: str) -> list[Matcher]:
    """Return the matchers of texts that hold one or more each. Raises Refused that names `field`."""
    found = [each for text in texts for each in _read(text, field)]
    if len(found) > MOST:
        raise Refused(422, f"{field} has {len(found)} matchers.", field=field, fix=f"Give {MOST} at most.")
    meant(found, [{}], field)
    return found


def meant(matchers: Sequence[Matcher], labels: Sequence[Mapping[str, str]], field: str = "matchers") -> list[bool]:
    """Return for each of some label sets whether all matchers hold; a label that is not there is empty."""
    held = [True] * len(labels)
    for matcher in matchers:
        values = [each.get(matcher.label, "") for each in labels]
        held = [before and now for before, now in zip(held, _hold(matcher, values, field), strict=True)]
    return held


def matching(pattern: str, values: Sequence[str], field: str) -> list[bool]:
    """Return for each value whether the whole of it matches a regular expression. Raises Refused for none."""
    try:
        check_pattern(pattern)
    except ValueError as error:
        said = f"{pattern[:80]!r} is no regular expression that RE2 reads."
        raise Refused(422, said, field=field, fix=f"See {SYNTAX}.") from error
    return [full_match(pattern, each) for each in values]


def _hold(matcher: Matcher, values: Sequence[str], field: str) -> list[bool]:
    is_equal = matcher.operator in ("=", "=~")
    if matcher.operator in ("=", "!="):
        return [(each == matcher.value) == is_equal for each in values]
    return [each == is_equal for each in matching(matcher.value, values, field)]


def _read(text: str, field: str) -> list[Matcher]:
    if len(text) > LONGEST * MOST:
        raise _wrong(field, "is too long")
    try:
        found = parsed(text)
    except ValueError as error:
        raise _wrong(field, str(error)) from error
    if not found:
        raise _wrong(field, "is empty")
    if any(len(each.value) > LONGEST for each in found):
        raise _wrong(field, f"has a value of more than {LONGEST} characters")
    return found


def _wrong(field: str, what: str) -> Refused:
    return Refused(422, f"{field} {what}.", field=field, fix=FIX)
