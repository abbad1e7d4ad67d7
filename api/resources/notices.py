"""Notices: what happened, a sentence each, and up to where whoever asks has seen them."""

from __future__ import annotations

from dataclasses import astuple

from pydantic import Field

from api.body import Body
from api.models import Answered, Page, Time, age, at
from api.operation import Ask, Operation
from api.parameters import Listed, Parameters
from api.problem import Refused
from api.resources.alerts import TAG
from portfolio.notices import notice as kept
from portfolio.notices.read import MOST_COUNTED, read_notices, seen_of
from storage.state.notices_seen import END, mark_seen, up_to

SOURCE = "state database and readiness_changes"


class Notice(Answered):
    """Something that happened: an alert, a halt, an import, a silence, or that it became safe to trade, or not."""

    id: str
    at: Time | None
    kind: str = Field(description="fires, raised, resolved, acknowledged, halted, resumed, safe, not_safe, taken …")
    level: str = Field(description="good, info, warning, critical, urgent.")
    text: str = Field(description="What happened, in one sentence.")
    portfolio: str = Field(description="`id` of the portfolio that it is of; empty: of none, or of all.")
    alerts: int = Field(description="How many alerts it tells of together.")
    who: str = Field(description="Who did it; empty: nobody.")
    place: str = Field(description="Its page, below the address of Fundwatch.")
    seen: bool = Field(description="Whether whoever asks has seen it: the account, or that of the token.")
    up_to: str = Field(description="Of the newest, the first: what /notices/seen takes to mark all; else empty.")


class HasSeen(Body):
    """Up to where somebody has seen the notices."""

    up_to: str = Field(min_length=7, max_length=80, description="`up_to` of the newest notice that was listed.")


class Marked(Answered):
    """Up to where the notices are marked as seen."""

    up_to: str


def _list(ask: Ask[Listed]) -> Page[Notice]:
    after = ask.begins.after
    before = END if after is None else up_to(".".join(map(str, after)))
    if before is None:
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
    part = read_notices(ask.stores, ask.viewer.portfolios, ask.query.limit, before)
    seen = seen_of(ask.stores, ask.viewer.name)
    up_to_all = read_notices(ask.stores, ask.viewer.portfolios, MOST_COUNTED).newest.text if after is None else ""
    newest = at(part.notices[0].at) if part.notices else None
    return Page[Notice](
        items=[_told(each, seen, "" if number else up_to_all)
               for number, each in enumerate(part.notices)],
        next=ask.begins.next(astuple(part.following)) if part.following else None,
        as_of=newest, age_seconds=age(newest.timestamp() if newest else None, ask.now), source=SOURCE,
        told=[part.problem] if part.problem else [],
    )  # fmt: skip


def _told(each: kept.Notice, seen: kept.Seen, up_to_all: str) -> Notice:
    return Notice(
        id=each.id, at=at(each.at), kind=each.kind, level=each.level, text=each.sentence, portfolio=each.portfolio,
        alerts=each.count if each.rule else 0, who=each.who, place=each.href, seen=not seen.misses(each),
        up_to=up_to_all,
    )  # fmt: skip


def _mark(ask: Ask[Parameters]) -> Marked:
    place = up_to(ask.sent(HasSeen).up_to)
    if place is None:
        raise Refused(422, "up_to is no place among notices.", field="up_to", fix="Send it as /notices tells it.")
    mark_seen(ask.stores.state, ask.viewer.name, place, ask.now)
    return Marked(up_to=place.text)


OPERATIONS = (
    Operation(path="/notices", summary="What happened, the newest first: alerts and incidents, halts, whether it is "
              "safe to trade, imports, silences and maintenance. An answer can have fewer items than `limit` and still "
              "a `next`.", answer=_list, model=Page[Notice], query=Listed, tag=TAG),
    Operation(path="/notices/seen", method="POST", summary="Mark notices as seen, for the account whose token it "
              "is: on pages too.", answer=_mark, model=Marked, body=HasSeen, tag=TAG),
)  # fmt: skip
