"""Limits of portfolios: how each stands, when it was broken, and setting it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.body import Body
from api.models import Answered, Number, Page, Time, at
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.portfolios import ID, datasets, finite, portfolio_of
from api.problem import Refused
from core.portfolio_limits.figures import FIGURES
from core.portfolio_limits.limit import EVERY, NOTE_CHARACTERS, PortfolioLimit
from core.roles import Role
from core.settings.model import Settings
from portfolio.allowed import own_ids
from portfolio.limits.change import LIMITS, delete, save
from portfolio.limits.judge import Finding, stands
from storage.state.portfolio_limits import Breach, breaches_in, limits_in
from storage.state.portfolios import OWN, list_portfolios

TAG = "Portfolios"
STATE = "state database"
MOST_BREACHES = 10_000


class LimitNow(Answered):
    """How a limit of a portfolio stands. Values are in the unit of the figure."""

    id: str
    figure: str = Field(description=f"One of {', '.join(FIGURES)}.")
    of: list[str] = Field(description="The instrument or group that it is on, or a restricted list; else the largest.")
    operator: Literal["at most", "at least"]
    limit: Number = Field(description="null: a restricted list has none.")
    unit: str = Field(description="Of value, limit and headroom: ratio, money, times, index, days or count.")
    state: str = Field(description="ok, near (its warn level is reached), breached, or not known: why says it.")
    value: Number
    at: str = Field(description="The instrument or group that value is of; empty: all of the portfolio.")
    use_ratio: Number = Field(description="Value over limit; null: not known, or where nothing is allowed infinite.")
    headroom: Number = Field(description="What is left; below 0: beyond.")
    headroom_money: Number = Field(description="The same in the portfolio's currency, of figures over its value.")
    warn_ratio: float
    severity: str = Field(description="How much a breach matters; from critical on it is not safe to trade.")
    why: str = Field(description="In a sentence.")
    note: str
    set_of: str | None = Field(description="Id of the portfolio that it is set of, empty: of each; null: above it.")
    below: bool
    version: int = Field(description="Of one that was set here: send it to change it. 0: it stands in the settings.")
    set_by: str
    set_at: Time | None


class BreachOf(Answered):
    """A time in which a limit was broken. Values are in the unit of the figure."""

    number: int
    limit_id: str
    figure: str
    of: list[str]
    operator: Literal["at most", "at least"]
    limit: Number = Field(description="As it was when the breach began.")
    unit: str
    severity: str
    began_at: Time | None
    value: Number = Field(description="With which it began.")
    worst: Number
    worst_at: Time | None
    what: str = Field(description="What was found at the worst, in a sentence.")
    ended_at: Time | None = Field(description="null: it goes on.")
    ended_why: str


class NewLimit(Body):
    """A limit as it is sent."""

    portfolio: str = Field(max_length=64, description="Id of the portfolio of the fund's own; empty: each.")
    figure: str = Field(max_length=40, description="What is limited, as `figure` in …/limits says.")
    operator: Literal["at most", "at least"] = Field("at most", description="Whether it is an upper or a lower limit.")
    value: str = Field("", max_length=40, description="With its unit, such as 10 %, 5 M, 1.5 x or 3 d.")
    of: list[str] = Field([], max_length=500, description="Instrument, group, or a restricted list; none: the largest.")
    below: bool = Field(False, description="Whether each portfolio below it is limited in the same way.")
    warn: str = Field("", max_length=10, description="Use of the limit from which on it warns; 80 % when left out.")
    severity: Literal["info", "warning", "critical", "urgent"] = Field("critical", description="Of a breach.")
    note: str = Field("", max_length=NOTE_CHARACTERS, description="Where it comes from.")


class ChangedLimit(NewLimit):
    """A limit as it is to be."""

    version: int = Field(ge=1, description="As it was read: who has changed it meanwhile is not overwritten.")


class SetNow(Answered):
    """A limit that was set."""

    id: str
    version: int
    portfolio: str
    figure: str
    value: float
    hint: str = Field(description="What can be and is hardly meant; empty: nothing.")


def _limits(ask: Ask[Listed]) -> Page[LimitNow]:
    portfolio = portfolio_of(ask)
    found = stands(ask.stores, [portfolio], ask.viewer.portfolios, ask.now)
    part, following = part_of(sorted(found, key=_key), _key, ask.begins)
    limits = ask.viewer.portfolios
    ids = None if limits is None else own_ids(list_portfolios(ask.stores.state, OWN), limits)
    told = [] if found else ["The portfolio has no limits: it has ended."]
    return Page[LimitNow](
        items=[_stands(each, ids) for each in part], next=following, told=told, as_of=at(ask.now), age_seconds=0.0,
        units={"use_ratio": "ratio", "warn_ratio": "ratio", "headroom_money": portfolio.currency},
        source=f"positions, nav and trades, {portfolio.origin}",
    )  # fmt: skip


def _key(each: Finding) -> tuple[str]:
    return (each.limit.id,)


def _stands(each: Finding, ids: frozenset[str] | None) -> LimitNow:
    limit = each.limit
    is_hidden = ids is not None and each.portfolio.origin == OWN and limit.portfolio not in (EVERY, *ids)
    return LimitNow(
        id=limit.id, figure=limit.figure, of=[*limit.of], operator=limit.operator, limit=_value(limit, limit.value),
        unit=limit.about.unit.value, state=each.state.value, value=each.value, at=each.of, use_ratio=finite(each.use),
        headroom=finite(each.headroom), headroom_money=finite(each.headroom_money), warn_ratio=limit.warn_ratio,
        severity=limit.severity.word, why=each.why, note="" if is_hidden else limit.note,
        set_of=None if is_hidden else limit.portfolio, below=limit.below, version=limit.version,
        set_by="" if is_hidden else limit.who, set_at=at(limit.at) if limit.is_set_here else None,
    )  # fmt: skip


def _breaches(ask: Ask[Listed]) -> Page[BreachOf]:
    portfolio = portfolio_of(ask)
    with ask.stores.state.reading() as connection:
        found = breaches_in(connection, [portfolio.id], MOST_BREACHES) if portfolio.origin == OWN else []
    newest = sorted(found, key=lambda each: -each.id)
    part, following = part_of(newest, lambda each: (-each.id,), ask.begins)
    return Page[BreachOf](
        items=[_breach(each) for each in part], next=following, as_of=at(ask.now), age_seconds=0.0, source=STATE
    )


def _breach(each: Breach) -> BreachOf:
    limit = each.limit
    return BreachOf(
        number=each.id, limit_id=limit.id, figure=limit.figure, of=[*limit.of], operator=limit.operator,
        limit=_value(limit, limit.value), unit=limit.about.unit.value, severity=limit.severity.word,
        began_at=at(each.began_at), value=each.value, worst=each.worst, worst_at=at(each.worst_at), what=each.what,
        ended_at=at(each.ended_at), ended_why=each.ended_why,
    )  # fmt: skip


def _value(limit: PortfolioLimit, value: float) -> float | None:
    return None if limit.figure == "restricted" else value


def _add(ask: Ask[Parameters]) -> SetNow:
    return _saved(ask, ask.sent(NewLimit))


def _change(ask: Ask[Parameters]) -> SetNow:
    body, id = ask.sent(ChangedLimit), ask.parts["number"]
    with ask.stores.state.reading() as connection:
        known = [each.id for each in limits_in(connection)]
    if id not in known:
        raise _missing(id)
    return _saved(ask, body, id, body.version)


def _saved(ask: Ask[Parameters], body: NewLimit, id: str = "", version: int = 0) -> SetNow:
    given = {
        "portfolio": body.portfolio, "figure": body.figure, "operator": body.operator, "value": body.value,
        "of": ",".join(body.of), "below": "on" if body.below else "", "warn": body.warn, "severity": body.severity,
        "note": body.note,
    }  # fmt: skip
    done, hint = save(ask.stores, given, ask.viewer.name, id=id, version=version)
    return _told(done, hint)


def _delete(ask: Ask[Parameters]) -> SetNow:
    with ask.stores.state.reading() as connection:
        known = [each.id for each in limits_in(connection)]
    if ask.parts["number"] not in known:
        raise _missing(ask.parts["number"])
    return _told(delete(ask.stores, ask.parts["number"], ask.viewer.name), "")


def _told(limit: PortfolioLimit, hint: str) -> SetNow:
    return SetNow(
        id=limit.id, version=limit.version, portfolio=limit.portfolio, figure=limit.figure, value=limit.value, hint=hint
    )


def _missing(id: str) -> Refused:
    return Refused(404, f"There is no limit {id[:24]!r} that was set here.", field="number",
                   fix="Give an `id` that …/limits lists with a version above 0.")  # fmt: skip


def _datasets(settings: Settings) -> tuple[str, ...]:
    return (*datasets(settings), LIMITS)


NUMBER = {"number": "As `id` in …/limits says."}
OPERATIONS = (
    Operation(path="/portfolios/{id}/limits", summary="Every limit that holds for a portfolio, and how it stands.",
              answer=_limits, model=Page[LimitNow], query=Listed, tag=TAG, parts=ID, datasets=_datasets),
    Operation(path="/portfolios/{id}/breaches", summary="When limits of a portfolio were broken, the newest first.",
              answer=_breaches, model=Page[BreachOf], query=Listed, tag=TAG, parts=ID, datasets=_datasets),
    Operation(path="/limits", method="POST", summary="Set a limit. It holds at once.", answer=_add, model=SetNow,
              body=NewLimit, status=201, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/limits/{number}", method="PUT", summary="Change a limit that was set here.", answer=_change,
              model=SetNow, body=ChangedLimit, parts=NUMBER, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/limits/{number}", method="DELETE", summary="Delete a limit that was set here; its history stays.",
              answer=_delete, model=SetNow, parts=NUMBER, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
)  # fmt: skip
