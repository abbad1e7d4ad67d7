"""A rule's condition for one set of labels: what it was, what an evaluation makes of it, and what that is worth saying.

Pure: the engine evaluates, stores what comes out and tells people. All times are steady seconds: the engine's own
clock, which equals epoch seconds when it starts and does not jump when the machine's clock is set.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from operator import attrgetter

from core.alerts.severity import Severity
from core.alerts.timing import Policy, Timing

LONGEST_DOWN_SECONDS = 3_600.0
"""After a longer time without an engine nothing is pending any more."""
SETTLED_SECONDS = 3_600.0
"""What was known for less, fires not, and is not reported any more was never there to stay."""
FORGOTTEN_SECONDS = 86_400.0
"""What is not reported for so long is forgotten, if it does not fire or somebody knows of it."""
REMOVED, SWITCHED_OFF = "its rule was removed", "its rule was switched off"
HELD_LONGER = "its rule was changed, and asks that it holds for longer"
STEADY_FOR = 2
"""Flapping is over when nothing has begun or ended for so many times `flap_seconds`."""


class Phase(StrEnum):
    """Where a condition stands."""

    OK = "ok"
    PENDING = "pending"
    """It holds, not yet for long enough."""
    FIRING = "firing"
    RECOVERING = "recovering"
    """It is clear, not yet for long enough: it still fires."""
    NO_DATA = "no_data"
    ERROR = "error"


class Outcome(StrEnum):
    """What one evaluation found."""

    BREACH = "breach"
    CLEAR = "clear"
    BETWEEN = "between"
    """Between the threshold at which it fires and the one at which it clears."""
    NO_DATA = "no_data"
    """Also of a series that was known and is not there: that it went away is no sign that all is well."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation of a rule found for one set of labels."""

    outcome: Outcome
    at: float
    severity: Severity = Severity.WARNING
    """Of a breach."""
    value: float | None = None
    why: str = ""
    """A sentence for people."""


class News(StrEnum):
    """What is worth a row of history, and may be worth a message."""

    FIRES = "fires"
    RESOLVED = "resolved"
    RAISED = "raised"
    LOWERED = "lowered"
    FLAPPING = "flapping"
    STEADY = "steady"
    """It no longer flaps."""
    NEAR_MISS = "near_miss"
    """It was pending and is clear."""
    MOVED = "moved"
    """Another phase, nothing to tell."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as it stands. One that was never evaluated is `Condition()`."""

    phase: Phase = Phase.OK
    since: float = 0.0
    """When it entered the phase; of what fires or is about to: since when it holds."""
    severity: Severity | None = None
    """Of what holds; None where nothing does."""
    value: float | None = None
    """The last one; it is old when `is_stale`. RECOVERING: the last with which it fired."""
    why: str = ""
    is_stale: bool = False
    """The last evaluation had no data, or failed."""
    is_announced: bool = False
    """It fires as people see it: FIRING and RECOVERING, NO_DATA and ERROR where that is an alert."""
    clear_since: float | None = None
    """RECOVERING: since when it is clear."""
    lower_since: float | None = None
    """FIRING: since when only a lower severity holds."""
    no_data_since: float | None = None
    error_since: float | None = None
    errors: int = 0
    """Failed evaluations in a row."""
    before: Phase = Phase.OK
    """NO_DATA and ERROR: the phase before them."""
    is_of_lack: bool = False
    """It fires since data lacked: it need not have held for as long as its rule asks."""
    grace_until: float = 0.0
    """Until then it neither fires from PENDING nor lacks data: after a start, or when the clock jumped."""
    changes: tuple[float, ...] = ()
    """When it began and ceased to fire, within the last `flap_seconds`."""
    is_flapping: bool = False
    fires_since: float = 0.0
    """`since` when it began to fire as people see it: what flaps holds since the last pause; 0: it never fired."""
    known_since: float = 0.0
    """When its series was first seen."""
    watched_series: str = ""
    """Which series its rule watched (`Rule.watches_for`) when this one was last reported; empty: that is not known."""

    @property
    def fires(self) -> bool:
        """Whether people see it as firing: what flaps is not over each time that it pauses."""
        return self.is_announced or self.is_flapping

    @property
    def is_calm(self) -> bool:
        """Whether an evaluation that finds it clear, or between the thresholds, changes nothing but its value."""
        return self.phase is Phase.OK and not (
            self.is_stale or self.changes or self.is_flapping or self.errors or self.no_data_since is not None
        )

    def is_but_for_value(self, other: Condition) -> bool:
        """Return whether another one differs in its value at most, and in what is said of it."""
        return bool(_BUT_FOR_VALUE(self) == _BUT_FOR_VALUE(other))

    def goes_on(self, found: Evaluation, timing: Timing) -> bool:
        """Return whether it fires, and an evaluation finds just that again: nothing changes but its value."""
        return (
            self.phase is Phase.FIRING
            and found.outcome is Outcome.BREACH
            and found.severity == self.severity
            and self.lower_since is None
            and not (self.is_stale or self.is_flapping)
            and (self.is_of_lack or found.at - self.since >= timing.for_seconds)
        )


_BUT_FOR_VALUE = attrgetter(*(each.name for each in fields(Condition) if each.name not in ("value", "why")))


@dataclass(frozen=True, slots=True)
class Step:
    """What an evaluation made of a condition."""

    condition: Condition
    news: tuple[News, ...] = ()


def evaluated(known: Condition, found: Evaluation, timing: Timing) -> Step:
    """Return what an evaluation makes of a condition."""
    match found.outcome:
        case Outcome.ERROR:
            step = _failed(known, found, timing)
        case Outcome.NO_DATA:
            step = _without_data(known, found, timing)
        case _:
            step = _judged(_back(known), _seen(known, found), timing)
    return _begun(known, _flaps(known, step, found.at, timing))


def restarted(known: Condition, at: float, down_seconds: float, timing: Timing) -> Condition:
    """Return a condition as an engine finds it that was down: that time does not count as pending.

    One that is about to fire waits two intervals, so that it is judged by data that came meanwhile.
    """
    graced = replace(known, grace_until=at + 2 * timing.every_seconds)
    if known.phase is not Phase.PENDING:
        return graced
    if down_seconds > LONGEST_DOWN_SECONDS:
        return _ok(graced, at)
    return replace(graced, since=known.since + down_seconds)


def moved(known: Condition, seconds: float) -> Condition:
    """Return a condition whose times are all later by so much: it is kept by the time of another engine."""

    def later(at: float | None) -> float | None:
        return None if at is None else at + seconds

    return replace(
        known,
        since=known.since + seconds,
        clear_since=later(known.clear_since),
        lower_since=later(known.lower_since),
        no_data_since=later(known.no_data_since),
        error_since=later(known.error_since),
        fires_since=known.fires_since and known.fires_since + seconds,
        grace_until=known.grace_until + seconds,
        known_since=known.known_since + seconds,
        changes=tuple(at + seconds for at in known.changes),
    )


def jumped(known: Condition, at: float, timing: Timing) -> Condition:
    """Return a condition after the clock was set or the machine slept: no data is no news for two intervals."""
    return replace(known, grace_until=max(known.grace_until, at + 2 * timing.every_seconds))


def edited(known: Condition, at: float, timing: Timing) -> Step:
    """Return a condition whose rule was changed: it is pending again where it has not held long enough for it."""
    if known.phase is Phase.FIRING and not known.is_of_lack and at - known.since < timing.for_seconds:
        pending = replace(known, phase=Phase.PENDING, is_announced=False, lower_since=None)
        return Step(pending, (News.RESOLVED if known.is_announced else News.MOVED,))
    return Step(known)


def why_forgotten(known: Condition, watches_for: str, at: float, timing: Timing, is_in_hand: bool) -> str:
    """Return why a condition whose series is not reported any more is none any longer; empty: it is one.

    watches_for: which series its rule watches now. is_in_hand: somebody has acknowledged or resolved what it was of.
    """
    if at < known.grace_until:
        return ""
    if known.watched_series and known.watched_series != watches_for:
        return "its rule does not watch it any more"
    since = at if known.no_data_since is None else known.no_data_since
    lasts = at - since
    is_old = lasts >= FORGOTTEN_SECONDS and (is_in_hand or not known.fires)
    is_passing = not known.fires and lasts >= timing.no_data_seconds and since - known.known_since < SETTLED_SECONDS
    return "it is not reported any more" if is_old or is_passing else ""


def removed(known: Condition, at: float, why: str = REMOVED) -> Step:
    """Return a condition that is none any longer: of a rule, or of a series, that was taken away."""
    gone = Condition(since=at, why=why)
    return Step(gone, (News.RESOLVED,) if known.is_announced else (News.MOVED,) if known.phase is not Phase.OK else ())


def _back(known: Condition) -> Condition:
    """Return the condition as it was before it had no data or failed."""
    is_blind = known.phase in (Phase.NO_DATA, Phase.ERROR)
    if not (is_blind or known.is_stale or known.errors or known.no_data_since is not None or known.error_since):
        return known
    fresh = replace(known, is_stale=False, no_data_since=None, error_since=None, errors=0)
    if not is_blind:
        return fresh
    # What fired for want of data alone and now holds fires on; what is clear is resolved as anything that fired.
    return replace(fresh, phase=Phase.FIRING if known.is_announced else known.before)


def _seen(known: Condition, found: Evaluation) -> Evaluation:
    """Return what data say that are there again: between the thresholds is clear for what had not fired before."""
    blind = known.phase in (Phase.NO_DATA, Phase.ERROR) and known.before in (Phase.OK, Phase.PENDING)
    return replace(found, outcome=Outcome.CLEAR) if blind and found.outcome is Outcome.BETWEEN else found


def _judged(known: Condition, found: Evaluation, timing: Timing) -> Step:
    seen = replace(known, value=found.value, why=found.why)
    match seen.phase, found.outcome:
        case Phase.OK, Outcome.BREACH:
            return _begins(seen, found, timing)
        case Phase.OK, _:
            return Step(seen)
        case Phase.PENDING, Outcome.CLEAR:
            # What begins to hold just after a start mostly does so because nothing was read yet.
            is_of_start = known.grace_until - 2 * timing.every_seconds <= known.since < known.grace_until
            return Step(_ok(seen, found.at), (News.MOVED if is_of_start else News.NEAR_MISS,))
        case Phase.PENDING, Outcome.BREACH:
            return _fires_in_time(replace(seen, severity=found.severity), found.at, timing)
        case Phase.PENDING, _:
            return _fires_in_time(seen, found.at, timing)
        case _, Outcome.CLEAR:
            return _clears(known, found, timing)
        case Phase.RECOVERING, _:
            held = replace(seen, phase=Phase.FIRING, clear_since=None, changes=(*seen.changes, found.at))
            return _with(News.MOVED, _severity(held, found, timing))
        case _:
            return _severity(seen, found, timing)


def _begins(known: Condition, found: Evaluation, timing: Timing) -> Step:
    pending = replace(known, phase=Phase.PENDING, since=found.at, severity=found.severity)
    if timing.for_seconds <= 0:
        return _fires(pending, found.at)
    return Step(pending, (News.MOVED,))


def _fires_in_time(known: Condition, at: float, timing: Timing) -> Step:
    """PENDING: the time runs on between the thresholds; a clear threshold is about clearing, not about firing."""
    if at - known.since < timing.for_seconds or at < known.grace_until:
        return Step(known)
    return _fires(known, at)


def _fires(known: Condition, at: float) -> Step:
    return Step(
        replace(known, phase=Phase.FIRING, is_announced=True, changes=(*known.changes, at), clear_since=None),
        (News.FIRES,),
    )


def _clears(known: Condition, found: Evaluation, timing: Timing) -> Step:
    """RECOVERING: while it still fires, it keeps the value and the sentence that it fired with."""
    at = found.at
    since = at if known.clear_since is None else known.clear_since
    if at - since >= timing.keep_firing_seconds:
        over = replace(known, value=found.value, why=found.why, changes=(*known.changes, at))
        return Step(_ok(over, at), (News.RESOLVED,))
    news = (News.MOVED,) if known.phase is not Phase.RECOVERING else ()
    return Step(replace(known, phase=Phase.RECOVERING, clear_since=since, lower_since=None), news)


def _severity(known: Condition, found: Evaluation, timing: Timing) -> Step:
    """FIRING: a higher severity holds at once, a lower one when it alone has held for `keep_firing_seconds`."""
    if found.outcome is not Outcome.BREACH or known.severity is None or found.severity == known.severity:
        return Step(replace(known, severity=known.severity or found.severity, lower_since=None))
    if found.severity > known.severity:
        return Step(replace(known, severity=found.severity, lower_since=None), (News.RAISED,))
    since = found.at if known.lower_since is None else known.lower_since
    if found.at - since < timing.keep_firing_seconds:
        return Step(replace(known, lower_since=since))
    return Step(replace(known, severity=found.severity, lower_since=None), (News.LOWERED,))


def _ok(known: Condition, at: float) -> Condition:
    return replace(
        known, phase=Phase.OK, since=at, severity=None, is_announced=False, clear_since=None, lower_since=None,
        before=Phase.OK, is_of_lack=False,
    )  # fmt: skip


def _failed(known: Condition, found: Evaluation, timing: Timing) -> Step:
    since = found.at if known.error_since is None else known.error_since
    seen = replace(known, is_stale=True, errors=min(known.errors + 1, timing.error_attempts), error_since=since)
    lasts = found.at - since
    if seen.errors < timing.error_attempts or lasts < timing.error_seconds:
        return Step(seen)
    return _blind(seen, Phase.ERROR, timing.error, lasts, found, timing)


def _without_data(known: Condition, found: Evaluation, timing: Timing) -> Step:
    since = found.at if known.no_data_since is None else known.no_data_since
    seen = replace(known, is_stale=True, no_data_since=since, error_since=None, errors=0)
    lasts = found.at - since
    if lasts < timing.no_data_seconds or found.at < known.grace_until:
        return Step(seen)
    return _blind(seen, Phase.NO_DATA, timing.no_data, lasts, found, timing)


def _blind(known: Condition, phase: Phase, policy: Policy, lasts: float, found: Evaluation, timing: Timing) -> Step:
    """Return what becomes of a condition that cannot be judged any longer."""
    if policy is Policy.OK:
        step = _judged(_back(known), replace(found, outcome=Outcome.CLEAR, value=known.value), timing)
        stale = replace(step.condition, is_stale=True, no_data_since=known.no_data_since)
        return replace(step, condition=stale)
    is_alert = policy is Policy.ALERT or lasts >= timing.keep_seconds
    if known.phase is phase and known.is_announced >= is_alert:
        return Step(replace(known, why=found.why))
    before = known.before if known.phase in (Phase.NO_DATA, Phase.ERROR) else known.phase
    begins = is_alert and not known.is_announced
    entered = replace(
        known,
        phase=phase,
        since=found.at if begins else known.since,
        severity=max(known.severity or found.severity, found.severity) if is_alert else known.severity,
        why=found.why,
        before=before,
        is_announced=known.is_announced or is_alert,
        is_of_lack=known.is_of_lack or begins,
        clear_since=None,
        lower_since=None,
        changes=(*known.changes, found.at) if begins else known.changes,
    )
    return Step(entered, (News.FIRES,) if begins else (News.MOVED,))


def _with(first: News, step: Step) -> Step:
    return replace(step, news=(first, *step.news))


def _begun(known: Condition, step: Step) -> Step:
    after = step.condition
    return replace(step, condition=replace(after, fires_since=after.since)) if after.fires > known.fires else step


def _flaps(known: Condition, step: Step, at: float, timing: Timing) -> Step:
    """Return the step with what it says of flapping: begun with the last of so many changes, over when all is quiet."""
    changes = step.condition.changes
    span = timing.flap_seconds * (STEADY_FOR if known.is_flapping else 1)
    recent = tuple(each for each in changes if at - each < span)
    within = sum(at - each < timing.flap_seconds for each in recent)
    is_flapping = bool(recent) if known.is_flapping else within >= timing.flap_changes
    if is_flapping and step.condition.phase is Phase.OK:
        # It still fires as people see it, so it keeps the words with which it did.
        step = replace(step, condition=replace(step.condition, value=known.value, why=known.why))
    # More than these decide nothing, and what flaps for days would keep them all.
    recent = recent[-timing.flap_changes :]
    if (recent, is_flapping) == (changes, step.condition.is_flapping):
        return step
    condition = replace(step.condition, changes=recent, is_flapping=is_flapping)
    if is_flapping == known.is_flapping:
        return Step(condition, step.news)
    return Step(condition, (*step.news, News.FLAPPING if is_flapping else News.STEADY))
