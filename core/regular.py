"""Regular expressions that people write: held by RE2, whose time is linear in what it looks at.

One of Python can be written that never ends, and a page, a rule or a silence that holds it would hang with it. It is
what Prometheus and Alertmanager hold theirs by.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MOST_KEPT = 2_000
SYNTAX = "https://github.com/google/re2/wiki/Syntax"


def check_pattern(pattern: str) -> None:
    """Raise ValueError, which says what is wrong, for what is no regular expression of RE2."""
    try:
        _compiled(pattern)
    except re2.error as error:
        raise ValueError(_told(error)) from error


def full_match(pattern: str, text: str) -> bool:
    """Return whether the whole of a text matches; a dot means line ends too. Raises ValueError: it is no pattern."""
    try:
        return _compiled(pattern).fullmatch(text) is not None
    except re2.error as error:
        raise ValueError(_told(error)) from error


@lru_cache(MOST_KEPT)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    return re2.compile(pattern, options)


def _told(error: re2.error) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
