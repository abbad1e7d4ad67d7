"""What pydantic found wrong with a value, in plain words: what it must be. The one place for its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from core.format import count
from core.kinds.base import NAME_PATTERN

Context = Mapping[str, Any]
A_LIST, A_GROUP, A_TEXT = "a list", "a group of `name: value`", "a text"
A_NUMBER, A_WHOLE_NUMBER = "a number", "a whole number"

WORDS: Mapping[str, str | Callable[[Context], str]] = {
    "tuple_type": A_LIST,
    "list_type": A_LIST,
    "set_type": A_LIST,
    "frozen_set_type": A_LIST,
    "dict_type": A_GROUP,
    "mapping_type": A_GROUP,
    "model_type": A_GROUP,
    "model_attributes_type": A_GROUP,
    "string_type": A_TEXT,
    "path_type": A_TEXT,
    "url_type": A_TEXT,
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": A_WHOLE_NUMBER,
    "int_parsing": A_WHOLE_NUMBER,
    "int_parsing_size": A_WHOLE_NUMBER,
    "int_from_float": A_WHOLE_NUMBER,
    "float_type": A_NUMBER,
    "float_parsing": A_NUMBER,
    "finite_number": A_NUMBER,
    "literal_error": lambda context: f"one of {_bare(context['expected'])}",
    "enum": lambda context: f"one of {_bare(context['expected'])}",
    "greater_than_equal": lambda context: f"{context['ge']:g} or more",
    "greater_than": lambda context: f"more than {context['gt']:g}",
    "less_than_equal": lambda context: f"{context['le']:g} or less",
    "less_than": lambda context: f"less than {context['lt']:g}",
    "string_too_short": lambda context: f"at least {count(context['min_length'], 'character')} long",
    "string_too_long": lambda context: f"at most {count(context['max_length'], 'character')} long",
    "too_short": lambda context: f"a list of at least {count(context['min_length'], 'item')}",
    "too_long": lambda context: f"a list of at most {count(context['max_length'], 'item')}",
    "string_pattern_mismatch": lambda context: _pattern(context["pattern"]),
    "none_required": "left out",
}


def must_be(problem: ErrorDetails) -> str:
    """Return what is wrong with a value: "must be a list". Our own validators' sentences stay as they are."""
    words = WORDS.get(problem["type"])
    if words is None:
        reason = problem["msg"].removeprefix("Value error, ")
        return reason[:1].lower() + reason[1:]
    return f"must be {words if isinstance(words, str) else words(problem.get('ctx', {}))}"


def _bare(expected: str) -> str:
    """Return the values that pydantic lists, without quotes: "'a', 'b' or 'c'" is "a, b or c"."""
    return expected.replace("'", "")


def _pattern(pattern: str) -> str:
    if pattern == NAME_PATTERN:
        return "1 to 64 letters, digits, _ or -"
    return f"what matches {pattern}"
