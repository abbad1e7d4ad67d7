"""From a reading to checks: what is wrong with a PostgreSQL, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.judging.checks import Check, bad_if, limit
from collectors.judging.recent import Window
from collectors.kinds.postgresql.activity import IDLE_IN_TRANSACTION, PREPARED, Activity
from collectors.kinds.postgresql.connection import Row
from collectors.kinds.postgresql.traffic import TrafficDeltas
from core.format import ago, bytes_, coarse_duration, count, money, number, percent
from core.limits import Limit
from core.model import Status

CONNECTIONS_WARNING, CONNECTIONS_CRITICAL = 0.80, 0.90
BLOCKED_WARNING_SECONDS, BLOCKED_CRITICAL_SECONDS = 10.0, 30.0
QUERY_SECONDS, TRANSACTION_SECONDS, IDLE_SECONDS, PREPARED_SECONDS = 60.0, 120.0, 300.0, 300.0
HIT_WARNING, HIT_LEAST_BLOCKS = 0.98, 50_000
ROLLBACK_WARNING, ROLLBACK_LEAST = 0.10, 100
DEADLOCKS_CRITICAL = 25
"""In five minutes: five a minute."""
RECENT_SECONDS = 300.0
CHECKPOINT_SECONDS, CHECKPOINTS_LEAST = 3_600.0, 4
XID_SPACE = 2**31
XID_WARNING_OF_FREEZE, XID_CRITICAL = 1.25, 1_000_000_000
"""Vacuum starts to freeze at autovacuum_freeze_max_age (200 M): a quarter more says that it does not keep up."""
FREEZE_XIDS, FREEZE_MULTIXACTS = 200_000_000, 400_000_000
DEAD_LEAST, DEAD_RATIO, DEAD_TRIGGERS = 10_000, 0.10, 2.0
SEQUENCE_WARNING, SEQUENCE_CRITICAL = 0.90, 0.98
LAG_SECONDS, LAG_CRITICAL_BYTES = 60.0, 2**30
SLOT_SECONDS = 1_800.0
LOCKS_WARNING, LOCKS_CRITICAL = 0.20, 0.80
ARCHIVE_LATE_SECONDS = 60.0


@dataclass(slots=True)
class PeriodicResults:
    """What the periodic queries found, within the last minute or so."""

    databases: Sequence[Row] = ()
    settings: Mapping[str, Row] = field(default_factory=dict)
    extensions: Sequence[Row] = ()
    tables: Sequence[Row] = ()
    indexes: Sequence[Row] = ()
    sequences: Sequence[Row] = ()
    locks: Row = field(default_factory=dict)
    wal: Row = field(default_factory=dict)
    horizon: Sequence[Row] = ()
    prepared: Row = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """Return a setting as number."""
        try:
            return float(self.settings[name]["raw"])
        except (KeyError, TypeError, ValueError):
            return default

    @property
    def most_connections(self) -> float | None:
        """How many connections others than superusers may open."""
        if "max_connections" not in self.settings:
            return None
        kept = self.number("superuser_reserved_connections", 0) + self.number("reserved_connections", 0)
        return self.number("max_connections", 0) - kept

    @property
    def block_bytes(self) -> float:
        """Size of a block."""
        return self.number("block_size", 8192)

    @property
    def locks_ratio(self) -> float | None:
        """Share of the lock table in use."""
        slots = self.number("max_locks_per_transaction", 0) * (
            self.number("max_connections", 0) + self.number("max_prepared_transactions", 0)
        )
        return self.locks["held"] / slots if self.locks and slots else None

    def dead_limit(self, table: Row) -> float:
        """Return how many dead rows make autovacuum start on a table."""
        base = self.number("autovacuum_vacuum_threshold", 50)
        return base + self.number("autovacuum_vacuum_scale_factor", 0.2) * max(table["live_rows"] or 0, 0)


@dataclass(slots=True)
class Judge:
    """Keeps what must be remembered between readings of one server."""

    _recent: Window = field(default_factory=lambda: Window(RECENT_SECONDS))
    _checkpoints: Window = field(default_factory=lambda: Window(CHECKPOINT_SECONDS))
    _inactive: dict[str, float] = field(default_factory=dict)

    def checks(self, deltas: TrafficDeltas, monotonic: float) -> list[Check]:
        """Return the checks of what happened within the last minutes."""
        names = ("blks_hit", "blks_read", "xact_commit", "xact_rollback", "deadlocks", "conflicts", "checksum_failures")
        sums = {name: self._recent.add(name, deltas.change(name), monotonic) for name in names}
        made = {name: self._checkpoints.add(name, deltas.change(name), monotonic) for name in ("timed", "requested")}
        return [_hits(sums), _rollbacks(sums), *_events(sums), _made(made)]

    def slots(self, slots: Sequence[Row], monotonic: float) -> Check:
        """Return the check of replication slots: a forgotten one keeps WAL until the disk is full."""
        idle = {row["slot"] for row in slots if not row["is_active"] and not row["is_temporary"]}
        self._inactive = {name: self._inactive.get(name, monotonic) for name in idle}
        bad: list[tuple[Status, str]] = []
        for row in slots:
            kept = bytes_(row["retained_bytes"] or 0)
            if row["wal_status"] == "lost" or row["invalidation"]:
                bad.append((Status.CRITICAL, f"slot {row['slot']} is lost: its standby must be built anew"))
            elif row["wal_status"] == "unreserved":
                bad.append((Status.CRITICAL, f"slot {row['slot']} is about to lose the WAL it needs"))
            elif row["slot"] in idle:
                since = row["inactive_seconds"]
                seconds = since if since is not None else monotonic - self._inactive[row["slot"]]
                if seconds > SLOT_SECONDS:
                    bad.append(
                        (
                            Status.CRITICAL,
                            f"slot {row['slot']} has no reader for {coarse_duration(seconds)} and keeps {kept} of WAL",
                        )
                    )
        return _worst("slots", bad, count(len(slots), "slot"))


def present_checks(
    activity: Activity, periodic: PeriodicResults, deltas: TrafficDeltas, writing: Row, now: float
) -> list[Check]:
    """Return the checks of the present, but those of replication."""
    return [
        _blocking(activity),
        _connections(activity, periodic),
        *_durations(activity, periodic),
        *_ages(periodic),
        _locks(periodic),
        _dead(periodic),
        _indexes(periodic),
        _sequences(periodic),
        _archiver(periodic, writing, now),
        _off(periodic),
    ]


def replication(overview: Row, replicas: Sequence[Row], receiver: Sequence[Row]) -> Check:
    """Return the check of replication, of a primary or of a standby."""
    bad: list[tuple[Status, str]] = []
    if overview["is_standby"]:
        behind = (overview["received_bytes"] or 0) - (overview["replayed_bytes"] or 0)
        if not receiver:
            bad.append((Status.CRITICAL, "standby that receives nothing: no connection to its primary"))
        if overview["is_paused"]:
            bad.append((Status.WARNING, "replay is paused"))
        bad += _lag("replay", overview["replayed_ago_seconds"] if behind > 0 else 0.0, behind)
        return _worst("replication", bad, f"standby of {receiver[0]['host']}" if receiver else "standby")
    for row in replicas:
        name = f"standby {row['name'] or row['client']}"
        if row["state"] not in ("streaming", "backup"):
            bad.append((Status.WARNING, f"{name} is in state {row['state']}"))
        bad += _lag(name, row["replay_lag_seconds"], row["replay_behind_bytes"] or 0)
    return _worst("replication", bad, count(len(replicas), "standby"))


def _blocking(activity: Activity) -> Check:
    chains = activity.chains()
    if not chains:
        return Check("blocking", Status.OK, "nobody waits for a lock")
    told = [_chain(chain.root, chain.waiting, chain.longest_seconds, chain.root_state) for chain in chains[:3]]
    more = f", and {count(len(chains) - 3, 'more chain')}" if len(chains) > 3 else ""
    longest = max(chain.longest_seconds for chain in chains)
    status = Limit(BLOCKED_WARNING_SECONDS, BLOCKED_CRITICAL_SECONDS).status(longest)
    return Check("blocking", status, "; ".join(told) + more)


def _chain(root: int, waiting: int, seconds: float, state: str) -> str:
    who = "a prepared transaction" if root == PREPARED else f"pid {root}"
    idle = f" ({state})" if state in IDLE_IN_TRANSACTION else ""
    return f"{count(waiting, 'session')} blocked by {who}{idle} for {coarse_duration(seconds)}"


def _connections(activity: Activity, periodic: PeriodicResults) -> Check:
    used, most = activity.clients, periodic.most_connections
    if not most:
        return Check("connections", Status.OK, count(used, "connection"))
    why = f"{number(used)} of {count(most, 'connection')} in use"
    return limit("connections", used / most, why, CONNECTIONS_WARNING, CONNECTIONS_CRITICAL)


def _durations(activity: Activity, periodic: PeriodicResults) -> list[Check]:
    query = activity.longest("query_seconds", ("active",))
    transaction = activity.longest("transaction_seconds", ("active", *IDLE_IN_TRANSACTION))
    idle = activity.longest("state_seconds", IDLE_IN_TRANSACTION)
    prepared = periodic.prepared.get("oldest_seconds") or 0.0
    waits = f"a prepared transaction waits for {coarse_duration(prepared)}"
    return [
        _too_long("queries", query, QUERY_SECONDS, "a query has been running for {} (pid {}, {})"),
        _too_long("transactions", transaction, TRANSACTION_SECONDS, "a transaction is open for {} (pid {}, {})"),
        _too_long("idle", idle, IDLE_SECONDS, "a session is idle in its transaction for {} (pid {}, {})"),
        bad_if("prepared", prepared > PREPARED_SECONDS, waits),
    ]


def _too_long(name: str, found: tuple[float, Row] | None, most: float, sentence: str) -> Check:
    if found is None:
        return Check(name, Status.OK, "")
    seconds, row = found
    who = row["application"] or row["user"] or "unnamed"
    lasts = coarse_duration(seconds)
    return bad_if(name, seconds > most, sentence.format(lasts, row["pid"], who), f"longest {lasts}")


def _hits(sums: Mapping[str, float]) -> Check:
    blocks = sums["blks_hit"] + sums["blks_read"]
    ratio = sums["blks_hit"] / blocks if blocks else None
    is_bad = ratio is not None and blocks >= HIT_LEAST_BLOCKS and ratio < HIT_WARNING
    why = f"only {percent(ratio or 0)} of blocks came from the cache in the last 5 min"
    return Check("hits", Status.WARNING if is_bad else Status.OK, why if is_bad else "", ratio)


def _rollbacks(sums: Mapping[str, float]) -> Check:
    total = sums["xact_commit"] + sums["xact_rollback"]
    ratio = sums["xact_rollback"] / total if total else 0.0
    is_bad = ratio > ROLLBACK_WARNING and sums["xact_rollback"] >= ROLLBACK_LEAST
    return bad_if("rollbacks", is_bad, f"{percent(ratio)} of transactions were rolled back in the last 5 min")


def _events(sums: Mapping[str, float]) -> list[Check]:
    deadlocks = sums["deadlocks"]
    grave = Status.CRITICAL if deadlocks >= DEADLOCKS_CRITICAL else Status.WARNING
    return [
        bad_if("deadlocks", deadlocks > 0, f"{count(deadlocks, 'deadlock')} in the last 5 min",
               "none in the last 5 min", grave),
        bad_if("conflicts", sums["conflicts"] > 0,
               f"{count(sums['conflicts'], 'query', 'queries')} cancelled for replay in the last 5 min"),
        bad_if("checksums", sums["checksum_failures"] > 0,
               f"{count(sums['checksum_failures'], 'page')} failed the checksum in the last 5 min",
               status=Status.CRITICAL),
    ]  # fmt: skip


def _made(made: Mapping[str, float]) -> Check:
    total = made["timed"] + made["requested"]
    is_bad = made["requested"] >= CHECKPOINTS_LEAST and made["requested"] > made["timed"]
    early = f"{number(made['requested'])} of {count(total, 'checkpoint')}"
    return bad_if("checkpoints", is_bad, f"{early} in the last hour came early: max_wal_size is too small")


def _ages(periodic: PeriodicResults) -> list[Check]:
    return [
        _age("xid", periodic, "xid_age", periodic.number("autovacuum_freeze_max_age", FREEZE_XIDS), "transaction ids"),
        _age("multixact", periodic, "multixact_age",
             periodic.number("autovacuum_multixact_freeze_max_age", FREEZE_MULTIXACTS), "multixact ids"),
    ]  # fmt: skip


def _age(name: str, periodic: PeriodicResults, key: str, freeze: float, what: str) -> Check:
    oldest = max(periodic.databases, key=lambda row: row[key] or 0, default=None)
    age = (oldest or {}).get(key)
    if oldest is None or age is None:
        return Check(name, Status.UNKNOWN if periodic.databases else Status.OK, f"the age of {what} is not known")
    why = f"{percent(age / XID_SPACE)} of {what} used up in {oldest['database']} ({money(age)})"
    warning = min(freeze * XID_WARNING_OF_FREEZE, XID_CRITICAL) / XID_SPACE
    return limit(name, age / XID_SPACE, why, warning, XID_CRITICAL / XID_SPACE)


def _locks(periodic: PeriodicResults) -> Check:
    ratio = periodic.locks_ratio
    if ratio is None:
        return Check("locks", Status.OK, "")
    why = f"{count(periodic.locks['held'], 'lock')}, {percent(ratio)} of the lock table"
    return limit("locks", ratio, why, LOCKS_WARNING, LOCKS_CRITICAL)


def _dead(periodic: PeriodicResults) -> Check:
    late = [row for row in periodic.tables if is_bloating(row, periodic)]
    named = ", ".join(f"{row['table']} ({percent(dead_ratio(row) or 0)})" for row in late[:3])
    more = f" and {len(late) - 3} more" if len(late) > 3 else ""
    return bad_if("vacuum", bool(late), f"vacuum does not keep up with {named}{more}: dead rows", "vacuum keeps up")


def is_bloating(table: Row, periodic: PeriodicResults) -> bool:
    """Return whether a table has many dead rows, twice what should have started autovacuum."""
    dead = table["dead_rows"] or 0
    is_many = dead > DEAD_LEAST and (dead_ratio(table) or 0) >= DEAD_RATIO
    return is_many and dead > DEAD_TRIGGERS * periodic.dead_limit(table)


def dead_ratio(table: Row) -> float | None:
    """Return the share of dead rows of a table."""
    total = (table["live_rows"] or 0) + (table["dead_rows"] or 0)
    return (table["dead_rows"] or 0) / total if total else None


def _indexes(periodic: PeriodicResults) -> Check:
    invalid = [row["index"] for row in periodic.indexes if not row["is_valid"] and not row["is_being_built"]]
    return bad_if("indexes", bool(invalid), f"invalid index: {', '.join(invalid[:3])}; it costs and is not used")


def _sequences(periodic: PeriodicResults) -> Check:
    full = [row for row in periodic.sequences if not row["is_cycle"] and row["used_ratio"] is not None]
    worst = max(full, key=lambda row: float(row["used_ratio"]), default=None)
    if worst is None:
        return Check("sequences", Status.OK, "")
    ratio = float(worst["used_ratio"])
    return limit("sequences", ratio, f"sequence {worst['sequence']} is at {percent(ratio)} of its end",
                 SEQUENCE_WARNING, SEQUENCE_CRITICAL)  # fmt: skip


def _archiver(periodic: PeriodicResults, writing: Row, now: float) -> Check:
    mode = periodic.settings.get("archive_mode", {}).get("value")
    failed, archived = writing.get("last_failed"), writing.get("last_archived")
    fails = mode in ("on", "always") and failed is not None and (archived is None or failed > archived)
    since = f", last good one {ago(now - archived)}" if archived else ", none ever succeeded"
    why = f"archiving of WAL fails ({writing.get('last_failed_wal')}{since})"
    return bad_if("archiver", fails, why, "" if mode in ("on", "always") else "off", Status.CRITICAL)


def _off(periodic: PeriodicResults) -> Check:
    """Return the check of settings that risk the data or hide what happens."""
    off = [
        name
        for name in ("fsync", "autovacuum", "track_counts")
        if periodic.settings.get(name, {}).get("value") == "off"
    ]
    return bad_if("settings", bool(off), f"{' and '.join(off)} switched off")


def _lag(who: str, seconds: float | None, behind: float) -> list[tuple[Status, str]]:
    if behind > LAG_CRITICAL_BYTES:
        return [(Status.CRITICAL, f"{who} is {bytes_(behind)} behind")]
    if (seconds or 0) > LAG_SECONDS:
        return [(Status.WARNING, f"{who} is {coarse_duration(seconds or 0)} behind")]
    return []


def _worst(name: str, bad: Sequence[tuple[Status, str]], fine: str, **given: Any) -> Check:
    if not bad:
        return Check(name, Status.OK, fine, **given)
    status = Status.CRITICAL if any(each[0] is Status.CRITICAL for each in bad) else Status.WARNING
    return Check(name, status, "; ".join(each[1] for each in bad))
