"""From checks to an answer: not safe at once, safe after every check was ready for long enough. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.format import count, duration, first_of
from core.model import Component, Status
from core.readiness import COMPONENT, PortfolioReadiness, ReadinessCheck, State
from status.readiness import reasons_of, tally

NO_CHECK = "no check is watched"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an answer from the evaluation before."""

    is_safe: bool
    since: float
    """Since when it is as it is, epoch seconds."""
    green_since: float | None
    """Since when every check is ready, on the steady clock; None: one is not."""
    is_open: bool = True
    """Since the looks began it was neither safe, nor was a check found not to be ready."""


def judged(
    known: Known | None, checks: Sequence[ReadinessCheck], now: float, steady: float, steady_seconds: float
) -> Known:
    """Return what is known after an evaluation at `now` (epoch seconds), `steady` on the steady clock.

    checks: what counts. known: None after a start, which proves nothing.
    """
    green_since = None
    if is_green(checks):
        green_since = known.green_since if known is not None and known.green_since is not None else steady
    is_safe = green_since is not None and steady - green_since >= steady_seconds
    since = known.since if known is not None and known.is_safe == is_safe else now
    is_bad = any(each.state == State.NOT_READY for each in checks)
    is_open = (known is None or known.is_open) and not is_safe and not is_bad
    return Known(is_safe, since, green_since, is_open)


def is_green(checks: Sequence[ReadinessCheck]) -> bool:
    """Return whether every check that is watched is ready, and one is watched at all."""
    watched = [each for each in checks if each.state != State.NOT_WATCHED]
    return bool(watched) and all(each.state == State.READY for each in watched)


def answer_of(
    portfolio: str,
    checks: Sequence[ReadinessCheck],
    known: Known,
    halted_by: str,
    steady: float,
    steady_seconds: float,
    restarted: str,
) -> PortfolioReadiness:
    """Return the answer for a portfolio, EVERY_PORTFOLIO: for the whole fund, with what counts for it.

    restarted: why steadiness has to be proven anew, where that is so.
    """
    ready, watched = tally(checks)
    reasons = reasons_of(checks, portfolio)
    if not watched:
        reasons = [NO_CHECK]
    elif known.green_since is not None and not known.is_safe:
        left = duration(max(steady_seconds - (steady - known.green_since), 0.0))
        reasons = [f"{restarted or 'every check is ready'}: safe in {left} if every check stays ready"]
    return PortfolioReadiness(portfolio, known.is_safe, ready, watched, reasons, known.since, halted_by)


def component_of(
    answer: PortfolioReadiness, checks: Sequence[ReadinessCheck], restarted: str, *, is_starting: bool
) -> Component:
    """Return the answer for the whole fund as a component: ok, down, or unknown where nothing says that it is not safe.

    checks: what counts for it. restarted: as of `answer_of`. is_starting: it was looked at for a short while alone.
    """
    if answer.is_safe:
        return Component(COMPONENT, Status.OK, f"safe by {answer.ready} of {count(answer.watched, 'check')}")
    states = {each.state for each in checks}
    is_unproven = State.UNKNOWN in states or bool(restarted) or not answer.watched
    status = Status.UNKNOWN if is_unproven and State.NOT_READY not in states else Status.DOWN
    why = first_of(answer.reasons, between="; ")
    return Component(COMPONENT, status, f"starting: {why}" if is_starting and status is Status.UNKNOWN else why)
