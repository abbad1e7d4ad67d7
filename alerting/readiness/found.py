"""What a check found, and how several findings of one check become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.readiness import EVERY_PORTFOLIO, Checks, State

GRAVITY = {State.NOT_READY: 3, State.UNKNOWN: 2, State.READY: 1, State.NOT_WATCHED: 0}
"""Which of several states is that of all of them: the highest."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found."""

    check: Checks
    state: State
    why: str
    read_at: float | None = None
    """When what it rests on was measured, epoch seconds; None: nothing was."""
    where: str = ""
    """Address of the page that shows it."""
    portfolio: str = EVERY_PORTFOLIO


def gravest(check: Checks, found: Sequence[Found], where: str) -> Found:
    """Return what several findings, one or more, come to: the gravest state, its sentences, the oldest age."""
    worst = max((each.state for each in found), key=GRAVITY.__getitem__)
    why = "; ".join(each.why for each in found if each.state is worst)
    read = [each.read_at for each in found]
    oldest = None if None in read else min(each for each in read if each is not None)
    return Found(check, worst, why, oldest, where)
