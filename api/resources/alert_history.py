"""What happened to alerts and incidents, as the alert engine wrote it down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import orjson
from pydantic import Field, field_validator

from api.models import Answered, Page, Time, age, at
from api.operation import Ask, Operation
from api.parameters import Listed, with_zone
from api.problem import Refused
from api.resources.alerts import HIGHEST_NUMBER, SOURCE, TAG, Word
from portfolio.alerts import sight_of
from storage.state.alerts import NumberedRow, read_history

MOST_LOOKED_AT = 20_000
"""Rows of history that one answer looks through for those that are wanted."""
CHUNK = 1_000


class Happened(Answered):
    """Something that happened to an alert or an incident."""

    id: int
    at: Time | None
    what: str = Field(description="fires, resolved, raised, lowered, acknowledged, undelivered …")
    rule: str
    labels: dict[str, str] = Field(description="Of the series.")
    severity: str
    incident: int | None
    who: str
    detail: str


class OfHistory(Listed):
    """What of all that happened."""

    since: datetime | None = Field(None, description="Only what happened then or later, RFC 3339.")
    until: datetime | None = Field(None, description="Only what happened before, RFC 3339.")
    rule: str = Field("", max_length=80, description="Only of this rule.")
    what: str = Field("", max_length=24, description="Only this: fires, resolved, acknowledged …")
    severity: Word | Literal[""] = Field("", description="Only what matters so much.")
    incident: int = Field(0, ge=0, le=HIGHEST_NUMBER, description="Only of this incident; 0: of any.")

    @field_validator("since", "until", mode="before")
    @classmethod
    def _has_zone(cls, value: object) -> object:
        return with_zone(value)


def _history(ask: Ask[OfHistory]) -> Page[Happened]:
    query, after = ask.query, ask.begins.after
    if after is not None and not (len(after) == 1 and isinstance(after[0], int)):
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
    sight = sight_of(ask.stores, ask.viewer.portfolios)
    items: list[Happened] = []
    last, looked_at, is_end = int(after[0]) if after else 0, 0, True
    for number, row in _rows(ask, last):
        if len(items) == query.limit or looked_at == MOST_LOOKED_AT:
            is_end = False
            break
        last, looked_at = number, looked_at + 1
        seen = sight.history(row)
        if seen is not None and _is_wanted(query, seen.at, seen.rule, seen.what, seen.severity, seen.incident):
            items.append(_happened((number, seen)))
    newest = items[0].at if items else None
    return Page[Happened](
        items=items, next=None if is_end else ask.begins.next((last,)), as_of=newest,
        age_seconds=age(newest.timestamp() if newest else None, ask.now), source=SOURCE,
    )  # fmt: skip


def _rows(ask: Ask[OfHistory], before: int) -> Iterator[NumberedRow]:
    """Yield what happened, the newest first."""
    while True:
        with ask.stores.state.reading() as connection:
            rows = read_history(connection, CHUNK, before)
        yield from rows
        if len(rows) < CHUNK:
            return
        before = rows[-1][0]


def _is_wanted(query: OfHistory, at: float, rule: str, what: str, severity: str, incident: int) -> bool:
    at = round(at, 3)  # as it is told
    return (
        (query.since is None or at >= query.since.timestamp())
        and (query.until is None or at < query.until.timestamp())
        and query.rule in ("", rule)
        and query.what in ("", what)
        and query.severity in ("", severity)
        and query.incident in (0, incident)
    )


def _happened(numbered: NumberedRow) -> Happened:
    id, row = numbered
    return Happened(
        id=id, at=at(row.at), what=row.what, rule=row.rule, labels=orjson.loads(row.labels), severity=row.severity,
        incident=row.incident or None, who=row.who, detail=row.detail,
    )  # fmt: skip


OPERATIONS = (
    Operation(path="/alerts/history", summary="What happened to alerts and incidents, the newest first. An answer can "
              "have fewer items than `limit`, or none, and still a `next`.", answer=_history, model=Page[Happened],
              query=OfHistory, tag=TAG),
)  # fmt: skip
