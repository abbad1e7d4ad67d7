"""The text of a query without its values: what stands in strings and numbers may be a client's, or a password."""

from __future__ import annotations

import re

VALUE = "?"
_KEPT = r"""(?P<kept>--[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|\$\d+|[^\W\d]\w*)"""
_DOLLARS = r"|\$(?P<tag>[^\W\d]\w*)\$.*?(?:\$(?P=tag)\$|\Z)|\$\$.*?(?:\$\$|\Z)"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*\\?(?:'|\Z)"
_STRING = r"'(?:[^']|'')*(?:'|\Z)"
_NUMBER = r"|\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d+\w*"
_POSTGRESQL = re.compile(rf"[eE]{_ESCAPED}|[bBxXnN]?{_STRING}|[uU]&{_STRING}{_DOLLARS}|{_KEPT}{_NUMBER}", re.DOTALL)
_CLICKHOUSE = re.compile(rf"{_ESCAPED}{_DOLLARS}|{_KEPT}{_NUMBER}", re.DOTALL)
_MESSAGE = re.compile(_ESCAPED, re.DOTALL)


def without_values(sql: str | None, *, is_clickhouse: bool = False) -> str | None:
    """Return a query with ? for each string and number; names and comments stay. A string that is cut off ends it.

    A backslash escapes a quote in ClickHouse, and in PostgreSQL after E alone (its standard_conforming_strings).
    """
    if sql is None:
        return None
    return (_CLICKHOUSE if is_clickhouse else _POSTGRESQL).sub(lambda found: found["kept"] or VALUE, sql)


def message_without_values(text: str) -> str:
    """Return a message about a query with '?' for what stands in single quotes: it repeats parts of the query."""
    return _MESSAGE.sub(f"'{VALUE}'", text)
