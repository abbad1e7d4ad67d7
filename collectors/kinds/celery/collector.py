"""Celery: workers, pools, tasks and their failures, queues and the age of the oldest message, by Redis or AMQP.

Costs the broker: on Redis two round trips a reading (four LLEN a queue, HLEN, ZRANGE; LINDEX twice a queue that has
messages); on AMQP one passive declare a queue, which any reading shares. Once and for all one connection, to which
every event of the workers is copied: about 0.5 KB and 0.19 ms of our CPU each; above `events_per_second` it pauses.
Costs each worker three answers every 15 s and three every minute. The listener (collectors/kinds/celery/listener.py) is
a thread, one an instance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from collectors.base import Context
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
from collectors.kinds.celery.events import Heard, Seen
from collectors.kinds.celery.found import Broker, Found
from collectors.kinds.celery.judge import judge
from collectors.kinds.celery.listener import QUESTIONS, Listener
from collectors.kinds.celery.samples import samples
from collectors.kinds.celery.tables import by_task, tables
from collectors.kinds.celery.workers import Answers, queues_of, registered_of, running, workers
from collectors.kinds.redis.connection import Refused, Resp, as_source_error
from core.errors import SourceUnavailable
from core.format import count, number
from core.kinds.celery import spec
from core.kinds.celery.source import CelerySource
from core.kinds.celery.spec import Worker
from core.metrics import Metric
from core.model import Reading
from core.net.reach import GRACE_SECONDS, Deadline, retried_once
from core.rates import Rates

__all__ = ["CeleryCollector", "make"]

ANSWERED_SECONDS = 5.0
"""After the first question, so long is waited before the absence of a worker means anything."""
FRESH_SECONDS, HELD_SECONDS = 3.0, 15.0
"""An AMQP broker whose listener came round so lately is not asked again; one that holds it for longer is down."""
MOST_QUEUES = 50


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
        found = retried_once(lambda: self._ask(deadline), was_kept=self._server is not None)
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
                f"the broker opens no channel within {deadline.seconds:.3g} s: it hangs, or a memory or disk alarm "
                "blocks publishers"
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
        known = workers(seen, answers, now)
        found = Found(
            broker=self._broker(monotonic),
            seen=seen,
            queues=queues,
            ages=self._aged(queues, seen, known, now),
            unacked=unacked,
            workers=known,
            taken=queues_of(known, answers),
            registered=registered_of(known, answers),
            running=running(answers, self._source.show_arguments),
            tasks=by_task(seen),
        )
        checks = judge(self._source, found)
        self._remember(found.taken)
        self._ages.keep(list(self._queues))
        rates = {**self._per_second(seen, monotonic), spec.PROCESSED_RATE: self._processed(found.online, monotonic)}
        return Reading(
            samples=samples(self._source.name, found, rates, now),
            components=[summed(self._source.component, _fine(found), checks)],
            tables=[checks_table(checks), *tables(self._source, found, self._about(unacked, now))],
        )

    def _aged(self, queues: Sequence[QueueState], seen: Seen, workers: Sequence[Worker], now: float) -> dict[str, Age]:
        heard = {worker.name: worker for worker in seen.workers}
        hears_all = all(each.worker in heard and heard[each.worker].task_events for each in workers if each.is_online)
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
            is_listening=listener.since is not None,
            has_asked=asked is not None and time.monotonic() - asked > ANSWERED_SECONDS,
            problem=str(listener.problem or ""),
            silent_seconds=listener.silent_seconds,
            pauses=self._recent.add("pauses", paused, monotonic),
        )

    def _remember(self, taken: Mapping[str, Sequence[str]]) -> None:
        """Measure the queues that workers take from as well."""
        for queue in (queue for queues in taken.values() for queue in queues):
            if len(self._queues) < MOST_QUEUES:
                self._queues.setdefault(queue)

    def _per_second(self, seen: Seen, monotonic: float) -> dict[Metric, float | None]:
        """Return events a second by outcome; none across a pause of our listening."""
        listener = self.listener
        if listener.since is None:
            return {}
        return {
            metric: self._rates.per_second((name, listener.session), seen.counts.get(name, 0), monotonic)
            for name, metric in spec.RATES.items()
        }

    def _processed(self, online: Sequence[Worker], monotonic: float) -> float | None:
        """Return tasks a second by the workers' own count, which needs no task events."""
        rates = [
            self._rates.per_second(("processed", each.worker), each.processed, monotonic)
            for each in online
            if each.processed is not None
        ]
        known = [rate for rate in rates if rate is not None]
        self._rates.forget(monotonic - 3_600)
        return sum(known) if known else None

    def _about(self, unacked: Unacked | None, now: float) -> spec.About:
        listener = self.listener
        return spec.About(
            broker="AMQP" if self._source.is_amqp else "Redis",
            listening_since=now - (time.monotonic() - listener.since) if listener.since is not None else None,
            pauses=listener.pauses,
            unacked=unacked.count if unacked else None,
            unacked_oldest=unacked.oldest if unacked else None,
        )

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _fine(found: Found) -> str:
    waiting = sum(each.messages or 0 for each in found.queues)
    working = sum(each.active or 0 for each in found.online)
    return f"{count(len(found.online), 'worker')}, {number(working)} at work, {number(waiting)} waiting"
