"""The samples of a reading that are no rates."""

from __future__ import annotations

from collectors.base import gauges
from collectors.kinds.postgresql.activity import Activity, Longest
from collectors.kinds.postgresql.results import PeriodicResults, PresentResults
from core.kinds.postgresql import spec
from core.metrics import Metric
from core.model import Sample

CHARTED = 10


def present_samples(present: PresentResults, periodic: PeriodicResults, instance: str) -> list[Sample]:
    """Return connections, durations, lags."""
    activity, overview = present.activity, present.overview
    most, behind = periodic.most_connections, present.replay_behind_bytes
    replay_lag = overview["replayed_ago_seconds"] if behind else 0.0
    # Of sessions that the role is not shown nothing is known: no value, not that of the others.
    sees_all = overview["may_see_all"]
    found = gauges(
        {
            spec.CONNECTIONS_USED: activity.clients,
            spec.CONNECTIONS_USED_RATIO: activity.clients / most if most else None,
            **(_durations(activity) if sees_all else {}),
            spec.REPLAY_BEHIND: behind,
            spec.REPLAY_LAG: replay_lag if behind is not None else None,
            spec.UPTIME: present.now - overview["started"],
        },
        instance=instance,
    )
    for state, count in activity.by_state.items():
        found += gauges({spec.CONNECTIONS_BY_STATE: count}, instance=instance, state=state)
    for wait, count in activity.by_wait.items() if sees_all else ():
        found += gauges({spec.ACTIVE_SESSIONS: count}, instance=instance, wait=wait)
    for row in present.replicas[:CHARTED]:
        values = {
            spec.REPLICA_LAG: None if row["state"] == spec.NOT_VISIBLE else row["replay_lag_seconds"] or 0.0,
            spec.REPLICA_BEHIND: row["replay_behind_bytes"],
        }
        found += gauges(values, instance=instance, replica=str(row["name"] or row["client"]))
    for row in present.slots[:CHARTED]:
        found += gauges({spec.SLOT_RETAINED: row["retained_bytes"]}, instance=instance, slot=row["slot"])
    return found


def periodic_samples(periodic: PeriodicResults, instance: str) -> list[Sample]:
    """Return sizes and ages: the newest known, whose readings may be a minute apart."""
    found = gauges(
        {
            spec.XIDS: max((row["xid_age"] or 0 for row in periodic.databases), default=None),
            spec.MULTIXACTS: max((row["multixact_age"] or 0 for row in periodic.databases), default=None),
            spec.DATABASES_SIZE: _total_bytes(periodic),
            spec.WAL_SIZE: periodic.wal.get("bytes"),
            spec.LOCKS_RATIO: periodic.locks_ratio,
            spec.DEAD_ROWS_TOTAL: sum(row["dead_rows"] or 0 for row in periodic.tables) if periodic.tables else None,
        },
        instance=instance,
    )
    for row in periodic.databases[:CHARTED]:
        found += gauges({spec.DATABASE_SIZE: row["bytes"]}, instance=instance, database=row["database"])
    for row in sorted(periodic.tables, key=lambda row: -(row["bytes"] or 0))[:CHARTED]:
        name = f"{row['schema']}.{row['table']}"
        found += gauges({spec.TABLE_SIZE: row["bytes"]}, instance=instance, table=name)
    return found


def _durations(activity: Activity) -> dict[Metric, float | None]:
    return {
        spec.BLOCKED_SESSIONS: len(activity.blocked),
        spec.LONGEST_BLOCKED: max((chain.longest_seconds for chain in activity.chains()), default=0.0),
        spec.LONGEST_QUERY: _seconds(activity.longest_query),
        spec.LONGEST_TRANSACTION: _seconds(activity.longest_transaction),
        spec.LONGEST_IDLE_IN_TRANSACTION: _seconds(activity.longest_idle),
    }


def _total_bytes(periodic: PeriodicResults) -> float | None:
    """Return the size of all databases; None while the role is not shown that of one, or none is known."""
    sizes = [row["bytes"] for row in periodic.databases]
    return None if not sizes or None in sizes else float(sum(sizes))


def _seconds(longest: Longest | None) -> float:
    return longest.seconds if longest else 0.0
