"""From cells as sent to typed columns: whole columns at once, and cell by cell only where one is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.currency import ISO_4217, NO_CURRENCY
from core.format import count
from core.ingest.columns import Column
from portfolio.ingest.faults import Faults
from portfolio.ingest.labels import LabelColumn, is_text, label_column, no_labels
from portfolio.ingest.raw import Cells

MOST = 1e15
"""Of a number, without its sign: more is a mistake, and no page could show it. Samples may be of anything."""
AS_NAMED = "as named"
"""Unit of what samples measure."""
MOST_SECONDS = 1e12
"""Of a time in seconds since 1970; more of them are milliseconds, or nothing at all."""
AHEAD_SECONDS = 300
"""So far a time may lie ahead of our clock."""
SOON_SECONDS = 86_400
"""A time that lies no further ahead will soon be past: a day's end, or a clock that is wrong."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
NUMBER_CHARACTERS = 1_000
"""Of a number or a time that is written as text."""
NOT_TEXT = "is no text"
TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""In a second, by the unit of an Arrow timestamp."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Which column is filled, for what is told of it, and when that is."""

    column: Column
    faults: Faults
    now: float
    told: set[int] = field(default_factory=set)
    """Places of which something is told: where these are null, nothing is missing."""

    def tell(
        self, places: Any, value: Callable[[int], Any], reason: str, fix: str, *, is_passing: bool = False
    ) -> None:
        """Note a fault of cells, by their places."""
        wrong = [int(place) for place in places]
        self.told.update(wrong)
        self.faults.add_many(wrong, self.column.name, value, reason, fix, is_passing=is_passing)


def typed(column: Column, cells: Cells, faults: Faults, now: float) -> Any:
    """Return a column in its type, null where nothing was sent: text, choice and currency as strings, number as double,
    time as int64 in its resolution since 1970; labels as LabelColumn.

    What is wrong is noted in `faults`, and null.
    """  # fmt: skip
    filling = Filling(column, faults, now)
    if column.sort == "labels":
        return _labels(cells, filling)
    try:
        found = _checked(cells if isinstance(cells, list) else _plain(cells, filling), filling)
    except pa.ArrowException:  # a type, or a value of it, that Arrow itself cannot turn into ours
        kind = {"number": pa.float64(), "time": pa.int64()}.get(column.sort, pa.string())
        found = _none_of(cells, kind, filling, f"is no {column.sort}", _fix(column))
    if column.is_required and found.null_count:
        missing = [place for place in np.flatnonzero(_mask(pc.is_null(found))).tolist() if place not in filling.told]
        filling.tell(missing, lambda place: "", "is missing", f"send it: {column.meaning}")
    return found


def _checked(cells: Cells, filling: Filling) -> pa.Array:
    match filling.column.sort:
        case "number":
            return _checked_numbers(_numbers(cells, filling), filling)
        case "time":
            return _checked_times(_times(cells, filling), filling)
        case _:
            return _checked_texts(_texts(cells, filling), filling)


def _numbers(cells: Cells, filling: Filling) -> pa.Array:
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts <= {float, int}:
            try:
                return pa.array(cells, pa.float64())
            except (pa.ArrowException, OverflowError):
                return _slow(cells, _number, pa.float64(), filling)
        if sorts == {str}:
            return _numbers(pa.array(cells, pa.string()), filling)
        return _slow(cells, _number, pa.float64(), filling)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        return cells.cast(pa.float64(), safe=False)
    if pa.types.is_string(cells.type):
        try:
            return _empty_to_null(cells).cast(pa.float64())
        except pa.ArrowException:
            return _slow(cells, _number, pa.float64(), filling)
    return _none_of(cells, pa.float64(), filling, "is no number", "give the column the type double")


def _number(cell: Any) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise ValueError("is no number")
    _check_length(cell)
    if isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell.strip()):
        raise ValueError("is no number: decimals are written with a point")
    if isinstance(cell, str) and not _NUMBER.fullmatch(cell.strip()):
        if cell.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return float(cell)
        raise ValueError("is no number")
    try:
        return float(cell)
    except OverflowError as error:
        raise ValueError("is too large") from error


def _check_length(cell: Any) -> None:
    if isinstance(cell, str) and len(cell) > NUMBER_CHARACTERS:
        raise ValueError(f"has more than {NUMBER_CHARACTERS:,} characters")


def _checked_numbers(found: pa.Array, filling: Filling) -> pa.Array:
    column = filling.column
    values = found.to_numpy(zero_copy_only=False)
    there = ~_mask(pc.is_null(found)) if found.null_count else np.ones(len(found), dtype=bool)
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


def _times(cells: Cells, filling: Filling) -> pa.Array:
    per_second = 1_000_000 if filling.column.resolution == "microsecond" else 1
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts == {str}:
            return _times(pa.array(cells, pa.string()), filling)
        if sorts and sorts <= {int, float} and (found := _of_numbers(cells, per_second)) is not None:
            return found
        return _slow(cells, lambda cell: _moment(cell, per_second), pa.int64(), filling)
    if pa.types.is_timestamp(cells.type):
        if cells.type.tz is None:
            return _none_of(cells, pa.int64(), filling, "has no time zone", "give the column the zone UTC")
        return _in_ticks(cells.cast(pa.int64()), TICKS[cells.type.unit], per_second)
    if pa.types.is_date(cells.type):
        return _in_ticks(cells.cast(pa.timestamp("ms")).cast(pa.int64()), TICKS["ms"], per_second)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        found = _of_numbers(cells, per_second)
        return _slow(cells, lambda cell: _moment(cell, per_second), pa.int64(), filling) if found is None else found
    if pa.types.is_string(cells.type):
        try:
            return _parsed(_empty_to_null(cells), per_second)
        except pa.ArrowException:
            return _slow(cells.to_pylist(), lambda cell: _moment(cell, per_second), pa.int64(), filling)
    return _none_of(cells, pa.int64(), filling, "is no time", "give the column the type timestamp with a zone")


def _of_numbers(cells: Cells, per_second: int) -> pa.Array | None:
    """Return moments of seconds since 1970; None where one is none."""
    try:
        seconds = pa.array(cells, pa.float64()) if isinstance(cells, list) else cells.cast(pa.float64(), safe=False)
    except (pa.ArrowException, OverflowError):
        return None
    numbers = pc.fill_null(seconds, 0.0).to_numpy(zero_copy_only=False)
    if not (np.abs(numbers) < MOST_SECONDS).all():
        return None
    ticks = np.floor(np.rint(numbers * 1e6) / (1_000_000 / per_second)).astype(np.int64)
    return pa.array(ticks, pa.int64(), mask=_mask(pc.is_null(seconds)) if seconds.null_count else None)


def _in_ticks(moments: pa.Array, sent_per_second: int, per_second: int) -> pa.Array:
    """Return moments since 1970 in other ticks, finer ones cut off; one beyond their reach is the last within it."""
    numbers = pc.fill_null(moments, 0).to_numpy(zero_copy_only=False)
    if sent_per_second >= per_second:
        ticks = np.floor_divide(numbers, sent_per_second // per_second)
    else:
        each = per_second // sent_per_second
        most = np.iinfo(np.int64).max // each
        ticks = np.clip(numbers, -most, most) * each
    return pa.array(ticks, pa.int64(), mask=_mask(pc.is_null(moments)) if moments.null_count else None)


def _parsed(texts: pa.Array, per_second: int) -> pa.Array:
    """Return moments of texts. Raises ArrowInvalid where one is none, has no zone or lies beyond 1677 to 2262."""
    is_day = pc.equal(pc.utf8_length(texts), 10)
    if pc.any(is_day).as_py():
        midnight = pc.binary_join_element_wise(texts, pa.scalar("T00:00:00Z"), "")
        texts = pc.if_else(is_day, midnight, texts)
    nanos = texts.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    return _in_ticks(nanos, TICKS["ns"], per_second)


def _moment(cell: Any, per_second: int) -> int:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise ValueError("is no time")
    _check_length(cell)
    if isinstance(cell, str):
        text = cell.strip()
        if _NUMBER.fullmatch(text):
            cell = float(text)
        elif _DAY.fullmatch(text):
            cell = text + "T00:00:00+00:00"
        elif _NAIVE.fullmatch(text):
            raise ValueError("has no zone, so nobody knows which moment it is")
        elif not _TIME.fullmatch(text):
            raise ValueError("is no time")
    if isinstance(cell, str):
        try:
            moment = datetime.fromisoformat(cell.strip().upper())
            since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            raise ValueError("is no time that there is") from error
        micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        return micros // (1_000_000 // per_second)
    if not -MOST_SECONDS < cell < MOST_SECONDS:
        raise ValueError("is no time in seconds since 1970")
    return int(np.floor(round(cell * 1_000_000) / (1_000_000 / per_second)))


def _checked_times(found: pa.Array, filling: Filling) -> pa.Array:
    per_second = 1_000_000 if filling.column.resolution == "microsecond" else 1
    ticks = pc.fill_null(found, 0).to_numpy(zero_copy_only=False)
    early, late = ticks < 0, ticks > (filling.now + AHEAD_SECONDS) * per_second

    def shown(place: int) -> str:
        return told_time(int(ticks[place]), per_second)

    if early.any():
        filling.tell(np.flatnonzero(early), shown, "lies before 1970", "send a time from 1970 on")
    if late.any():
        clock = told_time(int(filling.now), 1)
        fix = f"send what has happened: here it is {clock}, and {AHEAD_SECONDS // 60} min more are let through"
        is_soon = ticks <= (filling.now + SOON_SECONDS) * per_second
        filling.tell(np.flatnonzero(late & is_soon), shown, "lies in the future", fix, is_passing=True)
        filling.tell(np.flatnonzero(late & ~is_soon), shown, "lies in the future", fix)
    return found


def told_time(ticks: int, per_second: int) -> str:
    """Return a moment in RFC 3339; as a number where the calendar does not reach."""
    try:
        moment = datetime.fromtimestamp(ticks // per_second, UTC).replace(
            microsecond=ticks % per_second if per_second > 1 else 0
        )
    except (ValueError, OverflowError, OSError):
        return str(ticks / per_second)
    return moment.isoformat().replace("+00:00", "Z")


def _texts(cells: Cells, filling: Filling) -> pa.Array:
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts <= {str}:
            return pa.array(cells, pa.string())
        return _slow(cells, _text, pa.string(), filling)
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_integer(cells.type):
        return cells.cast(pa.string())
    return _none_of(cells, pa.string(), filling, NOT_TEXT, "give the column the type string")


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
        filling.tell(np.flatnonzero(_mask(blank)), lambda at: "", "is blank", "send text, or leave it out")
        found = _empty_to_null(found)
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
            filling.tell(np.flatnonzero(~_mask(right)), shown, reason, fix)
        return found
    longest = pc.max(pc.utf8_length(found)).as_py() or 0
    if longest > column.most_characters:
        long = pc.fill_null(pc.greater(pc.utf8_length(found), column.most_characters), False)
        told = f"has more than {count(column.most_characters, 'character')}"
        filling.tell(np.flatnonzero(_mask(long)), shown, told, "shorten it")
    odd = pc.fill_null(pc.match_substring_regex(found, r"[\x00-\x1f\x7f]"), False)
    if pc.any(odd).as_py():
        filling.tell(np.flatnonzero(_mask(odd)), shown, "has a control character", "send printable text")
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
        _none_of(cells, pa.string(), filling, "is no object of texts", "give the column the type map<string, string>")
        return no_labels(len(cells))
    for place in np.flatnonzero(np.isin(found.codes, [*found.wrong])).tolist():
        sent, reason = found.wrong[int(found.codes[place])]
        filling.tell([place], lambda at, sent=sent: sent, reason, 'send {"name": "value"}')  # type: ignore[misc]
    return found


def _slow(cells: Any, made: Callable[[Any], Any], kind: Any, filling: Filling) -> pa.Array:
    """Return a column made cell by cell; what cannot be made is noted, and null."""
    found: list[Any] = []
    values = cells if isinstance(cells, list) else cells.to_pylist()
    for place, cell in enumerate(values):
        if cell is None or (cell == "" and not pa.types.is_string(kind)):
            found.append(None)
            continue
        try:
            found.append(made(cell))
        except ValueError as error:
            found.append(None)
            filling.tell([place], lambda at: values[at], str(error), _fix(filling.column))
    return pa.array(found, kind)


def _fix(column: Column) -> str:
    match column.sort:
        case "number":
            return "send a number such as 1250.5"
        case "time":
            return "send a time such as 2026-01-31T09:30:00Z, or seconds since 1970"
        case _:
            return "send text"


def _none_of(cells: Any, kind: Any, filling: Filling, reason: str, fix: str) -> pa.Array:
    """Return nothing for a column of another type; that is told of each of its cells, which are not made for it: a cell
    of a nested type may be far larger than what was sent of it.
    """  # fmt: skip
    try:
        there = np.flatnonzero(~_mask(pc.is_null(cells)))
    except (pa.ArrowException, TypeError):
        there = np.arange(len(cells))
    what = "" if isinstance(cells, list) else f"a {cells.type}"
    filling.tell(there, lambda at: cells[at] if isinstance(cells, list) else what, reason, fix)
    return pa.nulls(len(cells), kind)


def _plain(cells: pa.Array, filling: Filling) -> pa.Array:
    """Return a column without dictionaries, its text in one type.

    A text that many cells share is checked before each of them gets its own: one that is too long is noted, and null.
    """
    if pa.types.is_dictionary(cells.type):
        return _decoded(cells, filling)
    if pa.types.is_string_view(cells.type):
        long = _long_views(cells, filling.column)
        if not long.any():
            return cells.cast(pa.string())
        _tell_long(np.flatnonzero(long), filling)
        return _without(cells, long)
    if pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type):
        return cells.cast(pa.string())
    return cells


def _decoded(cells: pa.DictionaryArray, filling: Filling) -> pa.Array:
    values, column = cells.dictionary, filling.column
    is_view = pa.types.is_string_view(values.type)
    if not is_view and not is_text(values.type):
        return cells.dictionary_decode() if pa.types.is_primitive(values.type) else cells
    if is_view:
        long = _long_views(values, column)
        trimmed = pc.utf8_trim_whitespace(_without(values, long))
    else:
        trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
        long = np.zeros(len(values), dtype=bool)
    blank = pc.and_(pc.equal(trimmed, ""), pc.not_equal(values.cast(pa.string()), ""))
    trimmed = pc.if_else(pc.fill_null(blank, False), " ", trimmed)  # it was sent, and says nothing
    long |= _mask(pc.fill_null(pc.greater(pc.utf8_length(trimmed), column.most_characters), False))
    if long.any():
        indices = pc.fill_null(cells.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        _tell_long(np.flatnonzero(np.append(long, False)[indices]), filling)
        trimmed = pc.if_else(pa.array(long), pa.scalar(None, pa.string()), trimmed)
    return pa.DictionaryArray.from_arrays(cells.indices, trimmed).dictionary_decode()


def _long_views(views: pa.Array, column: Column) -> Any:
    """Return which texts of a string_view column are too long, white space and all.

    (Arrow columnar format, variable-size binary view: 16 bytes each, which begin with the length in bytes as int32.)
    """
    if not len(views):
        return np.zeros(0, dtype=bool)
    lengths = np.frombuffer(views.buffers()[1], dtype=np.int32)[4 * views.offset :: 4][: len(views)]
    return (lengths > 4 * column.most_characters) & _mask(pc.is_valid(views))


def _without(views: pa.Array, long: Any) -> pa.Array:
    """Return texts, null where one is too long: even to look at such a one makes it anew."""
    return pa.array([None if is_long else views[at].as_py() for at, is_long in enumerate(long.tolist())], pa.string())


def _tell_long(places: Any, filling: Filling) -> None:
    filling.tell(
        places, lambda at: "", f"has more than {count(filling.column.most_characters, 'character')}", "shorten it"
    )


def _empty_to_null(texts: pa.Array) -> pa.Array:
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def places_of(codes: pa.DictionaryArray) -> list[Any]:
    """Return of each value of a dictionary the places where it stands."""
    indices = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(indices, kind="stable")
    bounds = np.searchsorted(indices[order], np.arange(len(codes.dictionary) + 1))
    return [order[first:last] for first, last in pairwise(bounds)]


def _mask(flags: pa.Array) -> Any:
    return flags.to_numpy(zero_copy_only=False).astype(bool)
