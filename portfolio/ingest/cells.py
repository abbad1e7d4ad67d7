"""From cells as sent to typed columns: whole columns at once, and cell by cell only where one is wrong."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.currency import ISO_4217, NO_CURRENCY
from core.format import count
from core.ingest.columns import Column
from portfolio.ingest.faults import Faults
from portfolio.ingest.filling import NUMBER, Filling, check_length, empty_to_null, fix_of, mask_of, none_of, one_by_one
from portfolio.ingest.labels import LabelColumn, label_column, no_labels
from portfolio.ingest.moments import checked_times, times
from portfolio.ingest.raw import Cells
from portfolio.ingest.shared_texts import plain

MOST = 1e15
"""Of a number, without its sign: more is a mistake, and no page could show it. Samples may be of anything."""
AS_NAMED = "as named"
"""Unit of what samples measure."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
NOT_TEXT = "is no text"


def typed(column: Column, cells: Cells, faults: Faults, now: float) -> Any:
    """Return a column in its type, null where nothing was sent: text, choice and currency as strings, number as double,
    time as int64 in its resolution since 1970; labels as LabelColumn.

    What is wrong is noted in `faults`, and null.
    """  # fmt: skip
    filling = Filling(column, faults, now)
    if column.sort == "labels":
        return _labels(cells, filling)
    try:
        found = _checked(cells if isinstance(cells, list) else plain(cells, filling), filling)
    except pa.ArrowException:  # a type, or a value of it, that Arrow itself cannot turn into ours
        kind = {"number": pa.float64(), "time": pa.int64()}.get(column.sort, pa.string())
        found = none_of(cells, kind, filling, f"is no {column.sort}", fix_of(column))
    if column.is_required and found.null_count:
        missing = [place for place in np.flatnonzero(mask_of(pc.is_null(found))).tolist() if place not in filling.told]
        filling.tell(missing, lambda place: "", "is missing", f"send it: {column.meaning}")
    return found


def _checked(cells: Cells, filling: Filling) -> pa.Array:
    match filling.column.sort:
        case "number":
            return _checked_numbers(_numbers(cells, filling), filling)
        case "time":
            return checked_times(times(cells, filling), filling)
        case _:
            return _checked_texts(_texts(cells, filling), filling)


def _numbers(cells: Cells, filling: Filling) -> pa.Array:
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts <= {float, int}:
            try:
                return pa.array(cells, pa.float64())
            except (pa.ArrowException, OverflowError):
                return one_by_one(cells, _number, pa.float64(), filling)
        if sorts == {str}:
            return _numbers(pa.array(cells, pa.string()), filling)
        return one_by_one(cells, _number, pa.float64(), filling)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        return cells.cast(pa.float64(), safe=False)
    if pa.types.is_string(cells.type):
        try:
            return empty_to_null(cells).cast(pa.float64())
        except pa.ArrowException:
            return one_by_one(cells, _number, pa.float64(), filling)
    return none_of(cells, pa.float64(), filling, "is no number", "give the column the type double")


def _number(cell: Any) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise ValueError("is no number")
    check_length(cell)
    if isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell.strip()):
        raise ValueError("is no number: decimals are written with a point")
    if isinstance(cell, str) and not NUMBER.fullmatch(cell.strip()):
        if cell.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return float(cell)
        raise ValueError("is no number")
    try:
        return float(cell)
    except OverflowError as error:
        raise ValueError("is too large") from error


def _checked_numbers(found: pa.Array, filling: Filling) -> pa.Array:
    column = filling.column
    values = found.to_numpy(zero_copy_only=False)
    there = ~mask_of(pc.is_null(found)) if found.null_count else np.ones(len(found), dtype=bool)
    wrong = there & ~np.isfinite(values)

    def shown(place: int) -> str:
        return f"{values[place]:g}"

    if wrong.any():
        filling.tell(np.flatnonzero(wrong), shown, "is no finite number", "send a number, or leave the row out")
    if column.unit != AS_NAMED:
        huge = there & ~wrong & (np.abs(values) > MOST)
        wrong |= huge
        if huge.any():
            filling.tell(np.flatnonzero(huge), shown, "is too large", f"send a number between −{MOST:g} and {MOST:g}")
    right = there & ~wrong
    if column.above is not None:
        low = right & ~(values > column.above)
        word = "zero" if column.above == 0 else f"{column.above:g}"
        filling.tell(np.flatnonzero(low), shown, f"is {word} or below", f"send a {column.name} above {column.above:g}")
    if column.least is not None:
        low = right & ~(values >= column.least)
        told = "is negative" if column.least == 0 else f"is below {column.least:g}"
        filling.tell(np.flatnonzero(low), shown, told, f"send a {column.name} of {column.least:g} or more")
    return found


def _texts(cells: Cells, filling: Filling) -> pa.Array:
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts <= {str}:
            return pa.array(cells, pa.string())
        return one_by_one(cells, _text, pa.string(), filling)
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_integer(cells.type):
        return cells.cast(pa.string())
    return none_of(cells, pa.string(), filling, NOT_TEXT, "give the column the type string")


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise ValueError(NOT_TEXT)
    return cell


def _checked_texts(found: pa.Array, filling: Filling) -> pa.Array:
    column = filling.column
    if column.sort == "text" and _are_plain(found, column.most_characters):
        return found
    found = pc.utf8_trim_whitespace(found)
    blank = pc.fill_null(pc.equal(found, ""), False)
    if pc.any(blank).as_py():
        filling.tell(np.flatnonzero(mask_of(blank)), lambda at: "", "is blank", "send text, or leave it out")
        found = empty_to_null(found)
    if column.sort == "choice":
        found = pc.utf8_lower(found)
    elif column.sort == "currency":
        found = pc.utf8_upper(found)

    def shown(place: int) -> Any:
        return found[place].as_py()

    if column.sort in ("choice", "currency"):
        allowed = column.choices or tuple(sorted(ISO_4217))
        right = pc.is_in(found, value_set=pa.array([*allowed, None], pa.string()))
        if not pc.all(right).as_py():
            is_choice = column.sort == "choice"
            reason = "is none that there is" if is_choice else "is no currency"
            fix = f"give one of {', '.join(column.choices)}" if column.choices else NO_CURRENCY
            filling.tell(np.flatnonzero(~mask_of(right)), shown, reason, fix)
        return found
    longest = pc.max(pc.utf8_length(found)).as_py() or 0
    if longest > column.most_characters:
        long = pc.fill_null(pc.greater(pc.utf8_length(found), column.most_characters), False)
        told = f"has more than {count(column.most_characters, 'character')}"
        filling.tell(np.flatnonzero(mask_of(long)), shown, told, "shorten it")
    odd = pc.fill_null(pc.match_substring_regex(found, r"[\x00-\x1f\x7f]"), False)
    if pc.any(odd).as_py():
        filling.tell(np.flatnonzero(mask_of(odd)), shown, "has a control character", "send printable text")
    return found


def _are_plain(texts: pa.Array, most_characters: int) -> bool:
    """Return whether none has a space, a control character or one beyond ASCII, is empty, or too long: seen by their
    bytes alone, a twentieth of the time that looking for each of these takes.
    """  # fmt: skip
    if not len(texts) or texts.null_count:
        return False
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(ends)
    if lengths.min() == 0 or lengths.max() > most_characters:
        return False
    content = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]
    return bool(content.min() > ord(" ") and content.max() <= ord("~"))


def _labels(cells: Cells, filling: Filling) -> LabelColumn:
    found = label_column(cells)
    if found is None:
        none_of(cells, pa.string(), filling, "is no object of texts", "give the column the type map<string, string>")
        return no_labels(len(cells))
    for place in np.flatnonzero(np.isin(found.codes, [*found.wrong])).tolist():
        sent, reason = found.wrong[int(found.codes[place])]
        filling.tell([place], lambda at, sent=sent: sent, reason, 'send {"name": "value"}')  # type: ignore[misc]
    return found
