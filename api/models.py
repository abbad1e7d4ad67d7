"""What answers are made of: figures with unit, age and source, lists with one shape, times in RFC 3339 and UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from core.model import LiveReading
from status.freshness import is_stale, reading_stale_after_seconds

FIRST_SECONDS, LAST_SECONDS = 0.0, 253_402_300_799.0
"""Times that RFC 3339 can tell: 1970 to 9999."""


class Answered(BaseModel):
    """An answer or a part of one. What is not a number (NaN, infinite) is null."""

    model_config = ConfigDict(
        ser_json_inf_nan="null", json_schema_serialization_defaults_required=True, frozen=True
    )  # fmt: skip


Time = Annotated[datetime, Field(description="RFC 3339, UTC.")]
Number = Annotated[float | None, Field(description="null: not known.")]


class Aged(Answered):
    """How old something is and where it comes from."""

    as_of: Time | None = Field(None, description="When it was measured; null: never yet, or it has no age (a sample).")
    age_seconds: float | None = Field(None, ge=0, description="How long ago that was, when this was answered.")
    stale: bool = Field(False, description="Whether it is too old to say how things are now.")
    source: str = Field("", description="What told it: collector@machine, or the table it is stored in.")


class Figure(Aged):
    """One number with its unit, age and source."""

    value: Number = None
    unit: str = Field(description="bytes, bytes/s, seconds, ratio, /s, count, days, years, number or a currency.")


Item = TypeVar("Item", bound=BaseModel)


class Page(Aged, Generic[Item]):
    """A part of a list. Its age is that of the newest thing that it is made from; it is stale where all of them are."""

    items: list[Item]
    next: str | None = Field(None, description="Send it as `cursor` for what follows; null: nothing does.")
    units: dict[str, str] = Field(default_factory=dict, description="Unit of each field of an item that has one.")
    told: list[str] = Field(default_factory=list, description="What must be known beside it, a sentence each.")

    @classmethod
    def model_parametrized_name(cls, params: Any) -> str:
        """Return what a list is called in the document: ComponentList."""
        return f"{params[0].__name__}List"


def at(seconds: float | None) -> datetime | None:
    """Return a moment (epoch seconds) as a time, by the millisecond; None where there is none or nobody can tell it."""
    if seconds is None or not FIRST_SECONDS <= seconds <= LAST_SECONDS:
        return None
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def day_of(day: np.datetime64) -> date:
    """Return a day as a date."""
    found: date = day.astype("datetime64[D]").item()
    return found


def age(as_of: float | None, now: float) -> float | None:
    """Return the age in whole seconds of something told at `as_of`, at `now` (epoch seconds)."""
    return None if as_of is None else float(max(int(now - as_of), 0))


def aged(as_of: float | None, now: float, stale_after_seconds: float | None, source: str) -> Aged:
    """Return the age of what was told at `as_of` (epoch seconds) and is stale after some seconds; None: never."""
    is_old = as_of is not None and stale_after_seconds is not None and now - as_of > stale_after_seconds
    return Aged(as_of=at(as_of), age_seconds=age(as_of, now), stale=is_old, source=source)


def aged_reading(reading: LiveReading, now: float) -> Aged:
    """Return the age of a newest reading."""
    source = f"{reading.collector}@{reading.host}"
    return aged(reading.ts, now, reading_stale_after_seconds(reading), source)


def newest_of(readings: list[LiveReading], now: float) -> Aged:
    """Return the age of the newest of several readings; stale where every one is, and where there is none."""
    if not readings:
        return Aged(stale=True)
    newest = max(readings, key=lambda each: each.ts)
    source = ", ".join(sorted({each.collector for each in readings}))
    return Aged(
        as_of=at(newest.ts), age_seconds=age(newest.ts, now), stale=all(is_stale(each, now) for each in readings),
        source=source,
    )  # fmt: skip
