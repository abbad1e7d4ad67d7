"""From what a broker and its workers say to checks: what is wrong, and the sentence that says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from collectors.judging.checks import Check, bad_if, judged
from collectors.kinds.celery.events import Ended
from collectors.kinds.celery.found import Broker, Found
from core.format import coarse_duration, count, duration, first_of, noun, number, percent
from core.kinds.celery import spec
from core.kinds.celery.source import CelerySource
from core.kinds.celery.spec import ENDED, Checks, Outcome, Worker, WorkerState
from core.model import Status

NAMED = 3
SILENT_SECONDS = 30.0
WINDOW = coarse_duration(spec.WINDOW_SECONDS)


def judge(source: CelerySource, found: Found) -> list[Check]:
    """Return every check of a reading."""
    return [
        _workers(found),
        _events(found.broker, found.workers),
        _queue(source, found),
        _failures(found.seen.ended),
        _runtime(found),
        _pool(found.online),
    ]


def _workers(found: Found) -> Check:
    online, broker = found.online, found.broker
    lost = [each for each in found.workers if each.state == WorkerState.LOST]
    if not online:
        if not broker.is_listening or not broker.has_asked:
            return Check(Checks.WORKERS, Status.UNKNOWN, broker.problem or "the workers were not asked yet")
        named = f" ({first_of([each.worker for each in lost])} fell silent)" if lost else ""
        return Check(Checks.WORKERS, Status.CRITICAL, f"no worker is online{named}")
    if lost:
        silent = first_of([f"{each.worker} for {coarse_duration(each.silent_seconds or 0.0)}" for each in lost])
        return Check(Checks.WORKERS, Status.CRITICAL, f"silent without having left: {silent}; {len(online)} online")
    return Check(Checks.WORKERS, Status.OK, f"{len(online)} online")


def _events(broker: Broker, workers: Sequence[Worker]) -> Check:
    why = _why_not_all_events(broker, workers)
    return bad_if(Checks.EVENTS, bool(why), why, "listening")


def _why_not_all_events(broker: Broker, workers: Sequence[Worker]) -> str:
    if not broker.is_listening:
        return broker.problem or "not listening yet"
    if broker.silent_seconds > SILENT_SECONDS:
        return f"the broker has blocked our listener for {coarse_duration(broker.silent_seconds)}"
    if broker.pauses:
        return "more task events than the limit: only a part of them is read"
    mute = [each.worker for each in workers if each.is_mute]
    if mute:
        return f"{first_of(mute)} {noun(len(mute), 'sends', 'send')} no task events (start it with -E)"
    return ""


def _queue(source: CelerySource, found: Found) -> Check:
    served = {queue for queues in found.served for queue in queues}
    is_known = found.broker.has_asked and all(found.served)
    alone = [
        each for each in found.queues if each.messages and is_known and each.name not in served and not each.consumers
    ]
    if alone:
        held = first_of([f"{each.name} holds {count(each.messages, 'message')}" for each in alone])
        return Check(Checks.QUEUE, Status.CRITICAL, f"no worker takes from its queue: {held}")
    oldest = max(found.ages, key=lambda name: found.ages[name].seconds, default="")
    if not oldest:
        return Check(Checks.QUEUE, Status.OK, "")
    age = found.ages[oldest]
    waited = f"{'' if age.is_exact else 'at least '}{coarse_duration(age.seconds)}"
    share = min(age.seconds / source.queue_critical_seconds, 1.0)
    if not source.queue_age.is_bad(age.seconds):
        return Check(Checks.QUEUE, Status.OK, f"oldest {waited}" if age.seconds else "nothing waits", share)
    length = next(each.messages for each in found.queues if each.name == oldest)
    why = f"the oldest of {count(length, 'message')} in {oldest} has waited {waited}"
    return judged(Checks.QUEUE, age.seconds, why, source.queue_age, share)


def _failures(ended: Sequence[Ended]) -> Check:
    counts = Counter(each.outcome for each in ended)
    failed, total = counts[Outcome.FAILED], sum(counts[outcome] for outcome in ENDED)
    if not total:
        return Check(Checks.FAILURES, Status.OK, f"no task ended in {WINDOW}")
    ratio = failed / total
    names = Counter(each.name for each in ended if each.outcome == Outcome.FAILED)
    named = ", ".join(f"{name} {number(times)}" for name, times in names.most_common(NAMED))
    why = f"{number(failed)} of {count(total, 'task')} failed in {WINDOW}" + (f" ({named})" if named else "")
    if failed < spec.FAILED_LEAST:
        return Check(Checks.FAILURES, Status.OK, why, ratio)
    return judged(Checks.FAILURES, ratio, why, spec.FAILED, ratio)


def _runtime(found: Found) -> Check:
    p99 = {
        each.task: each.p99_seconds
        for each in found.tasks
        if each.p99_seconds is not None and each.timed >= spec.LONG_LEAST_RUNS
    }
    long = [
        f"{each.task} has been running for {coarse_duration(each.seconds)} on {each.worker} "
        f"(p99 is {duration(p99[each.task])})"
        for each in found.running
        if each.task in p99 and each.seconds > max(spec.LONG_TIMES * p99[each.task], spec.LONG_LEAST_SECONDS)
    ]
    return bad_if(Checks.RUNTIME, bool(long), "; ".join(long[:NAMED]))


def _pool(online: Sequence[Worker]) -> Check:
    pools = [each for each in online if each.slots]
    slots, active = sum(each.slots or 0 for each in pools), sum(each.active or 0 for each in pools)
    if not slots:
        return Check(Checks.POOL, Status.OK, "")
    ratio = active / slots
    return Check(
        Checks.POOL,
        Status.OK,
        f"{number(active)} of {count(slots, 'slot')} busy ({percent(ratio)})",
        min(ratio, 1.0),
    )
