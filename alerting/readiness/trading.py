"""Whether the feeds are fresh and the broker is ready, as their collectors judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerting.readiness.found import Found, gravest
from core.format import duration
from core.kinds.freshness import spec as freshness
from core.kinds.ib import spec as ib
from core.kinds.iqfeed import spec as iqfeed
from core.kinds.iqfeed.source import IqfeedSource
from core.model import Status
from core.readiness import Checks, State
from status.instances import Instance

WHERE = "/pipeline"
OF_FEEDS = (iqfeed.Checks.CONNECTION, iqfeed.Checks.LOGIN, iqfeed.Checks.UPDATES)
"""What of an IQFeed must be well while its market is open; UPDATES knows the market's hours itself."""
OF_BROKER = (ib.Checks.LINK, ib.Checks.ACCOUNTS)


def feeds(found: Sequence[Instance]) -> Found:
    """Return whether each IQFeed and each table of data that is watched is fresh, or its market is closed."""
    return _every(Checks.FEEDS, found, _feed, "no feed is watched")


def broker(found: Sequence[Instance], round_trip_seconds: float) -> Found:
    """Return whether every gateway to Interactive Brokers is ready; round_trip_seconds: from where on it is not."""
    none = "no gateway to Interactive Brokers is watched"
    return _every(Checks.BROKER, found, lambda each: _gateway(each, round_trip_seconds), none)


def _every(
    check: Checks, found: Sequence[Instance], judge: Callable[[Instance], tuple[State, str]], none: str
) -> Found:
    if not found:
        return Found(check, State.NOT_WATCHED, none, where=WHERE)
    judged = []
    for each in found:
        state, why = judge(each)
        judged.append(Found(check, state, f"{each.title}: {why}", each.reading.ts if each.reading else None))
    return gravest(check, judged, WHERE)


def _feed(instance: Instance) -> tuple[State, str]:
    part = instance.component
    if part.status is Status.UNKNOWN:
        return State.UNKNOWN, part.why
    if instance.kind != IqfeedSource.KIND:
        return _table(instance)
    if opens := _opens_in(instance):
        return State.READY, opens
    if part.status is Status.DOWN:
        return State.NOT_READY, part.why
    return _checked(instance, OF_FEEDS)


def _table(instance: Instance) -> tuple[State, str]:
    """Return whether the newest row of a table is as young as it must be: its collector knows the market's hours."""
    part, age = instance.component, instance.check(freshness.Checks.AGE)
    if part.status is Status.DOWN:
        return State.NOT_READY, part.why
    if age is None:
        return State.UNKNOWN, "how old its newest row is, is not known"
    return (State.READY if age.status is Status.OK else State.NOT_READY), age.why


def _opens_in(instance: Instance) -> str:
    """Return that the market of a feed is closed, in words; empty: it is open, or that is not known now."""
    about = instance.first(iqfeed.About)
    if about is None or about.is_open is not False:
        return ""
    # Of a feed that is down the hours are as it told them last: they hold until the next opening.
    if about.next_open is None:
        return "its market is closed" if instance.is_known else ""
    left = about.next_open - instance.now
    return f"its market is closed, it opens in {duration(left)}" if left > 0 else ""


def _gateway(instance: Instance, round_trip_seconds: float) -> tuple[State, str]:
    part = instance.component
    if part.status is Status.UNKNOWN:
        return State.UNKNOWN, part.why
    if part.status is Status.DOWN or instance.value(ib.READY) != 1.0:
        return State.NOT_READY, part.why
    taken = instance.value(ib.ROUND_TRIP_SECONDS)
    if taken is None:
        return State.UNKNOWN, "how fast it answers is not known"
    if taken >= round_trip_seconds:
        return State.NOT_READY, f"it answers in {duration(taken)}, {duration(round_trip_seconds)} allowed"
    return _checked(instance, OF_BROKER)


def _checked(instance: Instance, names: Sequence[str]) -> tuple[State, str]:
    """Return whether these checks of a source are well; one that it does not tell of is not known."""
    found = {name: instance.check(name) for name in names}
    bad = [check.why for check in found.values() if check is not None and check.status != Status.OK]
    if bad:
        return State.NOT_READY, "; ".join(bad)
    if missing := [name for name, check in found.items() if check is None]:
        return State.UNKNOWN, f"its {missing[0]} is not known"
    return State.READY, "; ".join(check.why for check in found.values() if check is not None)
