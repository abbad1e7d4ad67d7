"""Which alerts are meant: component="Redis main", severity=~"info|warning". All of the matchers must hold.

Values are as Alertmanager reads them, and labels that are no plain names: bare, or quoted with \\", \\\\ and
\\n. (github.com/prometheus/alertmanager, pkg/labels)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from core.alerts.expression import Matcher
from core.alerts.rule import Category
from core.alerts.severity import Severity
from core.errors import ChangeRejected
from core.format import count, cut
from core.regular import check_pattern

MOST = 20
LONGEST = 256
"""Characters of a value."""
_NAME = re.compile(r"[a-zA-Z_:][\w:]*", re.ASCII)
_ONE = re.compile(
    r'\s*([a-zA-Z_:][\w:]*|"(?:[^"\\\n]|\\.)+")\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\\n]|\\.)*)"|([^\s,"{}]*))\s*', re.ASCII
)
SOME_NAMES = ("a", "0-b", "zz_9", "ServiceDown")
ALWAYS_THERE = {
    "severity": [each.word for each in Severity],
    "category": [each.value for each in Category],
    "rule": SOME_NAMES,
    "alertname": SOME_NAMES,
}
"""Labels that every alert has, with what may stand there."""
_ESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
FIX = 'Write label="value", with commas between; =, !=, =~ and !~ are understood.'


def read_matchers(text: str) -> tuple[Matcher, ...]:
    """Return what a text says, as people and amtool write it. Raises ChangeRejected that says where it is wrong."""
    try:
        return checked(parsed(text))
    except ValueError as error:
        raise _wrong(f"{error}. {FIX}") from error


def parsed(text: str) -> list[Matcher]:
    """Return the matchers of a text, whatever they mean; none: it is empty. Raises ValueError that says where."""
    rest = text.strip().removeprefix("{").removesuffix("}").strip()
    found: list[Matcher] = []
    while rest:
        match = _ONE.match(rest)
        if match is None:
            raise ValueError(f"is not understood at {cut(rest, 20)!r}")
        label, operator, quoted, bare = match.groups()
        name = _unquoted(label[1:-1]) if label.startswith('"') else label
        found.append(Matcher(name, operator, bare if quoted is None else _unquoted(quoted)))
        rest = rest[match.end() :]
        if rest and not rest.startswith(","):
            raise ValueError(f"is not understood at {cut(rest, 20)!r}")
        rest = rest.removeprefix(",").strip()
    return found


def checked(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Return matchers that can be used. Raises ChangeRejected: none, too many, no regular expression, or all alerts."""
    if not matchers:
        raise _wrong(f"is empty. {FIX}")
    if len(matchers) > MOST:
        raise _wrong(f"has {count(len(matchers), 'matcher')}, {MOST} at most")
    for each in matchers:
        if len(each.value) > LONGEST:
            raise _wrong(f"{each.label} has more than {LONGEST} characters; shorten it")
        if each.operator in ("=~", "!~"):
            try:
                check_pattern(each.value)
            except ValueError as error:
                raise _wrong(f"{each} is no regular expression: {error}") from error
    if all(map(_means_nearly_all, matchers)):
        raise _wrong("means every alert, or nearly all; mute everything instead, with an end")
    return tuple(matchers)


def written(matchers: Sequence[Matcher]) -> str:
    """Return matchers as `read_matchers` reads them."""
    return ", ".join(f'{_named(each.label)}{each.operator}"{_quoted(each.value)}"' for each in matchers)


def _means_nearly_all(matcher: Matcher) -> bool:
    """Return whether it holds for what lacks the label; of one that every alert has, for whatever stands in it."""
    return all(map(matcher.holds, ALWAYS_THERE.get(matcher.label, ("",))))


def _named(label: str) -> str:
    return label if _NAME.fullmatch(label) else f'"{_quoted(label)}"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\.", lambda each: _ESCAPED.get(each[0], each[0]), text)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def all_hold(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Return whether an alert of these labels is meant; without matchers every one is."""
    return all(each.holds(labels.get(each.label, "")) for each in matchers)


def _wrong(reason: str) -> ChangeRejected:
    return ChangeRejected("Nothing was changed.", {"matchers": reason})
