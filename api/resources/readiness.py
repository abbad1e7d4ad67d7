"""Whether trading may go on, for trading systems: the answer, why, and every check that it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from access.tokens import Scope
from api.models import Aged, Answered, Time, age, at
from api.operation import Ask, Operation
from api.parameters import Parameters
from api.problem import Refused, none_of
from core.readiness import EVERY_PORTFOLIO, READINESS, ReadinessCheck, State
from portfolio.allowed import seen_ids
from status.readiness import Readiness, readiness_of
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from core.settings.model import Settings

TAG = "Readiness"
SCOPE = Scope.READINESS.value
OWN_KEY = f"{OWN}:"


class Check(Answered):
    """Something that must be well."""

    check: str = Field(description="Its id, as settings name it.")
    portfolio: str = Field(description="`id` of the portfolio that it is of; empty: of the whole fund.")
    title: str = Field(description="What it is called, whether it is ready or not.")
    state: State = Field(description="unknown is not ready; what is not watched does not count.")
    why: str
    as_of: Time | None = Field(description="When what it rests on was measured; null: nothing was.")
    age_seconds: float | None
    since: Time | None = Field(description="Since when it is in this state.")
    where: str = Field(description="Address of the page that shows it.")


class TradingReadiness(Aged):
    """Whether trading may go on. Nothing but `safe` says so; with 503 it may not."""

    portfolio: str = Field(description="`id` of the portfolio; empty: the whole fund, with every portfolio in it.")
    scope: Literal["fund", "seen", "portfolio"] = Field(
        description="What `safe` is of: the whole fund, of it the portfolios that you may see alone, or one portfolio."
    )
    safe: bool = Field(description="Whether every check that is watched was ready for long enough.")
    ready: int = Field(description="How many kinds of checks are ready.")
    watched: int = Field(description="How many are watched.")
    reasons: list[str] = Field(description="Why it is not safe, a sentence each; empty: it is.")
    since: Time | None = Field(description="Since when it is as it is; null: that is not known.")
    halted_by: str = Field(description="Who halted it by hand; empty: nobody did.")
    checks: list[Check]


def _whole(ask: Ask[Parameters]) -> TradingReadiness:
    found = readiness_of(ask.stores, ask.now)
    if ask.viewer.portfolios is None:
        return _told(found, EVERY_PORTFOLIO, ask.now)
    return _told(found.only(_ids(found, ask)), EVERY_PORTFOLIO, ask.now)


def _one(ask: Ask[Parameters]) -> TradingReadiness:
    id = ask.parts["portfolio"].removeprefix(OWN_KEY)
    found = readiness_of(ask.stores, ask.now)
    ids = _ids(found, ask)
    if id not in ids:
        raise _none_of(id, ids, found)
    return _told(found if ask.viewer.portfolios is None else found.only(ids), id, ask.now)


def _ids(found: Readiness, ask: Ask[Parameters]) -> frozenset[str]:
    """Return the ids of the portfolios that may be seen."""
    limits = ask.viewer.portfolios
    return frozenset(found.parents) if limits is None else seen_ids(found.parents, limits)


def _none_of(id: str, ids: frozenset[str], found: Readiness) -> Refused:
    if found.unknown and not found.parents:
        return Refused(503, found.unknown, fix="Ask again in some seconds; until then it is not safe.")
    return none_of("portfolio", id, sorted(ids), status=404)


def _told(found: Readiness, portfolio: str, now: float) -> TradingReadiness:
    answer = found.of(portfolio)
    return TradingReadiness(
        portfolio=_key(portfolio),
        scope="portfolio" if portfolio else "seen" if found.is_limited else "fund",
        safe=answer.is_safe,
        ready=answer.ready,
        watched=answer.watched,
        reasons=answer.reasons,
        since=at(answer.since or None),
        halted_by=answer.halted_by,
        checks=[_check(each, now) for each in found.checks_of(portfolio)],
        as_of=at(found.read_at),
        age_seconds=age(found.read_at, now),
        stale=bool(found.unknown),
        source=READINESS,
    )


def _check(check: ReadinessCheck, now: float) -> Check:
    return Check(
        check=check.check, portfolio=_key(check.portfolio), title=check.title, state=State(check.state), why=check.why,
        as_of=at(check.read_at), age_seconds=age(check.read_at, now), since=at(check.since), where=check.where,
    )  # fmt: skip


def _key(portfolio: str) -> str:
    return f"{OWN_KEY}{portfolio}" if portfolio else ""


def _datasets(_settings: Settings) -> tuple[str, ...]:
    """Return the data sets whose versions move with a change of the answer, a halt and a portfolio."""
    return (READINESS, "portfolio")


def _is_safe(answer: TradingReadiness) -> bool:
    return answer.safe


OPERATIONS = (
    Operation(path="/trading-readiness", summary="Whether trading may go on: of the whole fund, or of all that you may "
              "see of it.", answer=_whole, model=TradingReadiness, tag=TAG, scope=SCOPE, is_well=_is_safe,
              datasets=_datasets),
    Operation(path="/trading-readiness/{portfolio}", summary="Whether trading of a portfolio may go on.", answer=_one,
              model=TradingReadiness, tag=TAG, scope=SCOPE, is_well=_is_safe, datasets=_datasets,
              parts={"portfolio": "Id of a portfolio of the fund: alpha, or own:alpha as /portfolios says."}),
)  # fmt: skip
