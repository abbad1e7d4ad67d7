"""From what a broker and its workers say to checks: what is wrong, and the sentence that says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.judging.checks import Check
from collectors.kinds.celery.connection import Age, QueueState
from collectors.kinds.celery.events import ENDED, Ended, Seen
from collectors.kinds.celery.workers import Running, Station
from core.format import coarse_duration, count, duration, number, percent
from core.kinds.celery.source import CelerySource
from core.model import Status

FAIL_RATIO_WARNING, FAIL_RATIO_CRITICAL, FAIL_LEAST = 0.05, 0.50, 3
LONG_TIMES, LONG_LEAST_SECONDS, LONG_LEAST_RUNS = 3.0, 10.0, 20
FULL_RATIO = 1.0
NAMED = 3
SILENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Broker:
    """The listener's side of a reading."""

    is_listening: bool
    has_asked: bool
    """Whether the workers had time to answer."""
    problem: str
    silent_seconds: float
    pauses: float
    """How often reading paused in the last minute."""


def judge(
    source: CelerySource,
    broker: Broker,
    stations: Sequence[Station],
    queues: Sequence[QueueState],
    ages: Mapping[str, Age],
    runtimes: Mapping[str, tuple[int, float]],
    running: Sequence[Running],
    seen: Seen,
) -> list[Check]:
    """Return every check of a reading. runtimes: by task how many and their p99 in seconds."""
    return [
        _workers(broker, stations),
        _events(broker, stations),
        _queue(source, broker, queues, ages, stations),
        _failures(seen.ended),
        _runtime(runtimes, running),
        _pool(stations),
    ]


def _workers(broker: Broker, stations: Sequence[Station]) -> Check:
    online = [each for each in stations if each.is_online]
    lost = [each for each in stations if each.state == "lost"]
    if not online:
        if not broker.is_listening or not broker.has_asked:
            return Check("workers", Status.UNKNOWN, broker.problem or "the workers were not asked yet")
        named = f" ({_names([each.name for each in lost])} fell silent)" if lost else ""
        return Check("workers", Status.CRITICAL, f"no worker is online{named}")
    if lost:
        told = _names([f"{each.name} for {coarse_duration(each.silent_seconds or 0.0)}" for each in lost])
        return Check("workers", Status.CRITICAL, f"silent without having left: {told}; {len(online)} online")
    return Check("workers", Status.OK, f"{len(online)} online")


def _events(broker: Broker, stations: Sequence[Station]) -> Check:
    if not broker.is_listening:
        return Check("events", Status.WARNING, broker.problem or "not listening yet")
    if broker.silent_seconds > SILENT_SECONDS:
        why = f"the broker holds our listener for {coarse_duration(broker.silent_seconds)}"
        return Check("events", Status.WARNING, why)
    if broker.pauses:
        return Check("events", Status.WARNING, "more task events than the limit: only a part of them is read")
    mute = [each.name for each in stations if each.is_mute]
    if mute:
        why = f"{_names(mute)} {'sends' if len(mute) == 1 else 'send'} no task events (start it with -E)"
        return Check("events", Status.WARNING, why)
    return Check("events", Status.OK, "listening")


def _queue(
    source: CelerySource,
    broker: Broker,
    queues: Sequence[QueueState],
    ages: Mapping[str, Age],
    stations: Sequence[Station],
) -> Check:
    served = {queue for each in stations if each.is_online for queue in each.queues}
    is_known = broker.has_asked and all(each.queues for each in stations if each.is_online)
    alone = [each for each in queues if each.messages and is_known and each.name not in served and not each.consumers]
    if alone:
        told = _names([f"{each.name} holds {count(each.messages, 'message')}" for each in alone])
        return Check("queue", Status.CRITICAL, f"no worker takes from its queue: {told}")
    oldest = max(ages, key=lambda name: ages[name].seconds, default="")
    if not oldest:
        return Check("queue", Status.OK, "")
    age = ages[oldest].seconds
    about = "" if ages[oldest].is_exact else "at least "
    share = min(age / source.queue_critical_seconds, 1.0)
    if age < source.queue_warning_seconds:
        return Check("queue", Status.OK, f"oldest {about}{coarse_duration(age)}" if age else "nothing waits", share)
    length = next(each.messages for each in queues if each.name == oldest)
    bad = Status.CRITICAL if age >= source.queue_critical_seconds else Status.WARNING
    why = f"the oldest of {count(length, 'message')} in {oldest} has waited {about}{coarse_duration(age)}"
    return Check("queue", bad, why, share)


def _failures(ended: Sequence[Ended]) -> Check:
    counts = Counter(each.outcome for each in ended)
    failed, total = counts["failed"], sum(counts[outcome] for outcome in ENDED)
    if not total:
        return Check("failures", Status.OK, "no task ended in 10 min")
    ratio = failed / total
    names = Counter(each.name for each in ended if each.outcome == "failed")
    told = ", ".join(f"{name} {number(times)}" for name, times in names.most_common(NAMED))
    why = f"{number(failed)} of {count(total, 'task')} failed in 10 min" + (f" ({told})" if told else "")
    if failed < FAIL_LEAST or ratio <= FAIL_RATIO_WARNING:
        return Check("failures", Status.OK, why, ratio)
    return Check("failures", Status.CRITICAL if ratio > FAIL_RATIO_CRITICAL else Status.WARNING, why, ratio)


def _runtime(runtimes: Mapping[str, tuple[int, float]], running: Sequence[Running]) -> Check:
    long = []
    for each in running:
        runs, p99 = runtimes.get(each.name, (0, 0.0))
        if runs >= LONG_LEAST_RUNS and each.seconds > max(LONG_TIMES * p99, LONG_LEAST_SECONDS):
            lasts = coarse_duration(each.seconds)
            long.append(f"{each.name} has been running for {lasts} on {each.worker} (p99 is {duration(p99)})")
    return Check("runtime", Status.WARNING if long else Status.OK, "; ".join(long[:NAMED]))


def _pool(stations: Sequence[Station]) -> Check:
    online = [each for each in stations if each.is_online and each.slots]
    slots, active = sum(each.slots or 0 for each in online), sum(each.active or 0 for each in online)
    if not slots:
        return Check("pool", Status.OK, "")
    ratio = active / slots
    why = f"{number(active)} of {count(slots, 'slot')} busy ({percent(ratio)})"
    return Check("pool", Status.OK, why, min(ratio, FULL_RATIO))


def _names(found: Sequence[str]) -> str:
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
