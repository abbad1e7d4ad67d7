"""The columns of a kind of rows, read off its pydantic model: what checks, schemas and documents share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, MaxLen
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

Sort = Literal["text", "number", "time", "choice", "currency", "labels"]
Resolution = Literal["second", "microsecond"]


class Row(BaseModel):
    """One row as it is sent. Its keys say which rows are the same thing, told twice."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Moment:
    """Marks a field that is a time, and how finely it is kept."""

    resolution: Resolution = "second"


@dataclass(frozen=True, slots=True)
class Code:
    """Marks a field that is a currency; with `codes` one of these, else any of ISO 4217."""

    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks in what a number is."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """Marks a field that is part of the key."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what may stand in it."""

    name: str
    sort: Sort
    meaning: str
    is_required: bool
    default: Any = None
    is_key: bool = False
    unit: str = ""
    above: float | None = None
    """A number must be more than this."""
    least: float | None = None
    """A number must be at least this."""
    resolution: Resolution = "second"
    most_characters: int = 64
    choices: tuple[str, ...] = ()


def columns_of(model: type[Row]) -> tuple[Column, ...]:
    """Return the columns of a model, in its order."""
    return tuple(_column(name, field) for name, field in model.model_fields.items())


def _column(name: str, field: FieldInfo) -> Column:
    kinds = [field.annotation, *get_args(field.annotation)]
    moment = _mark(field, Moment)
    code = _mark(field, Code)
    gt, ge, most = _mark(field, Gt), _mark(field, Ge), _mark(field, MaxLen)
    literal = next((each for each in kinds if get_origin(each) is Literal), None)
    sort: Sort = "text"
    choices: tuple[str, ...] = ()
    if moment:
        sort = "time"
    elif code:
        sort, choices = "currency", code.codes
    elif literal:
        sort, choices = "choice", tuple(each for each in get_args(literal) if each)
    elif float in kinds:
        sort = "number"
    elif any(get_origin(each) is dict for each in kinds):
        sort = "labels"
    unit = _mark(field, Unit)
    return Column(
        name=name,
        sort=sort,
        meaning=field.description or "",
        is_required=field.is_required(),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        is_key=_mark(field, Key) is not None,
        unit=unit.name if unit else "",
        above=float(gt.gt) if gt else None,
        least=float(ge.ge) if ge else None,
        resolution=moment.resolution if moment else "second",
        most_characters=most.max_length if most else 64,
        choices=choices,
    )


def _mark(field: FieldInfo, kind: type[Any]) -> Any:
    return next((each for each in field.metadata if isinstance(each, kind)), None)
