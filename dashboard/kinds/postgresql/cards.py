"""The cards of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from core.format import ago, bytes_, coarse_duration, count, duration, money, noun, number, percent, tenths
from core.kinds.postgresql import spec
from core.kinds.postgresql.spec import Checks
from core.kinds.postgresql.tables import About, Index, IndexProblem, Slot
from core.kinds.postgresql.tables import Sequence as SequenceRow
from core.metrics import Metric
from core.model import Status
from dashboard.kinds.postgresql.growth import grown, growth_a_day
from dashboard.sources.limits import limit_text
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.BLOCKED_SESSIONS, spec.DATABASES_SIZE, spec.DEAD_ROWS_TOTAL)
"""Metrics of sparklines and trends that no chart shows."""
RECENT = f"over {duration(spec.RECENT_SECONDS)}"

Spark = Callable[[Metric], SeriesData | None]


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    rates = (instance.value(spec.COMMITS_RATE), instance.value(spec.ROLLBACKS_RATE))
    return source_card(
        instance,
        number(None if None in rates else sum(rate or 0.0 for rate in rates)),
        "tx/s",
        bar_ratio=instance.value(spec.CONNECTIONS_USED_RATIO),
        spark=series.one(spec.COMMITS_RATE, instance=instance.name),
        definition="Commits and rollbacks a second since the reading before; the bar is connections against their "
        "limit. pg_stat_database, pg_stat_activity.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    return [*_sessions(instance, spark), *_traffic(instance, spark), *_stored(instance, spark), *_wal(instance, spark),
            *_catalog(instance)]  # fmt: skip


def _sessions(instance: Instance, spark: Spark) -> list[Any]:
    blocked = instance.value(spec.BLOCKED_SESSIONS)
    return [
        detail_card(instance, Checks.BLOCKING, "Blocked", number(blocked), noun(blocked, "session"),
                    spark=spark(spec.BLOCKED_SESSIONS),
                    definition="Sessions that wait for a lock which another session holds, and who is at the root. "
                    f"{limit_text(spec.BLOCKED, 'seconds')}. pg_blocking_pids(pid) of sessions whose wait_event_type "
                    f"is "
                    "Lock."),
        detail_card(instance, Checks.CONNECTIONS, "Connections", percent(instance.value(spec.CONNECTIONS_USED_RATIO)),
                    spark=spark(spec.CONNECTIONS_USED_RATIO),
                    definition="Against max_connections less those kept for superusers. "
                    f"{limit_text(spec.CONNECTIONS, 'ratio')}."),
        detail_card(instance, Checks.QUERIES, "Longest query", duration(instance.value(spec.LONGEST_QUERY)),
                    spark=spark(spec.LONGEST_QUERY),
                    definition="now() − query_start of active client sessions that nobody blocks. "
                    f"{limit_text(spec.QUERY, 'seconds')}."),
        detail_card(instance, Checks.TRANSACTIONS, "Oldest transaction",
                    duration(instance.value(spec.LONGEST_TRANSACTION)), spark=spark(spec.LONGEST_TRANSACTION),
                    definition=f"now() − xact_start of client sessions. {limit_text(spec.TRANSACTION, 'seconds')}: "
                               f"it holds "
                    "vacuum back."),
        detail_card(instance, Checks.IDLE, "Idle in transaction",
                    duration(instance.value(spec.LONGEST_IDLE_IN_TRANSACTION)),
                    spark=spark(spec.LONGEST_IDLE_IN_TRANSACTION),
                    definition="now() − state_change of sessions that began a transaction and do nothing. "
                    f"{limit_text(spec.IDLE_IN_TRANSACTION, 'seconds')}: they hold their locks."),
    ]  # fmt: skip


def _traffic(instance: Instance, spark: Spark) -> list[Any]:
    median, reading = duration(instance.value(spec.PING_P50)), duration(instance.value(spec.MONITOR))
    return [
        detail_card(instance, Checks.HITS, "Cache hits", percent(instance.value(spec.HIT_RATIO)),
                    spark=spark(spec.HIT_RATIO),
                    definition="Of the blocks asked for since the reading before. "
                    f"{limit_text(spec.HITS, 'ratio')} {RECENT} with {number(spec.HITS_LEAST_BLOCKS)} blocks or more. "
                    "pg_stat_database."),
        detail_card(instance, Checks.ROLLBACKS, "Rollbacks", percent(instance.value(spec.ROLLBACK_RATIO)),
                    spark=spark(spec.ROLLBACKS_RATE),
                    definition="Of transactions, since the reading before. "
                    f"{limit_text(spec.ROLLBACKS, 'ratio')} {RECENT} with {number(spec.ROLLBACKS_LEAST)} rollbacks "
                    f"or more. "
                    "pg_stat_database."),
        detail_card(instance, Checks.DEADLOCKS, "Deadlocks", tenths(instance.value(spec.DEADLOCKS_RATE)), "/s",
                    spark=spark(spec.DEADLOCKS_RATE),
                    definition=f"{limit_text(spec.DEADLOCKS, 'count')} {RECENT}. pg_stat_database."),
        detail_card(instance, "", "Round trip", duration(instance.value(spec.PING_P99)), "p99",
                    why=f"median {median} · reading {reading}", spark=spark(spec.PING_P99),
                    definition=f"{spec.PING}, of the last 120 readings; and how long all queries of a reading took."),
    ]  # fmt: skip


def _stored(instance: Instance, spark: Spark) -> list[Any]:
    sizes = spark(spec.DATABASES_SIZE)
    return [
        detail_card(instance, "", "Size", bytes_(instance.value(spec.DATABASES_SIZE)), why=grown(growth_a_day(sizes)),
                    spark=sizes, definition="All databases; growth from the first to the last value of the window. "
                    f"pg_database_size(oid), every {coarse_duration(spec.PERIODIC_SECONDS)}."),
        detail_card(instance, Checks.VACUUM, "Dead rows", number(instance.value(spec.DEAD_ROWS_TOTAL)),
                    spark=spark(spec.DEAD_ROWS_TOTAL),
                    definition=f"Of the {spec.TABLES_READ} biggest tables of this database. Warning when a table has "
                    f"at least {number(spec.DEAD_ROWS.warning)} dead rows, {percent(spec.DEAD_RATIO.warning)} of all, "
                    f"and more than {spec.DEAD_TRIGGERS:g} times what starts autovacuum. pg_stat_user_tables."),
        detail_card(instance, Checks.XID, "Transaction ids", money(instance.value(spec.XIDS)), spark=spark(spec.XIDS),
                    definition="max(age(datfrozenxid)) of pg_database; the bar is its share of 2³¹, where the server "
                    "stops writing. Warning a quarter above autovacuum_freeze_max_age, critical from "
                    f"{number(spec.XID_AGE.critical)}."),
    ]  # fmt: skip


def _wal(instance: Instance, spark: Spark) -> list[Any]:
    about = instance.first(About)
    return [
        detail_card(instance, Checks.REPLICATION, "Replication", about.role if about else "n/a",
                    definition="Standbys of a primary, or the stream of a standby. "
                    f"{limit_text(spec.LAG, 'seconds')} behind. {limit_text(spec.BEHIND, 'bytes')} behind or without "
                    f"a stream. "
                    "pg_stat_replication, pg_stat_wal_receiver."),
        detail_card(instance, Checks.SLOTS, "Slots", number(len(instance.rows(Slot))) if about else "n/a",
                    definition=f"Replication slots. {limit_text(spec.SLOT_INACTIVE, 'seconds')} without a reader, "
                               f"and when "
                    "one is about to lose WAL that it needs or has lost it. pg_replication_slots."),
        detail_card(instance, Checks.CHECKPOINTS, "WAL", bytes_(instance.value(spec.WAL_RATE)), "/s",
                    why=_wal_kept(about), spark=spark(spec.WAL_RATE),
                    definition="Difference of pg_current_wal_lsn(). Warning when over "
                    f"{duration(spec.CHECKPOINTS_SECONDS)} more checkpoints were requested than timed, at least "
                    f"{spec.CHECKPOINTS_LEAST}: max_wal_size is too small. pg_stat_checkpointer. Kept: "
                    f"{spec.WAL_FILES_QUERY}."),
        detail_card(instance, Checks.ARCHIVER, "Archiver", about.archive_mode or "n/a" if about else "n/a",
                    why=_archived(instance, about), definition="archive_mode. Critical while the newest attempt "
                    "failed. pg_stat_archiver."),
    ]  # fmt: skip


def _catalog(instance: Instance) -> list[Any]:
    about = instance.first(About)
    return [
        detail_card(instance, Checks.LOCKS, "Lock table", percent(about.locks_ratio if about else None),
                    definition="Locks held over max_locks_per_transaction × (max_connections + "
                    f"max_prepared_transactions). {limit_text(spec.LOCKS, 'ratio')}. {spec.LOCKS_QUERY}."),
        detail_card(instance, Checks.SEQUENCES, "Sequences", _fullest(instance),
                    definition="Share of its range that the fullest sequence has used. "
                    f"{limit_text(spec.SEQUENCES, 'ratio')}. pg_sequences (needs SELECT on them)."),
        detail_card(instance, Checks.INDEXES, "Indexes", _index_problems(instance) if about else "n/a",
                    why="invalid · duplicate · unused",
                    definition="Warning when one is invalid: it is written and never read. pg_index, "
                    "pg_stat_user_indexes."),
    ]  # fmt: skip


def _wal_kept(about: About | None) -> str:
    if about is None or not about.wal_bytes:
        return ""
    return f"{bytes_(about.wal_bytes)} kept · max_wal_size {about.max_wal_size}"


def _archived(instance: Instance, about: About | None) -> str:
    check = instance.check(Checks.ARCHIVER)
    if about is None or about.archive_mode not in spec.ARCHIVE_MODES or check is None or check.status != Status.OK:
        return ""
    if not about.last_archived:
        return "none yet"
    return f"{ago(instance.read_at - about.last_archived)} · {count(about.archived, 'file')}"


def _fullest(instance: Instance) -> str:
    return percent(
        max((row.used_ratio for row in instance.rows(SequenceRow) if row.used_ratio is not None), default=None)
    )


def _index_problems(instance: Instance) -> str:
    found = [row.problem for row in instance.rows(Index)]
    problems = (IndexProblem.INVALID, IndexProblem.DUPLICATE, IndexProblem.UNUSED)
    return " · ".join(number(found.count(problem)) for problem in problems)
