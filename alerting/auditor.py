"""Looks whether alerting does what it should: every open incident has a next step or a reason, no message is stuck.

Pure. Times of incidents are steady seconds, those of messages epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.incidents import About, Incident, Stage
from core.alerts.spec import LATE_SECONDS
from core.format import duration

STEP_LATE_SECONDS = 30.0
"""By so much a step may be late."""
STUCK_SECONDS = 120.0
"""For so long a message may be due."""


@dataclass(frozen=True, slots=True)
class Coming:
    """What an incident waits for."""

    about: About | None
    """The next message; None: there is none to come, for the reason."""
    at: float = 0.0
    """When it is due, if nothing else happens."""
    reason: str = ""


def coming(known: Incident) -> Coming:
    """Return what an open incident waits for."""
    plan = known.plan.at(known.severity)
    if known.stage is Stage.CLOSED:
        return Coming(None, reason="it is over")
    if known.is_muted:
        reasons = [each.muted_by for each in known.members.values() if each.muted_by]
        return Coming(None, reason=f"quiet: {reasons[0]}" if reasons else "quiet")
    # What was due while it was muted is due with the step that began when that ended.
    if known.told_at is None:
        return Coming(About.OPENED, max(known.opened_at + plan.wait(known.severity), known.step_at))
    if known.is_held:
        about = About.SNOOZE_ENDED if known.stage is Stage.SNOOZED else About.ACK_ENDED
        return Coming(about, max(known.acknowledged_until, known.step_at))
    ahead = _escalation(known)
    if plan.repeat_seconds:
        ahead.append((max(known.told_at + plan.repeat_seconds, known.step_at), About.REMINDED))
    if not ahead:
        return Coming(None, reason="it was told, and its plan has no further step")
    at, about = min(ahead)
    return Coming(about, at)


def faults(incidents: Mapping[int, Incident], at: float, ticked: float, due: float | None, now: float) -> list[str]:
    """Return what is wrong with alerting, a sentence each; none: it works.

    incidents: those that are open, by their ids. at: steady seconds now. ticked: when the engine last ticked well,
    steady seconds. due: since when the first message is due that was not sent (epoch seconds), None: none waits.
    """
    found = []
    if at - ticked > LATE_SECONDS:
        found.append(f"the engine has not ticked for {duration(at - ticked)}")
    for id, known in incidents.items():
        step = coming(known)
        if step.about is not None and at - step.at > STEP_LATE_SECONDS:
            found.append(f"incident {id}: {step.about} is {duration(at - step.at)} late")
    if due is not None and now - due > STUCK_SECONDS:
        found.append(f"a message waits to be sent for {duration(now - due)}")
    return found


def _escalation(known: Incident) -> list[tuple[float, About]]:
    plan = known.plan.at(known.severity)
    steps = plan.steps
    last = len(steps) * plan.rounds
    if not steps or known.step > last:
        return []
    if known.step == last:
        return [(known.step_at + steps[-1].wait_seconds, About.EXHAUSTED)]
    return [(known.step_at + steps[known.step % len(steps)].wait_seconds, About.ESCALATED)]
