"""Whether trading may go on, for pages and programs: the newest reading and the halts of this moment.

What is not known is not safe: no reading, one that is stale, Redis or the state database away, a portfolio that nobody
has looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.errors import StorageError
from core.format import duration
from core.model import LiveReading
from core.readiness import (
    EVERY_PORTFOLIO,
    READINESS,
    TITLES,
    Checks,
    PortfolioReadiness,
    ReadinessCheck,
    State,
    after_title,
)
from core.settings.readiness import Readiness as Rules
from core.tables import rows_of
from status.freshness import is_stale
from storage.state.halts import Halt, halt_of, halts_in_force
from storage.state.portfolios import OWN, names_in, parents_in

if TYPE_CHECKING:
    from storage.stores import Stores

AHEAD_SECONDS = 5.0
"""A reading that is further in the future was stamped by a clock that is wrong: when it was taken is not known."""
WHERE_HALTS = "/readiness"
WITHHELD = "why is told to those who may see every portfolio"
NOBODY = "nobody says whether it is safe: alerts are not evaluated"
RESUMED = "trading was resumed: every check must be ready for a while before it is safe"
OFF = "nobody says whether it is safe: alerts.enabled is off"


@dataclass(frozen=True, slots=True)
class Halts:
    """The halts in force, and the tree that they are about."""

    halts: Sequence[Halt]
    parents: Mapping[str, str]
    """Id of what each portfolio of the fund's own is part of, by its id."""

    def own(self, portfolio: str) -> Halt | None:
        """Return a halt of a portfolio or of what it is part of, EVERY_PORTFOLIO: of everything; else None."""
        return halt_of(portfolio, self.halts, self.parents)

    def of(self, portfolio: str) -> Halt | None:
        """Return a halt that stops a portfolio, EVERY_PORTFOLIO: any of the fund's; None: there is none."""
        if portfolio == EVERY_PORTFOLIO:
            return next(iter(self.halts), None)
        return self.own(EVERY_PORTFOLIO) or self.own(portfolio)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether trading may go on at a moment."""

    whole: PortfolioReadiness
    """Of the whole fund: it is safe only where each of its portfolios is."""
    portfolios: Mapping[str, PortfolioReadiness]
    """By id."""
    checks: Sequence[ReadinessCheck]
    """Every check, of the whole fund first."""
    read_at: float | None
    """When they were made, epoch seconds; None: nothing is known."""
    unknown: str
    """Why nothing is known; empty: something is."""
    rules: Rules
    parents: Mapping[str, str] = field(default_factory=dict)
    """Id of what each portfolio of the fund's own is part of, by its id; empty where that is not known."""
    halts: Sequence[Halt] = ()
    """Those in force, the oldest first."""
    is_limited: bool = False
    """Whether `whole` and `checks` are of some portfolios alone: those that somebody may see."""

    def of(self, portfolio: str) -> PortfolioReadiness:
        """Return the answer for the portfolio of an id, EVERY_PORTFOLIO: for the whole fund. Unknown: not safe."""
        if portfolio == EVERY_PORTFOLIO:
            return self.whole
        why = self.unknown or f"nobody has looked at {portfolio} yet"
        return self.portfolios.get(portfolio) or _unsafe(portfolio, why)

    def checks_of(self, portfolio: str) -> list[ReadinessCheck]:
        """Return the checks that count for a portfolio, with those of the whole fund; of the whole fund: every one."""
        return counting(self.rules, self.checks, portfolio)

    def only(self, ids: Collection[str]) -> Readiness:
        """Return what may be told to somebody who may see these portfolios alone.

        Of the whole fund he is told what holds for all of them together.
        """
        seen = {id: answer for id, answer in self.portfolios.items() if id in ids}
        checks = [_told(each) for each in self.checks if each.portfolio == EVERY_PORTFOLIO or each.portfolio in seen]
        seen = {id: self._as_told(answer) for id, answer in seen.items()}
        halts = [told for each in self.halts for told in self._halts_for(each, ids)]
        together = self._together(seen, checks)
        return replace(self, whole=together, portfolios=seen, checks=checks, halts=halts, is_limited=True)

    def _halts_for(self, halt: Halt, ids: Collection[str]) -> list[Halt]:
        """Return a halt as it may be told: one of what portfolios are part of as a halt, without number, of those."""
        if halt.portfolio == EVERY_PORTFOLIO or halt.portfolio in ids:
            return [halt]
        below = [id for id in sorted(ids) if self.parents.get(id, "") not in ids and halt_of(id, [halt], self.parents)]
        return [replace(halt, portfolio=id, id=0) for id in below]

    def _as_told(self, answer: PortfolioReadiness) -> PortfolioReadiness:
        """Return an answer without the sentences that may name other portfolios."""
        hidden = {said for each in self.checks if _may_name_others(each) for said in (each.why, _why(each))}
        if answer.is_safe or self.unknown or hidden.isdisjoint(answer.reasons):
            return answer
        return replace(answer, reasons=[WITHHELD if each in hidden else each for each in answer.reasons])

    def _together(self, seen: Mapping[str, PortfolioReadiness], checks: Sequence[ReadinessCheck]) -> PortfolioReadiness:
        if self.unknown or not seen:
            return _unsafe(EVERY_PORTFOLIO, self.unknown or "there is no portfolio here that you may see")
        counted = [each for _, some in counting_each(self.rules, checks, [*seen]) for each in some]
        ready, watched = tally(counted)
        unsafe = [each for each in seen.values() if not each.is_safe]
        reasons = reasons_of(counted, EVERY_PORTFOLIO) or [why for each in unsafe for why in each.reasons]
        return PortfolioReadiness(
            portfolio=EVERY_PORTFOLIO,
            is_safe=not unsafe,
            ready=ready,
            watched=watched,
            reasons=[*dict.fromkeys(reasons)] if unsafe else [],
            since=max(each.since for each in unsafe or seen.values()),
            halted_by=next((each.halted_by for each in unsafe if each.halted_by), ""),
        )


def readiness_of(stores: Stores, now: float) -> Readiness:
    """Return whether trading may go on at `now` (epoch seconds). It raises nothing: what is not known is not safe."""
    rules = stores.settings.readiness
    readings = stores.live.every_reading([READINESS])
    if stores.live.problem:
        lost = _unknown(rules, f"Redis does not answer: {stores.live.problem}")
        try:
            return _with_halts(lost, read_halts(stores, now), now)
        except StorageError:
            return lost
    try:
        halts = read_halts(stores, now)
    except StorageError as error:
        return _unknown(rules, f"the state database does not answer: {error}", *readings)
    fresh = [each for each in readings if now - each.ts > -AHEAD_SECONDS and not is_stale(each, now)]
    if not fresh:
        return _with_halts(_unknown(rules, _why_none(stores, readings, now), *readings), halts, now)
    newest = max(fresh, key=lambda each: each.ts)
    answers = {each.portfolio: each for each in rows_of(newest.tables, PortfolioReadiness)}
    whole = answers.pop(EVERY_PORTFOLIO, None)
    if whole is None:
        return _with_halts(_unknown(rules, "what another version of Fundwatch wrote cannot be read"), halts, now)
    found = Readiness(whole, answers, rows_of(newest.tables, ReadinessCheck), newest.ts, "", rules)
    return _with_halts(found, halts, now)


def read_halts(stores: Stores, now: float) -> Halts:
    """Return the halts in force. Raises StorageUnavailable or StorageRejected."""
    with stores.state.reading() as connection:
        found = halts_in_force(connection, now)
        parents = parents_in(connection, OWN)
        names = names_in(connection) if found else {}
    # What was halted may have become part of another one since.
    moved = [replace(each, portfolio=names.get(each.portfolio, each.portfolio)) for each in found]
    return Halts([each for each in moved if each.portfolio in (EVERY_PORTFOLIO, *parents)], parents)


def halt_check(portfolio: str, halts: Halts, since: float, now: float) -> ReadinessCheck:
    """Return the check whether a portfolio was halted by hand; EVERY_PORTFOLIO: whether everything was.

    since: since when nobody has, where that is so.
    """
    halt = halts.own(portfolio)
    state, why = (State.NOT_READY, halt.sentence) if halt else (State.READY, "nobody has halted it")
    at = halt.made_at if halt else since
    return ReadinessCheck(portfolio, Checks.HALT, TITLES[Checks.HALT], state, why, now, at, WHERE_HALTS)


def counting(rules: Rules, checks: Sequence[ReadinessCheck], portfolio: str) -> list[ReadinessCheck]:
    """Return those of the checks that count for a portfolio; EVERY_PORTFOLIO: all that count for any."""
    if portfolio == EVERY_PORTFOLIO:
        return [each for each in checks if rules.counts(Checks(each.check), each.portfolio)]
    mine = [each for each in checks if each.portfolio in (EVERY_PORTFOLIO, portfolio)]
    return [each for each in mine if rules.counts(Checks(each.check), portfolio)]


def counting_each(
    rules: Rules, checks: Sequence[ReadinessCheck], portfolios: Sequence[str]
) -> Iterator[tuple[str, list[ReadinessCheck]]]:
    """Yield each portfolio with what `counting` returns for it, the checks looked through once."""
    of: dict[str, list[ReadinessCheck]] = {}
    for each in checks:
        of.setdefault(each.portfolio, []).append(each)
    shared = of.get(EVERY_PORTFOLIO, [])
    for id in portfolios:
        found = checks if id == EVERY_PORTFOLIO else [*shared, *of.get(id, [])]
        yield id, counting(rules, found, id)


def _may_name_others(check: ReadinessCheck) -> bool:
    """Return whether what a check of the whole fund says may name portfolios."""
    is_shared = check.portfolio == EVERY_PORTFOLIO and check.check in (Checks.ALERTS, Checks.ENGINE)
    return is_shared and check.state != State.READY


def _told(check: ReadinessCheck) -> ReadinessCheck:
    return replace(check, why=WITHHELD) if _may_name_others(check) else check


def is_wrong(check: ReadinessCheck) -> bool:
    """Return whether a check keeps it from being safe."""
    return check.state not in (State.READY, State.NOT_WATCHED)


def tally(checks: Sequence[ReadinessCheck]) -> tuple[int, int]:
    """Return how many kinds of checks are ready, with all that is watched of each, and how many are watched."""
    watched = {each.check for each in checks if each.state != State.NOT_WATCHED}
    failing = {each.check for each in checks if each.state not in (State.NOT_WATCHED, State.READY)}
    return len(watched - failing), len(watched)


def reasons_of(checks: Sequence[ReadinessCheck], portfolio: str) -> list[str]:
    """Return why checks are not ready, a sentence each; for the whole fund with the portfolio that each is of."""
    bad = [each for each in checks if is_wrong(each)]
    return [
        f"{each.portfolio}: {_why(each)}" if each.portfolio and portfolio == EVERY_PORTFOLIO else _why(each)
        for each in bad
    ]


def _why(check: ReadinessCheck) -> str:
    """Return the reason; of what is not known with what that is, which most of those do not say."""
    return f"{check.title}: {after_title(check.title, check.why)}" if check.state == State.UNKNOWN else check.why


def _with_halts(found: Readiness, halts: Halts, now: float) -> Readiness:
    """Return an answer in which the halts of this moment count: the reading may be a second old."""
    found = replace(found, parents=halts.parents, halts=halts.halts)
    answers = (found.whole, *found.portfolios.values())
    if not halts.halts and not any(each.halted_by for each in answers):
        return found
    checks = [_checked_again(each, halts, now) if each.check == Checks.HALT else each for each in found.checks]
    found = replace(found, checks=checks)
    told = {id: _halted(found, answer, halts) for id, answer in found.portfolios.items()}
    return replace(found, whole=_halted(found, found.whole, halts), portfolios=told)


def _checked_again(check: ReadinessCheck, halts: Halts, now: float) -> ReadinessCheck:
    """Return what the check for a halt finds at this moment."""
    since = check.since if check.state == State.READY else now
    return halt_check(check.portfolio, halts, since, now)


def _halted(found: Readiness, answer: PortfolioReadiness, halts: Halts) -> PortfolioReadiness:
    """Return an answer in which the halts of this moment count, and none that the reading knew of and is over."""
    halt = halts.of(answer.portfolio)
    if halt is None and not answer.halted_by:
        return answer
    others = [found.unknown] if found.unknown else reasons_of(found.checks_of(answer.portfolio), answer.portfolio)
    if halt is None:
        return replace(answer, reasons=others or [RESUMED], halted_by="")
    is_of_part = halt.portfolio and answer.portfolio == EVERY_PORTFOLIO
    why = f"{halt.portfolio}: {halt.sentence}" if is_of_part else halt.sentence
    since = max(halt.made_at, answer.since) if answer.is_safe else answer.since
    reasons = [why, *(each for each in others if each != why)]
    return replace(answer, is_safe=False, reasons=reasons, since=since, halted_by=halt.who)


def _unknown(rules: Rules, why: str, *last: LiveReading) -> Readiness:
    """Return that nothing is known, with the checks as they were last known to be asked for."""
    newest = max(last, key=lambda each: each.ts, default=None)
    checks = rows_of(newest.tables, ReadinessCheck) if newest else []
    answers = rows_of(newest.tables, PortfolioReadiness) if newest else []
    read_at = newest.ts if newest else None
    lost = [
        each if each.state == State.NOT_WATCHED else replace(each, state=State.UNKNOWN.value, why=why)
        for each in checks
    ]
    unsafe = {each.portfolio: replace(each, is_safe=False, ready=0, reasons=[why]) for each in answers}
    whole = unsafe.pop(EVERY_PORTFOLIO, None) or _unsafe(EVERY_PORTFOLIO, why)
    return Readiness(whole, unsafe, lost, read_at, why, rules)


def _unsafe(portfolio: str, why: str) -> PortfolioReadiness:
    return PortfolioReadiness(portfolio, False, 0, 0, [why], 0.0, "")


def _why_none(stores: Stores, readings: Sequence[LiveReading], now: float) -> str:
    if not stores.settings.alerts.enabled:
        return OFF
    if not readings:
        return NOBODY
    age = now - max(each.ts for each in readings)
    if age < -AHEAD_SECONDS:
        return "it was looked at by a clock that is ahead of this one"
    return f"nobody has looked for {duration(age)}"
