"""Cells that are times: as text, as numbers or in a type of Arrow, made ticks since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from portfolio.ingest.filling import NUMBER, Filling, check_length, empty_to_null, mask_of, none_of, one_by_one
from portfolio.ingest.raw import Cells

MOST_SECONDS = 1e12
"""Of a time in seconds since 1970; more of them are milliseconds, or nothing at all."""
AHEAD_SECONDS = 300
"""So far a time may lie ahead of our clock."""
SOON_SECONDS = 86_400
"""A time that lies no further ahead will soon be past: a day's end, or a clock that is wrong."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""In a second, by the unit of an Arrow timestamp."""


def times(cells: Cells, filling: Filling) -> pa.Array:
    """Return cells as int64 ticks of the column since 1970; what is no time is noted, and null."""
    per_second = 1_000_000 if filling.column.resolution == "microsecond" else 1
    if isinstance(cells, list):
        sorts = set(map(type, cells)) - {type(None)}
        if sorts == {str}:
            return times(pa.array(cells, pa.string()), filling)
        if sorts and sorts <= {int, float} and (found := _of_numbers(cells, per_second)) is not None:
            return found
        return one_by_one(cells, lambda cell: _moment(cell, per_second), pa.int64(), filling)
    if pa.types.is_timestamp(cells.type):
        if cells.type.tz is None:
            return none_of(cells, pa.int64(), filling, "has no time zone", "give the column the zone UTC")
        return _in_ticks(cells.cast(pa.int64()), TICKS[cells.type.unit], per_second)
    if pa.types.is_date(cells.type):
        return _in_ticks(cells.cast(pa.timestamp("ms")).cast(pa.int64()), TICKS["ms"], per_second)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        found = _of_numbers(cells, per_second)
        return (
            one_by_one(cells, lambda cell: _moment(cell, per_second), pa.int64(), filling) if found is None else found
        )
    if pa.types.is_string(cells.type):
        try:
            return _parsed(empty_to_null(cells), per_second)
        except pa.ArrowException:
            return one_by_one(cells.to_pylist(), lambda cell: _moment(cell, per_second), pa.int64(), filling)
    return none_of(cells, pa.int64(), filling, "is no time", "give the column the type timestamp with a zone")


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
    return pa.array(ticks, pa.int64(), mask=mask_of(pc.is_null(seconds)) if seconds.null_count else None)


def _in_ticks(moments: pa.Array, sent_per_second: int, per_second: int) -> pa.Array:
    """Return moments since 1970 in other ticks, finer ones cut off; one beyond their reach is the last within it."""
    numbers = pc.fill_null(moments, 0).to_numpy(zero_copy_only=False)
    if sent_per_second >= per_second:
        ticks = np.floor_divide(numbers, sent_per_second // per_second)
    else:
        each = per_second // sent_per_second
        most = np.iinfo(np.int64).max // each
        ticks = np.clip(numbers, -most, most) * each
    return pa.array(ticks, pa.int64(), mask=mask_of(pc.is_null(moments)) if moments.null_count else None)


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
    check_length(cell)
    if isinstance(cell, str):
        text = cell.strip()
        if NUMBER.fullmatch(text):
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


def checked_times(found: pa.Array, filling: Filling) -> pa.Array:
    """Return the same; what lies before 1970 or ahead of our clock is noted."""
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
