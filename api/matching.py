"""Matchers that a request filters by, in the form of Alertmanager: label="value", with =, !=, =~ and !~.

Whoever may read may ask, so regular expressions are held by RE2 (of Arrow), whose time is linear in what it looks at:
one of Python can be written that never ends. Values are as Alertmanager reads them: bare, or quoted with \\", \\\\ and
\\n. (github.com/prometheus/alertmanager, pkg/labels)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from api.problem import Refused
from core.alerts.expression import Matcher

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


def full_match(pattern: str, values: Sequence[str], field: str) -> list[bool]:
    """Return for each value whether the whole of it matches a regular expression. Raises Refused for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        held = pc.match_substring_regex(pa.array([*values], pa.string()), pattern=f"^(?s:{pattern})$")
    except pa.ArrowInvalid as error:
        said = f"{pattern[:80]!r} is no regular expression that RE2 reads."
        raise Refused(422, said, field=field, fix="See https://github.com/google/re2/wiki/Syntax.") from error
    return [bool(each) for each in held.to_pylist()]


def _hold(matcher: Matcher, values: Sequence[str], field: str) -> list[bool]:
    is_equal = matcher.operator in ("=", "=~")
    if matcher.operator in ("=", "!="):
        return [(each == matcher.value) == is_equal for each in values]
    return [each == is_equal for each in full_match(matcher.value, values, field)]


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
