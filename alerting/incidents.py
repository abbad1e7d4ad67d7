"""An incident: what fires of one group, who knows of it, and what is to be told next.

Pure: the engine gives it the members of a tick and stores what comes out, messages and incident in one transaction.
Times are steady seconds, as in conditions.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.alerts.plan import Plan
from core.alerts.severity import Severity


class Stage(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Somebody has it in hand: no escalation and no reminder until then."""
    SNOOZED = "snoozed"
    """The same, put off: nobody has it in hand."""
    CLOSED = "closed"


class About(StrEnum):
    """What a message tells."""

    OPENED = "opened"
    CHANGED = "changed"
    """Others joined or left."""
    RAISED = "raised"
    LOWERED = "lowered"
    ESCALATED = "escalated"
    REMINDED = "reminded"
    ACKNOWLEDGED = "acknowledged"
    ACK_ENDED = "ack_ended"
    """Nobody has it in hand any more, and it still fires."""
    SNOOZE_ENDED = "snooze_ended"
    """The time is over until which it was put off, and it still fires."""
    RESOLVED = "resolved"
    EXHAUSTED = "exhausted"
    """Nobody acknowledged, and there is nobody left to tell: a row of history."""


@dataclass(frozen=True, slots=True)
class Member:
    """A condition that fires."""

    severity: Severity
    since: float
    """Since when it holds; of what flaps, since before its pauses."""
    muted_by: str = ""
    """What keeps it from being told: a silence, a maintenance window, a cause that is told itself."""


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox for each receiver. Number makes it one: incident, number and receiver are its key."""

    about: About
    number: int
    receivers: tuple[str, ...]
    muted_by: str = ""
    """It is written down and not sent."""
    severity: Severity = Severity.INFO
    """Of what it tells; of an end: of what is over."""
    said: str = ""
    """What who acknowledged or resolved it wrote with that."""
    unproven: str = ""
    """Of an end: why nobody knows that it is well; empty: it is."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it stands."""

    plan: Plan
    opened_at: float
    began_at: float = 0.0
    """The same moment by the machine's clock, epoch seconds: as it is told, whatever becomes of clocks."""
    stage: Stage = Stage.OPEN
    members: Mapping[str, Member] = field(default_factory=dict)
    """What fires, by the key of the condition."""
    messages: int = 0
    """How many there were."""
    told_at: float | None = None
    """When the last message was made that was to be sent."""
    told_members: Mapping[str, Severity] = field(default_factory=dict)
    """What the last message told to fire, and what one before it told that fires on and is muted by now."""
    told: tuple[str, ...] = ()
    """Receivers of messages that were to be sent: they hear how it ends."""
    is_muted: bool = False
    """All that fires was muted at the last tick."""
    is_unsaid: bool = False
    """It began, or became worse, while it was muted."""
    step: int = 0
    """Steps of the escalation that were taken, over all rounds."""
    step_at: float = 0.0
    acknowledged_by: str = ""
    """Who has it in hand, or put it off."""
    acknowledged_until: float = 0.0
    closed_at: float | None = None
    closed_by: str = ""
    """Who resolved it by hand; empty: it ended."""

    @property
    def severity(self) -> Severity:
        """Return the highest of what fires aloud, or, where all of it is muted, of all; INFO when nothing fires."""
        loud = [each.severity for each in self.members.values() if not each.muted_by]
        return max(loud or [each.severity for each in self.members.values()], default=Severity.INFO)

    @property
    def is_held(self) -> bool:
        """Whether somebody has acknowledged it or put it off."""
        return self.stage in (Stage.ACKNOWLEDGED, Stage.SNOOZED)


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of an incident, and what is to be told."""

    incident: Incident
    messages: tuple[Message, ...] = ()


def open_incident(plan: Plan, members: Mapping[str, Member], at: float, began_at: float = 0.0) -> Turn:
    """Return a new incident of what fires, and its first message if that does not wait for others.

    began_at: the same moment by the machine's clock, epoch seconds.
    """
    begun = Incident(plan, at, began_at, members=dict(members), is_muted=_muted(members) != "", step_at=at)
    return _told(begun, at)


def tick(known: Incident, members: Mapping[str, Member], at: float, unproven: str = "") -> Turn:
    """Return the incident as it is with these members: all of its group that fire now.

    unproven: why something that fired fires no more though nobody knows that it is well; empty: it is well.
    """
    if known.stage is Stage.CLOSED:
        return Turn(known)
    if not members:
        turn = _closed(known, at, "")
        return replace(turn, messages=tuple(replace(each, unproven=unproven) for each in turn.messages))
    seen = replace(known, members=dict(members))
    muted_by = _muted(members)
    if muted_by:
        return _while_muted(seen, muted_by)
    if known.is_muted:
        # One more tick: a cause that ends often ends what it caused.
        return Turn(replace(seen, is_muted=False, step_at=at))
    return _told(seen, at)


def acknowledge(known: Incident, who: str, until: float, at: float, said: str = "") -> Turn:
    """Return the incident in somebody's hand until then; who was told hears it, with what he said."""
    held = replace(known, stage=Stage.ACKNOWLEDGED, acknowledged_by=who, acknowledged_until=until)
    return _say(held, About.ACKNOWLEDGED, held.told, at, said) if held.told else Turn(held)


def snooze(known: Incident, who: str, until: float) -> Turn:
    """Return the incident put off until then; nobody hears that, and those who were told hear when it is over."""
    return Turn(replace(known, stage=Stage.SNOOZED, acknowledged_by=who, acknowledged_until=until))


def moved(known: Incident, seconds: float) -> Incident:
    """Return an incident whose times are all later by so much: it is kept by the time of another engine."""
    return replace(
        known,
        opened_at=known.opened_at + seconds,
        told_at=None if known.told_at is None else known.told_at + seconds,
        step_at=known.step_at + seconds,
        acknowledged_until=known.acknowledged_until + seconds,
        closed_at=None if known.closed_at is None else known.closed_at + seconds,
        members={key: replace(each, since=each.since + seconds) for key, each in known.members.items()},
    )


def resolve(known: Incident, who: str, at: float, said: str = "") -> Turn:
    """Return the incident closed by hand. What still fires opens no other one until it was clear: `ignored`."""
    return _closed(known, at, who, said)


def ignored(closed: Incident, members: Mapping[str, Member]) -> dict[str, Member]:
    """Return the members that a person has resolved and that have fired ever since."""
    if not closed.closed_by:
        return {}
    before = closed.members
    return {key: each for key, each in members.items() if key in before and before[key].since == each.since}


def _closed(known: Incident, at: float, who: str, said: str = "") -> Turn:
    """Who was told hears the end, muted or not; who never was hears nothing."""
    members = known.members if who else {}
    over = replace(known, stage=Stage.CLOSED, closed_at=at, closed_by=who, members=members)
    return _say(over, About.RESOLVED, over.told, at, said) if over.told else Turn(over)


def _while_muted(known: Incident, muted_by: str) -> Turn:
    """Return the incident as it goes on unheard; what would have been told is written down once."""
    if not _is_worse(known) or (known.is_unsaid and known.is_muted):
        return Turn(replace(known, is_muted=True))
    about = About.OPENED if known.told_at is None else About.RAISED
    receivers = known.plan.at(known.severity).receivers
    message = Message(about, known.messages, receivers, muted_by, known.severity)
    return Turn(replace(known, is_muted=True, is_unsaid=True, messages=known.messages + 1), (message,))


def _told(known: Incident, at: float) -> Turn:
    """Return the incident with the one message that is due, the weightiest first."""
    if known.is_muted:
        return _while_muted(replace(known, is_muted=False), _muted(known.members))
    severity = known.severity
    plan = known.plan.at(severity)
    if known.told_at is None:
        if at - known.opened_at < plan.wait(severity):
            return Turn(known)
        return _say(replace(known, step_at=at), About.OPENED, plan.receivers, at)
    if _is_worse(known):
        again = replace(known, stage=Stage.OPEN, acknowledged_by="", step=0, step_at=at)
        return _say(again, About.RAISED, _both(plan.receivers, known.told), at)
    if known.is_held and at >= known.acknowledged_until:
        # The step that was under way begins anew.
        free = replace(known, stage=Stage.OPEN, acknowledged_by="", step_at=at)
        ended = About.SNOOZE_ENDED if known.stage is Stage.SNOOZED else About.ACK_ENDED
        return _say(free, ended, known.told, at)
    if known.stage is Stage.SNOOZED:
        return Turn(known)
    since = at - known.told_at
    if since >= plan.interval_seconds and (about := _changed(known)):
        return _say(known, about, known.told, at)
    if known.is_held:
        return Turn(known)
    if escalated := _escalated(known, at):
        return escalated
    if plan.repeat_seconds and since >= plan.repeat_seconds:
        return _say(known, About.REMINDED, known.told, at)
    return Turn(known)


def _escalated(known: Incident, at: float) -> Turn | None:
    """Return the incident a step further; None: none is due."""
    plan = known.plan.at(known.severity)
    steps = plan.steps
    last = len(steps) * plan.rounds
    if not steps or known.step > last:
        return None
    if known.step == last:
        if at - known.step_at < steps[-1].wait_seconds:
            return None
        over = replace(known, step=known.step + 1, messages=known.messages + 1)
        return Turn(over, (Message(About.EXHAUSTED, known.messages, ()),))
    step = steps[known.step % len(steps)]
    if at - known.step_at < step.wait_seconds:
        return None
    return _say(replace(known, step=known.step + 1, step_at=at), About.ESCALATED, step.receivers, at)


def _say(known: Incident, about: About, receivers: tuple[str, ...], at: float, said: str = "") -> Turn:
    was_told = max(known.told_members.values(), default=Severity.INFO)
    severity = known.severity if known.members else was_told
    message = Message(about, known.messages, receivers, severity=severity, said=said)
    after = replace(
        known,
        messages=known.messages + 1,
        told_at=at,
        told_members=_told_to_fire(known),
        told=_both(known.told, receivers),
        is_unsaid=False,
    )
    return Turn(after, (message,))


def _told_to_fire(known: Incident) -> Mapping[str, Severity]:
    """Return what people know to fire after a message of now: what is muted as it was told before, if ever it was."""
    before = known.told_members
    return {
        key: before[key] if each.muted_by else each.severity
        for key, each in known.members.items()
        if not each.muted_by or key in before
    }


def _is_worse(known: Incident) -> bool:
    """Return whether it fires with a higher severity than was told; what is muted is no measure of what is not."""
    told, members = known.told_members, known.members
    heard = [severity for key, severity in told.items() if not (key in members and members[key].muted_by)]
    if not heard or all(each.muted_by for each in members.values()):
        heard = [*told.values()]
    return known.severity > max(heard, default=0)


def _changed(known: Incident) -> About | None:
    """Return what a message has to tell of who fires: not of those that are muted, nor again what was told."""
    told = known.told_members
    heard = {key: each.severity for key, each in known.members.items() if not each.muted_by}
    if any(key not in told or severity > told[key] for key, severity in heard.items()):
        return About.CHANGED
    if any(key not in known.members for key in told):
        return About.CHANGED
    is_lower = any(severity < told[key] for key, severity in heard.items())
    return About.LOWERED if is_lower and known.plan.at(known.severity).tells_lowered else None


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _muted(members: Mapping[str, Member]) -> str:
    """Return what mutes all of the members; empty: one is to be told."""
    reasons = [each.muted_by for each in members.values()]
    return reasons[0] if all(reasons) else ""
