"""From cells as sent to typed columns: whole columns at once, and cell by cell only where one is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from core.currency import ISO_4217, NO_CURRENCY
from core.ingest.columns import Column
from core.model import Labels
from portfolio.ingest.body import Cells
from portfolio.ingest.faults import Faults

AHEAD_SECONDS = 300
"""So far a time may lie ahead of our clock."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
LABEL_CHARACTERS = 1_000
MOST_LABELS = 30
NOT_TEXT = "is no text"


@dataclass(frozen=True, slots=True)
class Filling:
    """Which column is filled, for what is told of it, and when that is."""

    column: Column
    faults: Faults
    now: float

    def tell(self, places: Any, value: Callable[[int], Any], reason: str, fix: str) -> None:
        """Note a fault of cells, by their places."""
        self.faults.add_many(map(int, places), self.column.name, value, reason, fix)


def typed(column: Column, cells: Cells, faults: Faults, now: float) -> Any:
    """Return a column in its type, null where nothing was sent: text, choice and currency as strings, number as double,
    time as int64 in its resolution since 1970; labels as a list of sorted pairs.

    What is wrong is noted in `faults`, and null.
    """  # fmt: skip
    filling = Filling(column, faults, now)
    match column.sort:
        case "number":
            found = _checked_numbers(_numbers(cells, filling), filling)
        case "time":
            found = _checked_times(_times(cells, filling), filling)
        case "labels":
            return _labels(cells, filling)
        case _:
            found = _checked_texts(_texts(cells, filling), filling)
    before = len(faults)
    if column.is_required and found.null_count and before == len(faults):
        sent = _is_sent(cells)
        missing = [place for place in np.flatnonzero(_mask(pc.is_null(found))).tolist() if not sent(place)]
        filling.tell(missing, lambda place: "", "is missing", f"send it: {column.meaning}")
    return found


def _is_sent(cells: Cells) -> Callable[[int], bool]:
    def sent(place: int) -> bool:
        cell = _shown(cells, place)
        return cell is not None and cell != ""

    return sent


def _shown(cells: Cells, place: int) -> Any:
    cell = cells[place]
    if isinstance(cell, pa.Scalar):
        try:
            return cell.as_py()
        except (ValueError, OverflowError):
            return str(cell)
    return cell


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
    cells = _plain(cells)
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
    if isinstance(cell, str) and not _NUMBER.fullmatch(cell.strip()):
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
    there = ~_mask(pc.is_null(found)) if found.null_count else np.ones(len(found), dtype=bool)
    wrong = there & ~np.isfinite(values)

    def shown(place: int) -> str:
        return f"{values[place]:g}"

    if wrong.any():
        filling.tell(np.flatnonzero(wrong), shown, "is no finite number", "send a number, or leave the row out")
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
        return _slow(cells, lambda cell: _moment(cell, per_second), pa.int64(), filling)
    cells = _plain(cells)
    if pa.types.is_timestamp(cells.type):
        if cells.type.tz is None:
            return _none_of(cells, pa.int64(), filling, "has no time zone", "give the column the zone UTC")
        micros = _floor(cells)
        return pc.floor(pc.divide(micros.cast(pa.float64()), 1e6)).cast(pa.int64()) if per_second == 1 else micros
    if pa.types.is_date(cells.type):
        days = cells.cast(pa.timestamp("ms")).cast(pa.int64())
        return pc.multiply(pc.divide(days, 1_000), per_second)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        return _slow(cells.to_pylist(), lambda cell: _moment(cell, per_second), pa.int64(), filling)
    if pa.types.is_string(cells.type):
        try:
            return _parsed(_empty_to_null(cells), per_second)
        except pa.ArrowException:
            return _slow(cells.to_pylist(), lambda cell: _moment(cell, per_second), pa.int64(), filling)
    return _none_of(cells, pa.int64(), filling, "is no time", "give the column the type timestamp with a zone")


def _floor(cells: pa.Array) -> pa.Array:
    """Return moments in whole microseconds since 1970, finer ones cut off."""
    if cells.type.unit == "ns":
        nanos = cells.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if cells.null_count:
            return cells.cast(pa.timestamp("us", cells.type.tz), safe=False).cast(pa.int64())
        return pa.array(np.floor_divide(nanos, 1_000), pa.int64())
    return cells.cast(pa.timestamp("us", cells.type.tz), safe=True).cast(pa.int64())


def _parsed(texts: pa.Array, per_second: int) -> pa.Array:
    """Return moments of texts. Raises ArrowInvalid where one is none, has no zone or lies beyond 1677 to 2262."""
    is_day = pc.equal(pc.utf8_length(texts), 10)
    if pc.any(is_day).as_py():
        midnight = pc.binary_join_element_wise(texts, pa.scalar("T00:00:00Z"), "")
        texts = pc.if_else(is_day, midnight, texts)
    nanos = texts.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    numbers = nanos.to_numpy(zero_copy_only=False)
    if nanos.null_count:
        numbers = pc.fill_null(nanos, 0).to_numpy(zero_copy_only=False)
    ticks = np.floor_divide(numbers, 1_000_000_000 // per_second)
    return pa.array(ticks, pa.int64(), mask=_mask(pc.is_null(nanos)) if nanos.null_count else None)


def _moment(cell: Any, per_second: int) -> int:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise ValueError("is no time")
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
    if not np.isfinite(cell) or not -1e12 < cell < 1e12:
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
        filling.tell(np.flatnonzero(late), shown, "lies in the future", fix)
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
    cells = _plain(cells)
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_integer(cells.type):
        return cells.cast(pa.string())
    return _none_of(cells, pa.string(), filling, NOT_TEXT, "give the column the type string")


def _text(cell: Any) -> str:
    if isinstance(cell, bool) or not isinstance(cell, int | str):
        raise ValueError(NOT_TEXT)
    return str(cell)


def _checked_texts(found: pa.Array, filling: Filling) -> pa.Array:
    column = filling.column
    found = _empty_to_null(pc.utf8_trim_whitespace(found))
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
        told = f"has more than {column.most_characters} characters"
        filling.tell(np.flatnonzero(_mask(long)), shown, told, "shorten it")
    odd = pc.fill_null(pc.match_substring_regex(found, r"[\x00-\x1f\x7f]"), False)
    if pc.any(odd).as_py():
        filling.tell(np.flatnonzero(_mask(odd)), shown, "has a control character", "send printable text")
    return found


def _labels(cells: Cells, filling: Filling) -> list[Labels]:
    values = cells if isinstance(cells, list) else _plain(cells).to_pylist()
    known: dict[Any, Labels] = {}
    found: list[Labels] = []
    for place, cell in enumerate(values):
        if not cell:
            found.append(())
            continue
        try:
            asked = tuple(cell.items()) if isinstance(cell, dict) else cell if isinstance(cell, str) else tuple(cell)
            pairs = known.get(asked)
            if pairs is None:
                pairs = known[asked] = _label_pairs(cell)
        except (ValueError, TypeError) as error:
            reason = str(error) if isinstance(error, ValueError) else "is no object of texts"
            filling.tell([place], lambda at: values[at], reason, 'send {"name": "value"}')
            pairs = ()
        found.append(pairs)
    return found


def _label_pairs(cell: Any) -> Labels:
    if isinstance(cell, str):
        try:
            cell = orjson.loads(cell)
        except orjson.JSONDecodeError as error:
            raise ValueError("is no JSON") from error
        if not isinstance(cell, dict):
            raise ValueError("is no object")
    pairs = dict(cell)
    if len(pairs) > MOST_LABELS:
        raise ValueError(f"has more than {MOST_LABELS} labels")
    for name, value in pairs.items():
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            raise ValueError("has a name that is none (letters, digits and _)")
        if not isinstance(value, str) or len(value) > LABEL_CHARACTERS or not value.isprintable():
            raise ValueError(f"has a value that is no text of {LABEL_CHARACTERS} printable characters at most")
    return tuple(sorted(pairs.items()))


def _slow(cells: Any, made: Callable[[Any], Any], kind: Any, filling: Filling) -> pa.Array:
    """Return a column made cell by cell; what cannot be made is noted, and null."""
    found: list[Any] = []
    values = cells if isinstance(cells, list) else cells.to_pylist()
    for place, cell in enumerate(values):
        if cell is None or cell == "":
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


def _none_of(cells: pa.Array, kind: Any, filling: Filling, reason: str, fix: str) -> pa.Array:
    """Return nothing for a column of another type; that is told of each of its cells."""
    filling.tell(np.flatnonzero(~_mask(pc.is_null(cells))), lambda at: _shown(cells, at), reason, fix)
    return pa.nulls(len(cells), kind)


def _plain(cells: pa.Array) -> pa.Array:
    """Return a column without dictionaries, its text in one type."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_large_string(cells.type) or pa.types.is_string_view(cells.type):
        return cells.cast(pa.string())
    return cells.cast(pa.string()) if pa.types.is_null(cells.type) else cells


def _empty_to_null(texts: pa.Array) -> pa.Array:
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def _mask(flags: pa.Array) -> Any:
    return flags.to_numpy(zero_copy_only=False).astype(bool)
