"""Matchers that a request filters by, in the form of Alertmanager: label="value", with =, !=, =~ and !~.

Values are as Alertmanager reads them: bare, or quoted with \\", \\\\ and
\\n. (github.com/prometheus/alertmanager, pkg/labels)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from api.problem import Refused
from core.alerts.expression import Matcher
from core.regular import SYNTAX, check_pattern, full_match

MOST, LONGEST = 20, 500
FIX = 'Write label="value", with commas between; =, !=, =~ and !~ are understood.'
_ONE = re.compile(r'\s*([a-zA-Z_:][\w:]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\\n]|\\.)*)"|([^\s,"{}]*))\s*', re.ASCII)
_ESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


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
    rest = text.strip().removeprefix("{").removesuffix("}").strip()
    if len(text) > LONGEST * MOST or not rest:
        raise _wrong(field, "is empty or too long")
    found: list[Matcher] = []
    while rest:
        match = _ONE.match(rest)
        if match is None or (match.end() < len(rest) and rest[match.end()] != ","):
            raise _wrong(field, f"is not understood at {rest[:20]!r}")
        label, operator, quoted, bare = match.groups()
        value = bare if quoted is None else re.sub(r"\\.", lambda each: _ESCAPED.get(each[0], each[0]), quoted)
        if len(value) > LONGEST:
            raise _wrong(field, f"has a value of more than {LONGEST} characters")
        found.append(Matcher(label, operator, value))
        rest = rest[match.end() :].removeprefix(",").strip()
    return found


def _wrong(field: str, what: str) -> Refused:
    return Refused(422, f"{field} {what}.", field=field, fix=FIX)
