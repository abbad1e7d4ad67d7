"""PostgreSQL 13 and newer: sessions, locks, traffic, statements, tables, indexes, replication, WAL, settings.

Costs the watched server, every interval, over one kept connection, eight to eleven short queries on statistics views
(3 to 8 ms together); every 30 s pg_stat_statements without its texts; every minute, one after another and one a reading
when the server is slow, the queries of space.py: sizes of the databases and of the 100 biggest tables, indexes,
sequences, locks, settings. pg_blocking_pids and the locks waited for are asked only while a session waits, since both
stop the lock manager for a moment. A query that takes longer than half of the time allowed is cancelled by the server
and then left alone for ten minutes. Nothing waits for a lock longer than 100 ms.

Sessions, counters, replication and WAL are those of the whole server; tables, indexes and sequences of the database in
the url: an instance each for further databases.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.recent import Pings
from collectors.kinds.postgresql import queries, rights, space, tables, traffic
from collectors.kinds.postgresql.actions import act
from collectors.kinds.postgresql.activity import Activity
from collectors.kinds.postgresql.catalog import Catalog, read_catalog
from collectors.kinds.postgresql.connection import Refused, Row, Server, SqlState
from collectors.kinds.postgresql.judge import Judge, present_checks
from collectors.kinds.postgresql.results import PeriodicResults, PresentResults
from collectors.kinds.postgresql.samples import periodic_samples, present_samples
from collectors.kinds.postgresql.statements import Statements
from core.errors import SourceRejected
from core.format import coarse_duration, count
from core.kinds.postgresql import spec
from core.kinds.postgresql import tables as rows
from core.kinds.postgresql.source import PostgresqlSource
from core.literals import without_values
from core.model import Reading
from core.net.reach import GRACE_SECONDS, Deadline
from core.tables import table_of

__all__ = ["PostgresqlCollector", "act", "make"]

PAUSE_SECONDS = 600.0
MISSING = (
    "not installed in this database: shared_preload_libraries = 'pg_stat_statements', restart, then "
    "CREATE EXTENSION pg_stat_statements"
)
PAUSING = (SqlState.QUERY_CANCELED, SqlState.INSUFFICIENT_PRIVILEGE, SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE)
"""After these a query is left alone for PAUSE_SECONDS: at once it would end the same."""


def make(context: Context, source: PostgresqlSource) -> PostgresqlCollector:
    """Return the collector of one server."""
    return PostgresqlCollector(source)


@dataclass(slots=True)
class PeriodicQuery:
    """A query that is asked once in `every_seconds`, not at every reading."""

    name: str
    every_seconds: float
    read: Callable[[Server, Catalog, float], None]
    due: float = 0.0


class PostgresqlCollector:
    """Reads one server over one kept connection."""

    def __init__(self, source: PostgresqlSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._server: Server | None = None
        self._catalog = Catalog({})
        self._traffic = traffic.Traffic()
        self._judge = Judge()
        self._periodic = PeriodicResults()
        self._statements = Statements(source.mask_literals)
        self._notes: dict[str, str] = {}
        self._pings = Pings(monotonic)
        self._queries = self._periodic_queries()

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. The connection is kept until something goes wrong with it."""
        deadline = Deadline(self._source.timeout_seconds)
        try:
            if self._server is None:
                self._server = Server(self._source, deadline)
                self._catalog = read_catalog(self._server)
            self._server.renew(deadline)
            return self._read(self._server)
        except Refused as error:
            self._close()
            raise SourceRejected(f"it refuses our queries: {error}") from error
        except BaseException:
            self._close()
            raise

    def _read(self, server: Server) -> Reading:
        monotonic = self._monotonic()
        self._pings.take(lambda: server.tell(spec.PING))
        began = self._monotonic()
        present = self._present(server)
        deltas = self._traffic.read(present, monotonic)
        self._ask_periodic_queries(server, monotonic)
        spent = self._monotonic() - began
        periodic, instance = self._periodic, self._source.name
        checks = [
            *present_checks(present, periodic, server.version),
            *self._judge.checks(deltas, monotonic),
            self._judge.slots(present.slots, monotonic),
        ]
        pings = self._pings.values(spec.PING_NEWEST, spec.PING_P50, spec.PING_P99)
        return Reading(
            samples=[
                *present_samples(present, periodic, instance),
                *traffic.samples(deltas, periodic.block_bytes, instance),
                *periodic_samples(periodic, instance),
                *self._statements.samples(),
                *gauges(
                    {spec.MONITOR: spent, spec.HIT_JUDGED_RATIO: self._judge.hit_ratio, **pings}, instance=instance
                ),
            ],
            components=[summed(self._source.component, _fine(server, present), checks)],
            tables=[
                checks_table(checks),
                table_of(rows.About, [tables.about(server, present, periodic, self._statements.evicted)]),
                table_of(rows.Note, tables.notes({**rights.notes(present, periodic, server.version), **self._notes})),
                table_of(rows.Session, present.activity.session_rows()),
                table_of(rows.BlockingNode, present.activity.blocking_nodes()),
                table_of(rows.ConnectionGroup, present.activity.connection_groups()),
                table_of(rows.Statement, self._statements.rows()),
                table_of(rows.Database, tables.databases(present, periodic, deltas)),
                table_of(rows.Relation, tables.relations(periodic, present.now)),
                table_of(rows.Index, tables.indexes(periodic, present.now)),
                table_of(rows.Sequence, tables.sequences(periodic)),
                table_of(rows.Setting, tables.settings(periodic)),
                table_of(rows.Replica, tables.rows_from(rows.Replica, present.replicas)),
                table_of(rows.Slot, tables.rows_from(rows.Slot, present.slots)),
                table_of(rows.Progress, tables.rows_from(rows.Progress, present.progress)),
            ],
        )

    def _present(self, server: Server) -> PresentResults:
        catalog, overview = self._catalog, server.ask(queries.OVERVIEW)[0]
        activity = self._activity(server)
        databases = server.ask(queries.databases(catalog))
        writing = self._ask(server, "WAL and checkpoints", queries.writing(catalog))
        return PresentResults(
            overview=overview,
            activity=activity,
            databases=databases,
            writing=writing[0] if writing else {},
            replicas=rights.standbys(self._ask(server, "replication", queries.replicas(catalog))),
            slots=self._ask(server, "slots", queries.slots(catalog)),
            receiver=self._ask(server, "receiver", queries.receiver(catalog)) if overview["is_standby"] else [],
            progress=rights.progress(self._ask(server, "progress", queries.progress(catalog)), overview),
        )

    def _activity(self, server: Server) -> Activity:
        sessions = rights.sessions(server.ask(queries.sessions(self._catalog)))
        if self._source.mask_literals:
            sessions = [row | {"query": without_values(row["query"])} for row in sessions]
        is_waiting = any(row["blocked_by"] for row in sessions)
        waits = self._ask(server, "locks", queries.waits_for_locks(self._catalog)) if is_waiting else []
        return Activity.of(sessions, waits, server.ask(spec.CONNECTIONS_QUERY))

    def _ask(self, server: Server, name: str, sql: str) -> list[Row]:
        """Return the rows of a query that a reading can do without; a note says why when there are none."""
        try:
            found = server.ask(sql)
        except Refused as error:
            self._notes[name] = _reason(error, server)
            return []
        self._notes.pop(name, None)
        return found

    def _ask_periodic_queries(self, server: Server, monotonic: float) -> None:
        """Ask what is due, as long as half of the time is left: the rest waits for the next reading."""
        for query in sorted(self._queries, key=lambda each: each.due):
            if query.due > monotonic or server.left() < self._source.timeout_seconds / 2:
                continue
            query.due = monotonic + query.every_seconds
            try:
                query.read(server, self._catalog, monotonic)
                self._notes.pop(query.name, None)
            except Refused as error:
                self._notes[query.name] = _reason(error, server)
                if error.state in PAUSING:
                    query.due = monotonic + PAUSE_SECONDS

    def _periodic_queries(self) -> list[PeriodicQuery]:
        periodic = self._periodic

        def rows(name: str, sql: Callable[[Catalog], str]) -> PeriodicQuery:
            def read(server: Server, catalog: Catalog, _monotonic: float) -> None:
                setattr(periodic, name, server.ask(sql(catalog)))

            return PeriodicQuery(name, spec.PERIODIC_SECONDS, read)

        def row(name: str, sql: str) -> PeriodicQuery:
            def read(server: Server, _catalog: Catalog, _monotonic: float) -> None:
                setattr(periodic, name, server.ask(sql)[0])

            return PeriodicQuery(name, spec.PERIODIC_SECONDS, read)

        def read_settings(server: Server, _catalog: Catalog, _monotonic: float) -> None:
            periodic.settings = {each["name"]: each for each in server.ask(space.SETTINGS)}

        return [
            PeriodicQuery("settings", spec.PERIODIC_SECONDS, read_settings),
            rows("databases", lambda _: space.DATABASES),
            rows("tables", space.tables),
            rows("indexes", space.indexes),
            rows("sequences", lambda _: space.SEQUENCES),
            row("locks", spec.LOCKS_QUERY),
            row("wal", spec.WAL_FILES_QUERY),
            row("prepared", space.PREPARED),
            rows("horizon", lambda _: space.HORIZON),
            rows("extensions", lambda _: space.EXTENSIONS),
            PeriodicQuery(spec.STATEMENTS_VIEW, spec.STATEMENTS_SECONDS, self._read_statements),
        ]

    def _read_statements(self, server: Server, catalog: Catalog, monotonic: float) -> None:
        if not catalog.statements_schema:
            # It may have been installed since we connected.
            self._catalog = catalog = read_catalog(server)
        if not catalog.statements_schema:
            raise Refused(SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, MISSING)
        self._statements.read(server, catalog, monotonic, self._source.name)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _reason(error: Refused, server: Server) -> str:
    if error.state == SqlState.QUERY_CANCELED:
        return f"took too long and was cancelled, asked again in {coarse_duration(PAUSE_SECONDS)}"
    if error.state == SqlState.LOCK_NOT_AVAILABLE:
        return "waited for a lock, asked again in a minute"
    if error.state == SqlState.INSUFFICIENT_PRIVILEGE:
        return rights.hidden(f"{error}, so it is", server.role)
    return str(error)


def _fine(server: Server, present: PresentResults) -> str:
    return f"{server.product}, {present.role}, {count(present.activity.clients, 'connection')}"
