"""The cards of PostgreSQL in the database tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import ago, bytes_, count, duration, money, number, percent, tenths
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = ("postgresql_blocked_sessions", "postgresql_databases_size_bytes", "postgresql_dead_rows")
"""Metrics of sparklines and trends that no chart shows."""
DAY_SECONDS = 86_400.0
TREND_SECONDS = 600.0
"""A trend needs at least so long a past."""


def postgresql_cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def growth_a_day(data: SeriesData | None) -> float | None:
    """Return how much a series grew a day over the window, from its first value to its last; None when too short."""
    if data is None:
        return None
    points = [(ts, value) for ts, value in zip(data.ts, data.mean, strict=True) if value is not None]
    if len(points) < 2 or points[-1][0] - points[0][0] < TREND_SECONDS:
        return None
    (since, first), (until, last) = points[0], points[-1]
    return (last - first) / (until - since) * DAY_SECONDS


def grown(amount: float | None) -> str:
    """Return growth in words: "+12.0 MiB a day"."""
    return "" if amount is None else f"{'+' if amount > 0 else ''}{bytes_(amount)} a day"


def _source(instance: Instance, series: SourceSeries) -> Any:
    rates = (instance.value("postgresql_commits_per_second"), instance.value("postgresql_rollbacks_per_second"))
    return source_card(
        instance,
        number(None if None in rates else sum(rate or 0.0 for rate in rates)),
        "tx/s",
        bar_ratio=instance.value("postgresql_connections_used_ratio"),
        spark=series.one("postgresql_commits_per_second", instance=instance.name),
        definition="Commits and rollbacks a second since the reading before; the bar is connections against their "
        "limit. "
        "pg_stat_database, pg_stat_activity.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    return [*_present(instance, series), *_kept(instance, series)]


def _present(instance: Instance, series: SourceSeries) -> list[Any]:
    def spark(metric: str, **labels: str) -> Any:
        return series.one(f"postgresql_{metric}", instance=instance.name, **labels)

    def value(metric: str) -> float | None:
        return instance.value(f"postgresql_{metric}")

    return [
        detail_card(instance, "blocking", "Blocked", number(value("blocked_sessions")), "sessions",
                    spark=spark("blocked_sessions"),
                    definition="Sessions that wait for a lock which another session holds, and who is at the root. "
                    "Warning "
                    "from 10 s, critical from 30 s. pg_blocking_pids(pid) of sessions whose wait_event_type is Lock."),
        detail_card(instance, "connections", "Connections", percent(value("connections_used_ratio")),
                    spark=spark("connections_used_ratio"),
                    definition="Against max_connections less those kept for superusers. Warning 80 %, critical 90 %."),
        detail_card(instance, "queries", "Longest query", duration(value("longest_query_seconds")),
                    spark=spark("longest_query_seconds"),
                    definition="now() − query_start of active client sessions that nobody blocks. Warning from 60 s."),
        detail_card(instance, "transactions", "Oldest transaction", duration(value("longest_transaction_seconds")),
                    spark=spark("longest_transaction_seconds"),
                    definition="now() − xact_start of client sessions. Warning from 2 min: it holds vacuum back."),
        detail_card(instance, "idle", "Idle in transaction", duration(value("longest_idle_in_transaction_seconds")),
                    spark=spark("longest_idle_in_transaction_seconds"),
                    definition="now() − state_change of sessions that began a transaction and do nothing. Warning from "
                    "5 min: they hold their locks."),
        detail_card(instance, "hits", "Cache hits", percent(value("cache_hit_ratio")), spark=spark("cache_hit_ratio"),
                    definition="Of the blocks asked for since the reading before. Warning below 98 % over 5 min with "
                    "50 000 blocks or more. pg_stat_database."),
        detail_card(instance, "rollbacks", "Rollbacks", percent(value("rollback_ratio")),
                    spark=spark("rollbacks_per_second"),
                    definition="Of transactions, since the reading before. Warning above 10 % of 100 or more in 5 min. "
                    "pg_stat_database."),
        detail_card(instance, "deadlocks", "Deadlocks", tenths(value("deadlocks_per_second")), "/s",
                    spark=spark("deadlocks_per_second"),
                    definition="Warning at one in 5 min, critical at 25. pg_stat_database."),
        detail_card(instance, "", "Round trip", duration(value("ping_p99_seconds")), "p99",
                    why=f"median {duration(value('ping_p50_seconds'))} · reading {duration(value('monitor_seconds'))}",
                    spark=spark("ping_p99_seconds"),
                    definition="SELECT 1, of the last 120 readings; and how long all questions of a reading took."),
    ]  # fmt: skip


def _kept(instance: Instance, series: SourceSeries) -> list[Any]:
    def spark(metric: str, **labels: str) -> Any:
        return series.one(f"postgresql_{metric}", instance=instance.name, **labels)

    def value(metric: str) -> float | None:
        return instance.value(f"postgresql_{metric}")

    about = instance.about
    sizes = spark("databases_size_bytes")
    xid = value("xid_age")
    return [
        detail_card(instance, "", "Size", bytes_(value("databases_size_bytes")), why=grown(growth_a_day(sizes)),
                    spark=sizes, definition="All databases; growth from the first to the last value of the window. "
                    "pg_database_size(oid), once a minute."),
        detail_card(instance, "vacuum", "Dead rows", number(value("dead_rows")), spark=spark("dead_rows"),
                    definition="Of the 100 biggest tables of this database. Warning when a table has more than 10 "
                    "000, at "
                    "least 10 %, and twice what should have started autovacuum. pg_stat_user_tables."),
        detail_card(instance, "xid", "Transaction ids", money(xid),
                    spark=spark("xid_age"),
                    definition="max(age(datfrozenxid)) of pg_database; the bar is its share of 2³¹, where the server "
                    "stops writing. Warning a quarter above autovacuum_freeze_max_age, critical at 1 000 M."),
        detail_card(instance, "replication", "Replication", str(about.get("role") or "n/a"),
                    definition="Standbys of a primary, or the stream of a standby. Warning from 60 s, critical from "
                    "1 GiB "
                    "behind or without a stream. pg_stat_replication, pg_stat_wal_receiver."),
        detail_card(instance, "slots", "Slots", number(len(instance.dicts("slots"))) if about else "n/a",
                    definition="Replication slots. Critical when one has had no reader for 30 min, or has lost its "
                    "WAL. "
                    "pg_replication_slots."),
        detail_card(instance, "checkpoints", "WAL", bytes_(value("wal_bytes_per_second")), "/s",
                    why=_wal(about), spark=spark("wal_bytes_per_second"),
                    definition="pg_current_wal_lsn(). Warning when more checkpoints of the last hour were asked for "
                    "than "
                    "came by time, at least 4: max_wal_size is too small. pg_ls_waldir(), pg_stat_checkpointer."),
        detail_card(instance, "archiver", "Archiver", str(about.get("archive_mode") or "n/a"),
                    why=_archived(instance), definition="archive_mode. Critical while the newest attempt failed. "
                    "pg_stat_archiver."),
        detail_card(instance, "locks", "Lock table", percent(about.get("locks_ratio")),
                    definition="Locks held over max_locks_per_transaction × (max_connections + "
                    "max_prepared_transactions). Warning 20 %, critical 80 %. pg_locks WHERE NOT fastpath."),
        detail_card(instance, "sequences", "Sequences", _fullest(instance),
                    definition="Share of its range that the fullest sequence has used. Warning 90 %, critical 98 %. "
                    "pg_sequences (needs SELECT on them)."),
        detail_card(instance, "indexes", "Indexes", _index_problems(instance), why="invalid · double · unused",
                    definition="Warning when one is invalid: it is written and never read. pg_index, "
                    "pg_stat_user_indexes."),
    ]  # fmt: skip


def _wal(about: dict[str, Any]) -> str:
    return f"{bytes_(about['wal_bytes'])} kept · max_wal_size {about['max_wal_size']}" if about.get("wal_bytes") else ""


def _archived(instance: Instance) -> str:
    about = instance.about
    if about.get("archive_mode") not in ("on", "always") or getattr(instance.check("archiver"), "status", None) != "ok":
        return ""
    last = about.get("last_archived")
    return f"{ago(instance.now - last)} · {count(about['archived'], 'file')}" if last else "none yet"


def _fullest(instance: Instance) -> str:
    shares = [row["used_ratio"] for row in instance.dicts("sequences") if row["used_ratio"] is not None]
    return percent(max(shares)) if shares else "n/a"


def _index_problems(instance: Instance) -> str:
    if not instance.about:
        return "n/a"
    found = [str(row["problem"]) for row in instance.dicts("indexes")]
    kinds = (("invalid",), ("duplicate",), ("never", "unused"))
    return " · ".join(number(sum(word.startswith(kind) for word in found)) for kind in kinds)
