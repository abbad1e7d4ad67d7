"""Halts: stopping trading by hand, and letting it go on."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from access.tokens import Scope
from access.viewer import CHANGING_ROLE
from api.body import Body
from api.models import Answered, Page, Time, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import Refused
from api.resources.readiness import OWN_KEY, TAG
from portfolio.halting import halt, resume, seen_halt, seen_halts, seen_halts_in_force
from storage.state.halts import WHY_CHARACTERS, Halt

SCOPE = Scope.HALTS.value
SOURCE = "state database"


class TradingHalt(Answered):
    """A halt: as long as it holds, what it is of is not safe."""

    id: int
    portfolio: str = Field(description="`id` of the portfolio, with those below it; empty: everything.")
    who: str
    why: str
    made_at: Time | None
    until: Time | None = Field(description="When it ends by itself; null: it holds until somebody resumes.")
    ended_at: Time | None = Field(description="When somebody resumed; null: nobody has.")
    ended_by: str
    in_force: bool


class OfHalts(Listed):
    """Which halts."""

    over: Literal["true", "false"] = Field("false", description="Whether those that are over are listed too.")


class NewHalt(Body):
    """A halt as it is sent."""

    portfolio: str = Field("", max_length=80, description="`id` of the portfolio, with those below; empty: everything.")
    why: str = Field(min_length=1, max_length=WHY_CHARACTERS, description="Why, in a line.")
    until: AwareDatetime | None = Field(None, description="When it ends by itself, RFC 3339; null: when resumed.")


def _list(ask: Ask[OfHalts]) -> Page[TradingHalt]:
    part, following = part_of(_wanted(ask), lambda each: (-each.id,), ask.begins)
    return Page[TradingHalt](
        items=[_told(each, ask.now) for each in part], next=following, as_of=at(ask.now), age_seconds=0.0,
        source=SOURCE,
    )  # fmt: skip


def _wanted(ask: Ask[OfHalts]) -> list[Halt]:
    """Return the halts of a part of the list, and one more where it is not the last part."""
    if ask.query.over != "true":
        return seen_halts_in_force(ask.stores, ask.viewer.portfolios)
    after = ask.begins.after[0] if ask.begins.after else None
    before = -after if isinstance(after, int) else None
    return seen_halts(ask.stores, ask.viewer.portfolios, ask.begins.limit + 1, before)


def _add(ask: Ask[Parameters]) -> TradingHalt:
    body, viewer = ask.sent(NewHalt), ask.viewer
    until = body.until.timestamp() if body.until else None
    portfolio = body.portfolio.removeprefix(OWN_KEY)
    return _told(halt(ask.stores, portfolio, body.why, until, viewer.name, viewer.portfolios), ask.now)


def _end(ask: Ask[Parameters]) -> TradingHalt:
    text = ask.parts["id"]
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if seen_halt(ask.stores, number, ask.viewer.portfolios) is None:
        raise Refused(404, f"There is no halt {text[:40]!r}.", field="id", fix="Give an `id` that /halts lists.")
    return _told(resume(ask.stores, number, ask.viewer.name, ask.viewer.portfolios), ask.now)


def _told(found: Halt, now: float) -> TradingHalt:
    return TradingHalt(
        id=found.id, portfolio=f"{OWN_KEY}{found.portfolio}" if found.portfolio else "", who=found.who, why=found.why,
        made_at=at(found.made_at), until=at(found.until), ended_at=at(found.ended_at), ended_by=found.ended_by,
        in_force=found.holds(now),
    )  # fmt: skip


OPERATIONS = (
    Operation(path="/halts", summary="Halts, the newest first.", answer=_list, model=Page[TradingHalt], query=OfHalts,
              tag=TAG),
    Operation(path="/halts", method="POST", summary="Halt trading: from this moment on it is not safe.", answer=_add,
              model=TradingHalt, body=NewHalt, status=201, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
    Operation(path="/halts/{id}", method="DELETE", summary="Resume: the halt is over. It is safe again when every "
              "check was ready for long enough.", answer=_end, model=TradingHalt,
              parts={"id": "As `id` in /halts says."}, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
)  # fmt: skip
