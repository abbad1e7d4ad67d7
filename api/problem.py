"""Errors as problem details (RFC 9457): what is wrong, with which field, what it may be, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from core.errors import ChangeRejected

TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported type",
    422: "Invalid parameter",
    429: "Too many requests",
    500: "Failed",
    503: "Storage does not answer",
}
MOST_ALLOWED = 50
"""Values that a problem lists."""


class Problem(BaseModel):
    """Why a request has no answer."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: str = Field("about:blank", description="Always about:blank: title and status say what kind it is.")
    title: str = Field(description="What kind of problem it is.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong, in a sentence.")
    field: str = Field("", description="The parameter or part of the path that is wrong; empty: none is.")
    fix: str = Field("", description="What to send instead.")
    allowed: list[str] = Field(default_factory=list, description="What the field may be, where that is a list.")


class RowProblem(BaseModel):
    """What is wrong with one cell of a batch."""

    row: int = Field(description="Counted from 1, without a header; 0: it concerns the batch as a whole.")
    field: str = Field(description="The column; empty: the whole row.")
    value: str = Field(description="What stands there, cut to 80 characters.")
    reason: str = Field(description="What is wrong with it.")
    fix: str = Field(description="What to send instead.")


class BatchProblem(Problem):
    """Why a batch was refused whole: nothing of it is stored."""

    rows: list[RowProblem] = Field(default_factory=list, description="The first hundred things that are wrong.")
    more: int = Field(0, description="How many there are beside these.")


class Refused(Exception):
    """A request has no answer; `problem` says why."""

    def __init__(
        self, status: int, detail: str, *, field: str = "", fix: str = "", allowed: Iterable[str] = ()
    ) -> None:
        super().__init__(detail)
        self.problem: Problem = Problem(
            title=TITLES[status], status=status, detail=detail, field=field, fix=fix, allowed=[*allowed][:MOST_ALLOWED]
        )


def named(error: ChangeRejected) -> ChangeRejected:
    """Return why something was not deleted, where what was typed to delete it is the field `name`."""
    return ChangeRejected(
        error.reason, {"name" if name == "typed" else name: why for name, why in error.fields.items()}
    )


def none_of(field: str, value: str, allowed: Iterable[str], *, status: int = 422, noun: str = "") -> Refused:
    """Return the refusal of a value that is none of `allowed`; it names the nearest of them."""
    known = [*allowed]
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    fix = f"Did you mean {near[0]}?" if near else f"Give one of {', '.join(known[:10])}." if known else ""
    detail = f"There is no {noun or field} {value[:200]!r}."
    return Refused(status, detail, field=field, fix=fix, allowed=known)
