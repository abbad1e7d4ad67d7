"""The samples of a reading that are no rates."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.base import gauges
from collectors.kinds.postgresql.activity import IDLE_IN_TRANSACTION, Activity
from collectors.kinds.postgresql.connection import Row
from collectors.kinds.postgresql.judge import PeriodicResults
from core.model import Sample

CHARTED = 10


def present_samples(
    activity: Activity,
    periodic: PeriodicResults,
    overview: Row,
    replicas: Sequence[Row],
    slots: Sequence[Row],
    instance: str,
) -> list[Sample]:
    """Return connections, durations, lags."""
    most, chains = periodic.most_connections, activity.chains()
    behind = _behind(overview)
    values: dict[str, float | None] = {
        "postgresql_connections_used": activity.clients,
        "postgresql_connections_used_ratio": activity.clients / most if most else None,
        "postgresql_blocked_sessions": len(activity.blocked),
        "postgresql_longest_blocked_seconds": max((chain.longest_seconds for chain in chains), default=0.0),
        "postgresql_longest_query_seconds": _longest(activity, "query_seconds", ("active",)),
        "postgresql_longest_transaction_seconds": _longest(
            activity, "transaction_seconds", ("active", *IDLE_IN_TRANSACTION)
        ),
        "postgresql_longest_idle_in_transaction_seconds": _longest(activity, "state_seconds", IDLE_IN_TRANSACTION),
        "postgresql_replay_behind_bytes": behind,
        "postgresql_replay_lag_seconds": None
        if behind is None
        else overview["replayed_ago_seconds"]
        if behind
        else 0.0,
        "postgresql_uptime_seconds": overview["now"] - overview["started"],
    }
    found = gauges(values, instance=instance)
    for state, count in activity.by_state.items():
        found += gauges({"postgresql_connections": count}, instance=instance, state=state)
    for wait, count in activity.by_wait.items():
        found += gauges({"postgresql_active_sessions": count}, instance=instance, wait=wait)
    for row in replicas[:CHARTED]:
        each = {
            "postgresql_replica_lag_seconds": row["replay_lag_seconds"] or 0.0,
            "postgresql_replica_behind_bytes": row["replay_behind_bytes"],
        }
        found += gauges(each, instance=instance, replica=str(row["name"] or row["client"]))
    for row in slots[:CHARTED]:
        found += gauges({"postgresql_slot_retained_bytes": row["retained_bytes"]}, instance=instance, slot=row["slot"])
    return found


def periodic_samples(periodic: PeriodicResults, instance: str) -> list[Sample]:
    """Return sizes and ages: the newest known, whose readings may be a minute apart."""
    values = {
        "postgresql_xid_age": max((row["xid_age"] or 0 for row in periodic.databases), default=None),
        "postgresql_multixact_age": max((row["multixact_age"] or 0 for row in periodic.databases), default=None),
        "postgresql_databases_size_bytes": sum(row["bytes"] or 0 for row in periodic.databases) or None,
        "postgresql_wal_size_bytes": periodic.wal.get("bytes"),
        "postgresql_locks_ratio": periodic.locks_ratio,
        "postgresql_dead_rows": sum(row["dead_rows"] or 0 for row in periodic.tables) if periodic.tables else None,
    }
    found = gauges(values, instance=instance)
    for row in periodic.databases[:CHARTED]:
        found += gauges({"postgresql_database_size_bytes": row["bytes"]}, instance=instance, database=row["database"])
    for row in sorted(periodic.tables, key=lambda row: -(row["bytes"] or 0))[:CHARTED]:
        name = f"{row['schema']}.{row['table']}"
        found += gauges({"postgresql_table_size_bytes": row["bytes"]}, instance=instance, table=name)
    return found


def _longest(activity: Activity, key: str, states: Sequence[str]) -> float:
    found = activity.longest(key, states)
    return max(found[0], 0.0) if found else 0.0


def _behind(overview: Row) -> float | None:
    if not overview["is_standby"] or overview["replayed_bytes"] is None:
        return None
    return max(float(overview["received_bytes"] or 0) - float(overview["replayed_bytes"]), 0.0)
