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
from collectors.kinds.postgresql import queries, space, tables, traffic
from collectors.kinds.postgresql.actions import act
from collectors.kinds.postgresql.activity import Activity
from collectors.kinds.postgresql.catalog import Catalog, read_catalog
from collectors.kinds.postgresql.connection import PING, Refused, Row, Server, SqlState
from collectors.kinds.postgresql.judge import Judge, PeriodicResults, present_checks, replication
from collectors.kinds.postgresql.samples import periodic_samples, present_samples
from collectors.kinds.postgresql.statements import Statements
from collectors.net.reach import GRACE_SECONDS, Deadline
from core.errors import SourceRejected
from core.format import count
from core.kinds.postgresql.source import PostgresqlSource
from core.model import Reading

__all__ = ["PostgresqlCollector", "act", "make"]

MINUTE_SECONDS, STATEMENTS_SECONDS = 60.0, 30.0
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
        self._statements = Statements()
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
        self._pings.take(lambda: server.tell(PING))
        began = self._monotonic()
        catalog, instance = self._catalog, self._source.name
        overview = server.ask(queries.OVERVIEW)[0]
        activity = self._activity(server)
        counters = server.ask(queries.databases(catalog))
        writing = self._ask(server, "WAL and checkpoints", queries.writing(catalog))
        written: Row = writing[0] if writing else {}
        deltas = self._traffic.read(counters, written, overview["written_bytes"], overview["started"], monotonic)
        replicas = self._ask(server, "replication", queries.replicas(catalog))
        slots = self._ask(server, "slots", queries.slots(catalog))
        receiver = self._ask(server, "receiver", queries.receiver(catalog)) if overview["is_standby"] else []
        progress = self._ask(server, "progress", queries.progress(catalog))
        self._ask_periodic_queries(server, monotonic)
        spent = self._monotonic() - began
        periodic, now = self._periodic, float(overview["now"])
        checks = [
            *present_checks(activity, periodic, deltas, written, now),
            *self._judge.checks(deltas, monotonic),
            replication(overview, replicas, receiver),
            self._judge.slots(slots, monotonic),
        ]
        facts = {"product": server.product, "is_encrypted": server.is_encrypted}
        pings = self._pings.values(*(f"postgresql_ping{part}_seconds" for part in ("", "_p50", "_p99")))
        return Reading(
            samples=[
                *present_samples(activity, periodic, overview, replicas, slots, instance),
                *traffic.samples(deltas, periodic.block_bytes, instance),
                *periodic_samples(periodic, instance),
                *self._statements.samples(),
                *gauges(
                    {
                        "postgresql_monitor_seconds": spent,
                        **pings,
                    },
                    instance=instance,
                ),
            ],
            components=[summed(self._source.component, _fine(server, overview, activity), checks)],
            tables=[
                checks_table(checks),
                tables.about(facts, overview, periodic, written, self._statements.evicted, self._notes),
                activity.sessions_table(),
                activity.blocking_table(),
                activity.parties_table(),
                self._statements.table(),
                tables.databases(periodic, counters, deltas.by_database, deltas.seconds),
                tables.relations(periodic, now),
                tables.indexes(periodic, now),
                tables.sequences(periodic),
                tables.settings(periodic),
                tables.rows_table("replicas", REPLICA_COLUMNS, replicas),
                tables.rows_table("slots", SLOT_COLUMNS, slots),
                tables.rows_table("progress", PROGRESS_COLUMNS, progress),
            ],
        )

    def _activity(self, server: Server) -> Activity:
        sessions = server.ask(queries.sessions(self._catalog))
        is_waiting = any(row["blocked_by"] for row in sessions)
        waits = self._ask(server, "locks", queries.waits_for_locks(self._catalog)) if is_waiting else []
        return Activity.of(sessions, waits, server.ask(queries.CONNECTIONS))

    def _ask(self, server: Server, name: str, sql: str) -> list[Row]:
        """Return the rows of a query that a reading can do without; a note says why when there are none."""
        try:
            found = server.ask(sql)
        except Refused as error:
            self._notes[name] = _reason(error)
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
                self._notes[query.name] = _reason(error)
                if error.state in PAUSING:
                    query.due = monotonic + PAUSE_SECONDS

    def _periodic_queries(self) -> list[PeriodicQuery]:
        periodic = self._periodic

        def rows(name: str, sql: Callable[[Catalog], str]) -> PeriodicQuery:
            def read(server: Server, catalog: Catalog, _monotonic: float) -> None:
                setattr(periodic, name, server.ask(sql(catalog)))

            return PeriodicQuery(name, MINUTE_SECONDS, read)

        def row(name: str, sql: str) -> PeriodicQuery:
            def read(server: Server, _catalog: Catalog, _monotonic: float) -> None:
                setattr(periodic, name, server.ask(sql)[0])

            return PeriodicQuery(name, MINUTE_SECONDS, read)

        def read_settings(server: Server, _catalog: Catalog, _monotonic: float) -> None:
            periodic.settings = {each["name"]: each for each in server.ask(space.SETTINGS)}

        return [
            PeriodicQuery("settings", MINUTE_SECONDS, read_settings),
            rows("databases", lambda _: space.DATABASES),
            rows("tables", space.tables),
            rows("indexes", space.indexes),
            rows("sequences", lambda _: space.SEQUENCES),
            row("locks", space.LOCKS),
            row("wal", space.WAL_FILES),
            row("prepared", space.PREPARED),
            rows("horizon", lambda _: space.HORIZON),
            rows("extensions", lambda _: space.EXTENSIONS),
            PeriodicQuery("pg_stat_statements", STATEMENTS_SECONDS, self._read_statements),
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


REPLICA_COLUMNS = (
    "name", "client", "state", "sync_state", "write_lag_seconds", "flush_lag_seconds", "replay_lag_seconds",
    "sent_behind_bytes", "replay_behind_bytes", "heard_ago_seconds",
)  # fmt: skip
SLOT_COLUMNS = (
    "slot", "type", "plugin", "database", "is_active", "wal_status", "retained_bytes", "behind_bytes", "safe_bytes",
    "inactive_seconds", "xmin_age", "invalidation",
)  # fmt: skip
PROGRESS_COLUMNS = ("pid", "command", "database", "relation", "phase", "done", "total", "unit", "seconds")


def _reason(error: Refused) -> str:
    if error.state == SqlState.QUERY_CANCELED:
        return "took too long and was cancelled; again in 10 min"
    if error.state == SqlState.LOCK_NOT_AVAILABLE:
        return "waited for a lock; again in a minute"
    return str(error)


def _fine(server: Server, overview: Row, activity: Activity) -> str:
    role = "standby" if overview["is_standby"] else "primary"
    return f"{server.product}, {role}, {count(activity.clients, 'connection')}"
