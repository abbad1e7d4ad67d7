"""What a request may ask for: each operation names its parameters in one model; anything else is refused."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from api.problem import Refused
from storage.clickhouse.reads.series import STEPS

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

MOST_ITEMS, USUAL_ITEMS = 10_000, 1_000
MOST_POINTS = 5_000
"""Of a series in one window."""
UNITS = {"m": 60, "h": 3_600, "d": 86_400}
PERIOD = r"^[1-9][0-9]{0,3}[mhd]$"
AHEAD_SECONDS = 3_600.0
"""Of now: nothing is stored of what is later."""
LONGEST_SECONDS = 3_650 * 86_400


class Parameters(BaseModel):
    """The parameters of an operation. Without a field: it takes none."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Listed(Parameters):
    """Those of a list."""

    limit: int = Field(USUAL_ITEMS, ge=1, le=MOST_ITEMS, description="Most items of an answer.")
    cursor: str = Field("", max_length=2_000, description="`next` of the answer before; the other parameters as there.")


class Span(Parameters):
    """A stretch of time."""

    period: str = Field(
        "", pattern=f"^$|{PERIOD}", description="How far back from now: 15m, 1h, 24h, 7d, 30d …; 1h when left out."
    )
    start: datetime | None = Field(None, alias="from", description="Beginning, RFC 3339, instead of `period`.")
    end: datetime | None = Field(None, alias="to", description="End, RFC 3339; now when left out.")
    step: int = Field(0, description="Seconds between points, one of those that are stored; 0: as many as fit.")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _has_zone(cls, value: object) -> object:
        return with_zone(value)

    @field_validator("step")
    @classmethod
    def _is_stored(cls, value: int) -> int:
        if value not in (0, *STEPS):
            raise ValueError(f"is none of {', '.join(map(str, STEPS))}")
        return value

    @model_validator(mode="after")
    def _is_one_span(self) -> Self:
        if self.period and (self.start or self.end):
            raise ValueError("period and from/to exclude each other: give one of them")
        if self.end and not self.start:
            raise ValueError("to without from: give both, or period")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("from is not before to: give the earlier time first")
        return self

    def seconds(self, now: float) -> tuple[float, float]:
        """Return beginning and end in epoch seconds. Raises Refused for one that is too long or fine for its step."""
        if self.start is not None:
            start, end = self.start.timestamp(), self.end.timestamp() if self.end else now
        else:
            period = self.period or "1h"
            end, start = now, now - int(period[:-1]) * UNITS[period[-1]]
        end = min(end, now + AHEAD_SECONDS)
        if start >= end:
            raise Refused(422, "from lies in the future.", field="from", fix="Give a time before now.")
        if end - start > LONGEST_SECONDS or start < 0:
            raise Refused(422, "That is more than ten years, or before 1970.", field="from", fix="Give a later from.")
        if self.step and (end - start) / self.step > MOST_POINTS:
            fix = f"Give a step of {int((end - start) / MOST_POINTS) + 1} seconds or more, or a shorter time."
            raise Refused(422, f"step gives more than {MOST_POINTS} points.", field="step", fix=fix)
        return start, end


class OfList(Listed, Span):
    """Those of a list over a stretch of time."""


P = TypeVar("P", bound=Parameters)


def parsed(model: type[P], given: MultiDict[str, str]) -> P:
    """Return the parameters of a query string. Raises Refused that names the first one that is wrong."""
    for name, values in given.lists():
        if len(values) > 1:
            raise Refused(422, f"{name} is given {len(values)} times.", field=name, fix="Give it once.")
    try:
        return model.model_validate(given.to_dict())
    except ValidationError as error:
        raise refusal(model, first_of(error)) from error


_FOR_TEXT = ("title", "message", "description", "body", "comment", "note", "reason")
OTHER_WORDS = dict.fromkeys(_FOR_TEXT, ("text", "why", "title"))
"""What other programs call a field, whatever its letters are."""


def first_of(error: ValidationError) -> Any:
    """Return what is told of what pydantic found wrong: a name that is misspelt before the one that is missing."""
    return min(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")


def names_of(model: type[BaseModel]) -> list[str]:
    """Return the names of the parameters, or of the fields of a body, of a model."""
    return [field.alias or name for name, field in model.model_fields.items()]


def refusal(model: type[BaseModel], error: Any, noun: str = "parameter") -> Refused:
    """Return the refusal of what pydantic found wrong. noun: what a field of the model is to the one who asks."""
    # Of a choice between kinds pydantic tells the kind that it tried too: literal['1Y'].
    field = ".".join(part for part in map(str, error["loc"]) if not part.startswith("literal["))[:200]
    known = names_of(model)
    if error["type"] == "extra_forbidden" and len(error["loc"]) > 1:
        return Refused(422, f"There is no {noun} {field!r}.", field=field, fix="Leave it out.")
    if error["type"] == "extra_forbidden":
        meant = next((each for each in OTHER_WORDS.get(field, ()) if each in known), None)
        near = [meant] if meant else difflib.get_close_matches(field, known, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"Leave it out; there are {', '.join(known) or 'none'}."
        return Refused(422, f"There is no {noun} {field!r}.", field=field, fix=fix, allowed=known)
    said = str(error["msg"]).removeprefix("Value error, ")
    allowed = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
    if not field:
        name, _, _ = said.partition(" ")
        what, _, fix = said.partition(": ")
        fix = f"{fix[:1].upper()}{fix[1:]}." if fix else ""
        return Refused(422, f"{what}.", field=name if name in known else "", fix=fix)
    description = next(
        (each.description or "" for name, each in model.model_fields.items() if error["loc"][0] in (name, each.alias)),
        "",
    )
    detail = f"{field}: {said}" if not said.startswith("is ") else f"{field} {said}"
    return Refused(422, f"{detail}.", field=field, fix=f"What it is: {description}", allowed=allowed)


def with_zone(value: object) -> object:
    """Return the time that a text tells with its zone; what is no text, as it is. Raises ValueError."""
    found = rfc3339(value) if isinstance(value, str) else value
    if found is None and value is not None:
        raise ValueError("is no time as 2026-01-31T09:30:00Z; without a zone nobody knows which moment it is")
    return found


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(text: str) -> datetime | None:
    """Return the time that a text tells with its zone, in UTC; None where it tells none."""
    # A plus that was not escaped arrives as a blank.
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", text)
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
