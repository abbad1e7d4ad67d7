"""Delta encoding: long columns of a figure as differences of whole numbers, a quarter of the bytes and the same values.

`[20.15, 20.17, null, 20.11]` goes out as `{"scale": 100, "deltas": "+9DE N"}`: the differences 2015, 2, null and -6 as
base64 VLQ, as source maps write numbers (https://tc39.es/ecma426/#sec-base64-vlq: five bits a letter, the lowest first,
the sign in the first), and a space for null. Days go out as `{"days": "usfCC"}`; assets/js/39-delta.js adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np

SHORTEST = 12
MOST_DECIMALS = 6
LARGEST = 2**50
"""Whole numbers up to here are exact in the browser."""
COLUMNS = ("x", "y", "z", "customdata")
DAY_CHARACTERS = 10
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
MORE = 32
"""Set in a letter that another one of the same number follows."""
NULL = " "


def delta_encoded(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain figure; COLUMNS of its traces (z row by row) are delta-encoded where that is exact."""
    traces = [
        {key: _column(value) if key in COLUMNS else value for key, value in trace.items()}
        for trace in figure.get("data", ())
    ]
    return {**figure, "data": traces}


def _column(values: Any) -> Any:
    if isinstance(values, list) and values and isinstance(values[0], list):
        return [_column(row) for row in values]
    if not isinstance(values, list) or len(values) < SHORTEST:
        return values
    if all(type(value) is str and len(value) == DAY_CHARACTERS for value in values):
        return _days(values)
    if all(value is None or type(value) in (int, float) for value in values):
        return _numbers(values)
    return values


def _days(values: list[str]) -> Any:
    try:
        return {"days": _deltas(np.array(values, dtype="datetime64[D]").astype(np.int64).tolist())}
    except ValueError:
        return values


def _numbers(values: list[float | None]) -> Any:
    present = [value for value in values if value is not None]
    largest = max(map(abs, present), default=0)
    if largest > LARGEST:
        whole = all(type(value) is int for value in present)
        return {"scale": 1, "deltas": _deltas(cast("list[int | None]", values))} if whole else values
    column = np.array(values, dtype=np.float64)
    missing = np.isnan(column)
    for decimals in range(MOST_DECIMALS + 1):
        scale = 10**decimals
        if largest * scale > LARGEST:
            break
        scaled = np.round(column * scale)
        if (scaled / scale == column)[~missing].all():
            whole_numbers = [None if gone else int(value) for value, gone in zip(scaled, missing, strict=True)]
            return {"scale": scale, "deltas": _deltas(whole_numbers)}
    return values


def _deltas(values: Sequence[int | None]) -> str:
    before = 0
    written: list[str] = []
    for value in values:
        written.append(NULL if value is None else _letters(value - before))
        before = before if value is None else value
    return "".join(written)


@lru_cache(maxsize=4096)
def _letters(number: int) -> str:
    rest = abs(number) << 1 | (number < 0)
    letters = ""
    while rest >= MORE:
        letters += LETTERS[rest % MORE + MORE]
        rest //= MORE
    return letters + LETTERS[rest]
