"""ClickHouse: queries, parts, merges, mutations, disks, errors, replication; a server, or the engine inside us.

Costs the watched server, every interval: /ping, and five short queries on system tables (its version; events and
metrics; asynchronous metrics; processes; merges). Beside them at most three of the slower ones a reading: mutations
and errors each 15 s, disks and failed queries each 30 s, tables, query log, replicas, dictionaries, refreshes, Kafka
tables, all events each minute, limits, columns and warnings each five minutes. Together about 80 queries a minute at
5 s, 1 to 3 ms each on one thread; the two on the query log of the last hour take longer where a million queries were
logged, and end with the deadline. Replicas ask Keeper once a minute. Our queries are not written to the query log, and
end when we hang up.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.recent import Pings
from collectors.kinds.clickhouse.actions import act
from collectors.kinds.clickhouse.answers import Answers, Asker
from collectors.kinds.clickhouse.connection import Engine, HttpEngine, Refused, as_source_error, open_engine
from collectors.kinds.clickhouse.judge import Judge, Measured, parts_limits
from collectors.kinds.clickhouse.samples import Numbers, counter_deltas, labelled, samples
from core.errors import SourceRejected
from core.format import count
from core.kinds.clickhouse import spec, tables
from core.kinds.clickhouse.questions import SERVER, Server, ServerSetting, questions
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.model import Reading, Sample, Table
from core.net.reach import GRACE_SECONDS, Deadline
from core.rates import Rates
from core.tables import Row, table_of
from storage.clickhouse.query_log import QueryLog

__all__ = ["ClickHouseCollector", "act", "make"]

OLDEST = (22, 8)
EVENTS_SHOWN = 150
LONGEST_CHANGED = 500
SHOWN: tuple[type[Row], ...] = (
    tables.RunningQuery, tables.Merge, tables.Mutation, tables.StoredTable, tables.StoredColumn, tables.QueryPattern,
    tables.SlowQuery, tables.FailedQuery, tables.DetachedParts, tables.Disk, tables.ServerError, tables.Replica,
    tables.QueuedTask, tables.Dictionary, tables.ViewRefresh, tables.KafkaConsumer, tables.ServerWarning,
)  # fmt: skip
"""Answers that the page shows as they are."""


def make(context: Context, source: ClickHouseSource | OwnEngine) -> ClickHouseCollector:
    """Return the collector of one server, or of our own engine."""
    return ClickHouseCollector(source, context.stores.clickhouse.query_log)


class ClickHouseCollector:
    """Reads one ClickHouse over one kept connection."""

    def __init__(
        self,
        source: ClickHouseSource | OwnEngine,
        log: QueryLog | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._log = log
        self._monotonic = monotonic
        self._engine: Engine | None = None
        self._asker = Asker(questions(source), source.mask_literals)
        self._counters = Rates()
        self._event_counters = Rates()
        self._events: list[tables.Event] = []
        self._judge = Judge()
        self._pings = Pings(monotonic)
        self._uptime = 0.0
        self._run = 0

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. The connection is kept until something goes wrong with it."""
        deadline = Deadline(self._source.timeout_seconds)
        try:
            if self._engine is None:
                self._engine = open_engine(self._source, deadline, self._log)
            self._engine.renew(deadline)
            return self._read(self._engine, deadline)
        except Refused as error:
            self._close()
            raise as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _read(self, engine: Engine, deadline: Deadline) -> Reading:
        monotonic = self._monotonic()
        self._pings.take(engine.ping)
        server = self._server(engine)
        asked = self._asker.ask(engine, deadline, monotonic)
        answers = self._asker.answers
        if isinstance(self._source, OwnEngine):
            answers = with_used_space(answers)
        if tables.Event in asked:
            self._events = self._event_rates(answers, monotonic)
        numbers = Numbers.of(answers)
        measured = Measured(
            answers,
            numbers,
            counter_deltas(numbers, self._counters, self._run, monotonic),
            numbers.memory_limit(answers.of(ServerSetting)),
            median(self._pings.last(spec.PINGS_JUDGED)),
        )
        checks = self._judge.checks(measured, monotonic)
        return Reading(
            samples=self._samples(measured),
            components=[summed(self._source.component, f"{_product(server)}, {_load(numbers)}", checks)],
            tables=[
                checks_table(checks),
                table_of(tables.About, [self._about(engine, server, measured)]),
                *(_shown(row, answers) for row in SHOWN),
                table_of(tables.Pool, numbers.pools),
                table_of(tables.Event, self._events),
                table_of(tables.Refused, self._asker.refused),
            ],
        )

    def _server(self, engine: Engine) -> Server:
        """Return version, uptime, host and user; counts restarts, after which counters begin anew."""
        server = Server(**engine.ask(SERVER)[0])
        if tuple(int(part) for part in server.version.split(".")[:2] if part.isdigit()) < OLDEST:
            raise SourceRejected(f"{_product(server)} is too old: {OLDEST[0]}.{OLDEST[1]} or newer is needed")
        if server.uptime_seconds < self._uptime:
            self._run += 1
        self._uptime = server.uptime_seconds
        return server

    def _event_rates(self, answers: Answers, monotonic: float) -> list[tables.Event]:
        """Return all events with their rate since the answer before, the most frequent first."""
        rows = [
            replace(row, per_second=self._event_counters.per_second((self._run, row.event), row.count, monotonic))
            for row in answers.of(tables.Event)
        ]
        rows.sort(key=lambda row: (-(row.per_second or 0.0), row.event))
        return rows[:EVENTS_SHOWN]

    def _samples(self, measured: Measured) -> list[Sample]:
        name = self._source.name
        values: dict[str, float | None] = {
            spec.UPTIME: self._uptime,
            **self._pings.values(spec.PING_NEWEST, spec.PING_P50, spec.PING_P99),
            spec.PING_JUDGED: measured.ping_seconds,
            **samples(measured.answers, measured.numbers, measured.deltas, measured.limit_bytes),
        }
        return [*gauges(values, instance=name), *labelled(measured.answers, measured.numbers, name)]

    def _about(self, engine: Engine, server: Server, measured: Measured) -> tables.About:
        answers = measured.answers
        delayed, rejected = parts_limits(answers)
        changed = [each for each in answers.of(ServerSetting) if each.changed and each.value != each.default_value]
        return tables.About(
            product=_product(server),
            host=server.host,
            user=server.user,
            is_own=isinstance(self._source, OwnEngine),
            uptime_seconds=self._uptime,
            memory_limit_bytes=measured.limit_bytes,
            parts_delay=delayed,
            parts_throw=rejected,
            parts_active=measured.numbers.gauges.get(spec.PARTS_ACTIVE),
            tables=len(answers.of(tables.StoredTable)),
            changed=", ".join(f"{each.name} = {each.value}" for each in changed)[:LONGEST_CHANGED],
            is_limited=not isinstance(engine, HttpEngine) or engine.may_set,
            refused=", ".join(self._asker.refused_titles),
        )

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def with_used_space(answers: Answers) -> Answers:
    """Return the answers of an engine inside our process with what its disks hold, which it does not tell itself."""
    disks = [replace(disk, used_space=_used_space(disk.path)) for disk in answers.of(tables.Disk)]
    return Answers({**answers.rows, tables.Disk: disks})


def _used_space(path: str) -> float | None:
    try:
        return float(shutil.disk_usage(path).used)
    except OSError:
        return None


def _shown(row: type[Row], answers: Answers) -> Table:
    return table_of(row, answers.of(row))


def _product(server: Server) -> str:
    return f"ClickHouse {server.version}"


def _load(numbers: Numbers) -> str:
    return f"{count(numbers.gauges.get(spec.QUERIES_RUNNING, 0), 'query', 'queries')} running"
