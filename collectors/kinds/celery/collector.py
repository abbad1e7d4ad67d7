"""Celery: workers, pools, tasks and their failures, queues and the age of the oldest message, by Redis or AMQP.

Costs the broker: on Redis two round trips a reading (four LLEN a queue, HLEN, ZRANGE; LINDEX twice a queue that has
messages); on AMQP one passive declare a queue, which any reading shares. Once and for all one connection, to which
every event of the workers is copied: about 0.5 KB and 0.19 ms of our CPU each; above `events_per_second` it pauses.
Costs each worker three answers every 15 s and two every minute. The listener (collectors/kinds/celery/listener.py) is a
thread, one an instance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.recent import Window
from collectors.kinds.celery.connection import (
    Age,
    Ages,
    QueueState,
    Unacked,
    database,
    probe_amqp,
    read_queues,
    redis_source,
)
from collectors.kinds.celery.events import COUNTED, ENDED, Heard, Seen
from collectors.kinds.celery.judge import Broker, judge
from collectors.kinds.celery.listener import QUESTIONS, Listener
from collectors.kinds.celery.tables import by_task, make_tables, percentile
from collectors.kinds.celery.workers import Answers, Station, running, stations
from collectors.kinds.redis.connection import Refused, Resp, as_source_error
from collectors.net.reach import GRACE_SECONDS, Deadline
from core.errors import SourceUnavailable
from core.format import count, number
from core.kinds.celery.source import CelerySource
from core.model import Reading, Sample, Table
from core.rates import Rates

__all__ = ["CeleryCollector", "make"]

ANSWERED_SECONDS = 5.0
"""After the first question, so long is waited before the absence of a worker means anything."""
FRESH_SECONDS, HELD_SECONDS = 3.0, 15.0
"""An AMQP broker whose listener came round so lately is not asked again; one that holds it for longer is down."""
MOST_QUEUES = 50
WORKERS_CHARTED, TASKS_CHARTED, QUEUES_CHARTED = 8, 6, 12


def make(context: Context, source: CelerySource) -> CeleryCollector:
    """Return the collector of one broker."""
    return CeleryCollector(source)


class CeleryCollector:
    """Reads the queues of one broker, and what its listener heard."""

    def __init__(
        self,
        source: CelerySource,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self.heard = Heard(source.show_arguments)
        self.listener = Listener(source, self.heard)
        self._server: Resp | None = None
        self._ages = Ages()
        self._rates = Rates()
        self._recent = Window()
        self._pauses = 0
        self._queues: dict[str, None] = dict.fromkeys(source.queues)

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. Raises when the broker cannot be read."""
        deadline = Deadline(self._source.timeout_seconds)
        queues, unacked = self._amqp(deadline) if self._source.is_amqp else self._redis(deadline)
        return self._reading(queues, unacked, now)

    def _redis(self, deadline: Deadline) -> tuple[list[QueueState], Unacked | None]:
        was_kept = self._server is not None
        try:
            found = self._ask(deadline)
        except SourceUnavailable:
            if not was_kept:
                raise
            found = self._ask(deadline)
        self._listen(deadline)
        return found

    def _ask(self, deadline: Deadline) -> tuple[list[QueueState], Unacked | None]:
        try:
            if self._server is None:
                number = database(self._source)
                self._server = Resp(redis_source(self._source), deadline)
                self._server.ask("SELECT", number)
            self._server.renew(deadline)
            return read_queues(self._server, list(self._queues))
        except Refused as error:
            self._close()
            raise as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _amqp(self, deadline: Deadline) -> tuple[list[QueueState], Unacked | None]:
        listener = self.listener
        if listener.since is None or listener.silent_seconds > FRESH_SECONDS:
            probe_amqp(self._source, deadline)
        self._listen(deadline)
        if listener.problem is not None:
            raise listener.problem
        if listener.since is None or listener.silent_seconds > HELD_SECONDS:
            raise SourceUnavailable(
                f"the broker gives no channel within {deadline.seconds:.3g} s: it hangs, or an alarm of memory or disk "
                "holds back whoever publishes to it"
            )
        lengths = listener.lengths
        return [
            QueueState(name, lengths[name].messages, consumers=lengths[name].consumers) if name in lengths
            else QueueState(name, None)
            for name in self._queues
        ], None  # fmt: skip

    def _listen(self, deadline: Deadline) -> None:
        """Let the listener listen; one that is only beginning gets half of the time to get through."""
        self.listener.wanted_queues = tuple(self._queues)
        is_new = self.listener.since is None
        self.listener.listen()
        if is_new:
            self.listener.changed.wait(deadline.left() / 2)

    def _reading(self, queues: Sequence[QueueState], unacked: Unacked | None, now: float) -> Reading:
        monotonic = self._monotonic()
        answers = Answers(**{question: self.listener.answers(question) for question in QUESTIONS})
        seen = self.heard.look(now, *self._ages.known_ids(), *(each.oldest for each in queues))
        workers = stations(seen, answers, now)
        tasks = running(answers, self._source.show_arguments)
        ages = self._aged(queues, seen, workers, now)
        rows = by_task(seen)
        runtimes = {row.name: (row.timed, row.p99) for row in rows if row.p99 is not None}
        broker = self._broker(monotonic)
        checks = judge(self._source, broker, workers, queues, ages, runtimes, tasks, seen)
        self._remember(workers)
        self._ages.keep(list(self._queues))
        rates = self._per_second(seen, monotonic)
        return Reading(
            samples=self._samples(queues, ages, unacked, workers, seen, rates, monotonic, now),
            components=[summed(self._source.component, _fine(workers, queues), checks)],
            tables=[checks_table(checks), *make_tables(queues, ages, workers, tasks, rows, seen, now),
                    self._about(unacked, now)],
        )  # fmt: skip

    def _aged(self, queues: Sequence[QueueState], seen: Seen, workers: Sequence[Station], now: float) -> dict[str, Age]:
        beats = {worker.name: worker for worker in seen.workers}
        hears_all = all(each.name in beats and beats[each.name].task_events for each in workers if each.is_online)
        found = {
            each.name: self._ages.age(each, seen, now, hears_all=hears_all)
            for each in queues
            if not self._source.is_amqp
        }
        return {name: age for name, age in found.items() if age is not None}

    def _broker(self, monotonic: float) -> Broker:
        listener = self.listener
        paused, self._pauses = listener.pauses - self._pauses, listener.pauses
        asked = listener.asked
        return Broker(
            listener.since is not None,
            asked is not None and time.monotonic() - asked > ANSWERED_SECONDS,
            str(listener.problem or ""),
            listener.silent_seconds,
            self._recent.add("pauses", paused, monotonic),
        )

    def _remember(self, workers: Sequence[Station]) -> None:
        for queue in (queue for each in workers for queue in each.queues):
            if len(self._queues) < MOST_QUEUES:
                self._queues.setdefault(queue)

    def _per_second(self, seen: Seen, monotonic: float) -> dict[str, float | None]:
        """Return events a second by outcome; None across a pause of our listening."""
        listener = self.listener
        if listener.since is None:
            return {}
        names = (*COUNTED.values(), "events", "malformed")
        return {
            name: self._rates.per_second((name, listener.session), seen.counts.get(name, 0), monotonic)
            for name in dict.fromkeys(names)
        }

    def _samples(
        self, queues: Sequence[QueueState], ages: dict[str, Age], unacked: Unacked | None,
        workers: Sequence[Station], seen: Seen, rates: dict[str, float | None], monotonic: float, now: float,
    ) -> list[Sample]:  # fmt: skip
        name, online = self._source.name, [each for each in workers if each.is_online]
        seconds = sorted(each.seconds for each in seen.ended if each.seconds is not None and each.outcome in ENDED)
        ended = sum(each.outcome in ENDED for each in seen.ended)
        failed = sum(each.outcome == "failed" for each in seen.ended)
        slots = _sum([each.slots for each in online])
        active = _sum([each.active for each in online])
        lengths = [each.messages for each in queues if each.messages is not None]
        is_known = self.listener.since is not None
        values = {
            "celery_workers": float(len(online)) if is_known else None,
            "celery_tasks_active": active,
            "celery_tasks_reserved": _sum([each.reserved for each in online]),
            "celery_tasks_scheduled": _sum([each.scheduled for each in online]),
            "celery_pool_slots": slots,
            "celery_pool_used_ratio": active / slots if active is not None and slots else None,
            "celery_processed_per_second": self._processed(workers, monotonic),
            "celery_failed_ratio": failed / ended if ended else None,
            "celery_runtime_p50_seconds": percentile(seconds, 0.50),
            "celery_runtime_p95_seconds": percentile(seconds, 0.95),
            "celery_queued_messages": float(sum(lengths)) if lengths else None,
            "celery_queue_oldest_seconds_max": max((age.seconds for age in ages.values()), default=None),
            "celery_unacked_messages": float(unacked.count) if unacked else None,
            "celery_unacked_oldest_seconds": max(now - unacked.oldest, 0.0) if unacked and unacked.oldest else None,
            **{f"celery_{outcome}_per_second": rate for outcome, rate in rates.items()},
        }
        found = gauges(values, instance=name)
        for queue in sorted(queues, key=lambda each: -(each.messages or 0))[:QUEUES_CHARTED]:
            age = ages.get(queue.name)
            found += gauges(
                {
                    "celery_queue_messages": queue.messages,
                    "celery_queue_oldest_seconds": age.seconds if age else None,
                },
                instance=name,
                queue=queue.name,
            )
        for row in by_task(seen)[:TASKS_CHARTED]:
            found += gauges(
                {"celery_task_p95_seconds": row.p95, "celery_task_ended_10m": row.ended}, instance=name, task=row.name
            )
        for each in online[:WORKERS_CHARTED]:
            found += gauges(
                {"celery_worker_active": each.active, "celery_worker_load1": each.load}, instance=name, worker=each.name
            )
        return found

    def _processed(self, workers: Sequence[Station], monotonic: float) -> float | None:
        """Return tasks a second by the workers' own count, which needs no task events."""
        rates = [
            self._rates.per_second(("processed", each.name), each.processed, monotonic)
            for each in workers
            if each.is_online and each.processed is not None
        ]
        known = [rate for rate in rates if rate is not None]
        self._rates.forget(monotonic - 3_600)
        return sum(known) if known else None

    def _about(self, unacked: Unacked | None, now: float) -> Table:
        listener = self.listener
        values = {
            "broker": "AMQP" if self._source.is_amqp else "Redis",
            "listening_since": now - (time.monotonic() - listener.since) if listener.since is not None else None,
            "pauses": listener.pauses,
            "unacked": unacked.count if unacked else None,
            "unacked_oldest": unacked.oldest if unacked else None,
            "queue_warning_seconds": self._source.queue_warning_seconds,
            "queue_critical_seconds": self._source.queue_critical_seconds,
        }
        return Table("about", tuple(values), (tuple(values.values()),))

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _sum(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None


def _fine(workers: Sequence[Station], queues: Sequence[QueueState]) -> str:
    online = [each for each in workers if each.is_online]
    waiting = sum(each.messages or 0 for each in queues)
    working = sum(each.active or 0 for each in online)
    return f"{count(len(online), 'worker')}, {number(working)} at work, {number(waiting)} waiting"
