"""From a reading to checks: what is wrong with a PostgreSQL, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.recent import Window
from collectors.kinds.postgresql import rights
from collectors.kinds.postgresql.activity import Activity, Chain, Longest
from collectors.kinds.postgresql.connection import Row
from collectors.kinds.postgresql.results import PeriodicResults, PresentResults, dead_ratio
from collectors.kinds.postgresql.traffic import TrafficDeltas
from core.format import ago, bytes_, coarse_duration, count, first_of, money, noun, number, percent
from core.kinds.postgresql import spec
from core.kinds.postgresql.spec import IDLE_STATES, Checks
from core.kinds.postgresql.tables import PREPARED_PID
from core.limits import Limit
from core.model import Status, worst

CHAINS_NAMED = 3
RECENTLY = f"in the last {coarse_duration(spec.RECENT_SECONDS)}"


@dataclass(slots=True)
class Judge:
    """Keeps what must be remembered between readings of one server."""

    _recent: Window = field(default_factory=lambda: Window(spec.RECENT_SECONDS))
    _checkpoints: Window = field(default_factory=lambda: Window(spec.CHECKPOINTS_SECONDS))
    _inactive: dict[str, float] = field(default_factory=dict)
    hit_ratio: float | None = None
    """The share of cache hits that was last judged; None: too few blocks were asked for."""

    def checks(self, deltas: TrafficDeltas, monotonic: float) -> list[Check]:
        """Return the checks of what happened within the last minutes."""
        total = deltas.total
        names = ("blks_hit", "blks_read", "xact_commit", "xact_rollback", "deadlocks", "conflicts", "checksum_failures")
        sums = {name: self._recent.add(name, total.change(name), monotonic) for name in names}
        made = {name: self._checkpoints.add(name, total.change(name), monotonic) for name in ("timed", "requested")}
        self.hit_ratio = _hit_ratio(sums)
        return [_hits(sums), _rollbacks(sums), *_events(sums), _made(made)]

    def slots(self, slots: Sequence[Row], monotonic: float) -> Check:
        """Return the check of replication slots: a forgotten one retains WAL until the disk is full."""
        idle = {row["slot"] for row in slots if not row["is_active"] and not row["is_temporary"]}
        self._inactive = {name: self._inactive.get(name, monotonic) for name in idle}
        bad: list[tuple[Status, str]] = []
        for row in slots:
            name = f"slot {row['slot']}"
            if row["wal_status"] == spec.WAL_LOST or row["invalidation"]:
                bad.append((Status.CRITICAL, f"{name} is lost: its standby must be rebuilt"))
            elif row["wal_status"] == spec.WAL_UNRESERVED:
                bad.append((Status.CRITICAL, f"{name} is about to lose the WAL it needs"))
            elif row["slot"] in idle:
                since = row["inactive_seconds"]
                seconds = since if since is not None else monotonic - self._inactive[row["slot"]]
                told = f"has no reader for {coarse_duration(seconds)} and retains {bytes_(row['retained_bytes'] or 0)}"
                bad += _if_bad(spec.SLOT_INACTIVE, seconds, f"{name} {told} of WAL")
        return _worst(Checks.SLOTS, bad, count(len(slots), "slot"))


def present_checks(present: PresentResults, periodic: PeriodicResults, version: int) -> list[Check]:
    """Return the checks of the present; version: of the server, as 180003."""
    sessions = [_blocking(present.activity), *_durations(present.activity)]
    return [
        rights.rights_check(present),
        *(rights.unseen(each, present.overview) for each in sessions),
        _connections(present.activity, periodic),
        _prepared(periodic),
        *_ages(periodic),
        _locks(periodic),
        _dead(periodic),
        _indexes(periodic),
        _sequences(periodic, str(present.overview["role"]), version),
        _archiver(present, periodic),
        _off(periodic),
        _replication(present),
    ]


def _replication(present: PresentResults) -> Check:
    """Return the check of replication, of a primary or of a standby."""
    overview, receiver = present.overview, present.receiver
    bad: list[tuple[Status, str]] = []
    if overview["is_standby"]:
        behind = present.replay_behind_bytes or 0.0
        if not receiver:
            bad.append((Status.CRITICAL, "standby receives nothing: no connection to its primary"))
        if overview["is_paused"]:
            bad.append((Status.WARNING, "replay is paused"))
        bad += _lag("replay", overview["replayed_ago_seconds"] if behind > 0 else 0.0, behind)
        if receiver and receiver[0]["status"] is None:
            bad.append((Status.UNKNOWN, rights.hidden("the primary of this standby is", overview["role"])))
        return _worst(Checks.REPLICATION, bad, f"standby of {receiver[0]['host']}" if receiver else "standby")
    for row in present.replicas:
        name = f"standby {row['name'] or row['client']}"
        if row["state"] == spec.NOT_VISIBLE:
            bad.append((Status.UNKNOWN, rights.hidden(f"{name} is", overview["role"])))
            continue
        if row["state"] not in spec.REPLICA_STATES:
            bad.append((Status.WARNING, f"{name} is in state {row['state']}"))
        bad += _lag(name, row["replay_lag_seconds"], row["replay_behind_bytes"] or 0)
    return _worst(Checks.REPLICATION, bad, count(len(present.replicas), "standby"))


def _blocking(activity: Activity) -> Check:
    chains = activity.chains()
    if not chains:
        return Check(Checks.BLOCKING, Status.OK, "nobody waits for a lock")
    hidden = len(chains) - CHAINS_NAMED
    more = f", and {count(hidden, 'more chain')}" if hidden > 0 else ""
    longest = max(chain.longest_seconds for chain in chains)
    return judged(Checks.BLOCKING, longest, "; ".join(map(_chain, chains[:CHAINS_NAMED])) + more, spec.BLOCKED)


def _chain(chain: Chain) -> str:
    who = "a prepared transaction" if chain.root == PREPARED_PID else f"pid {chain.root}"
    idle = f" ({chain.root_state})" if chain.root_state in IDLE_STATES else ""
    return f"{count(chain.waiting, 'session')} blocked by {who}{idle} for {coarse_duration(chain.longest_seconds)}"


def _connections(activity: Activity, periodic: PeriodicResults) -> Check:
    used, most = activity.clients, periodic.most_connections
    if not most:
        return Check(Checks.CONNECTIONS, Status.OK, count(used, "connection"))
    share = used / most
    why = f"{number(used)} of {count(most, 'connection')} in use"
    return judged(Checks.CONNECTIONS, share, why, spec.CONNECTIONS, share)


def _prepared(periodic: PeriodicResults) -> Check:
    prepared = periodic.prepared.get("oldest_seconds") or 0.0
    waits = f"a prepared transaction has been waiting for {coarse_duration(prepared)}"
    return judged(Checks.PREPARED, prepared, waits if spec.PREPARED.is_bad(prepared) else "", spec.PREPARED)


def _durations(activity: Activity) -> list[Check]:
    return [
        _too_long(Checks.QUERIES, activity.longest_query, spec.QUERY, "a query has been running"),
        _too_long(Checks.TRANSACTIONS, activity.longest_transaction, spec.TRANSACTION, "a transaction has been open"),
        _too_long(
            Checks.IDLE, activity.longest_idle, spec.IDLE_IN_TRANSACTION, "a session has been idle in transaction"
        ),
    ]


def _too_long(name: Checks, longest: Longest | None, limit: Limit, what: str) -> Check:
    if longest is None:
        return Check(name, Status.OK, "")
    lasts = coarse_duration(longest.seconds)
    bad = f"{what} for {lasts} (pid {longest.pid}, {longest.who})"
    return judged(name, longest.seconds, bad if limit.is_bad(longest.seconds) else f"longest {lasts}", limit)


def _hit_ratio(sums: Mapping[str, float]) -> float | None:
    """Return the share of blocks that came from the cache; None: too few were asked for to judge."""
    blocks = sums["blks_hit"] + sums["blks_read"]
    return sums["blks_hit"] / blocks if blocks and blocks >= spec.HITS_LEAST_BLOCKS else None


def _hits(sums: Mapping[str, float]) -> Check:
    ratio = _hit_ratio(sums)
    if ratio is None:
        return Check(Checks.HITS, Status.OK, "")
    why = f"only {percent(ratio)} of blocks came from the cache {RECENTLY}"
    return judged(Checks.HITS, ratio, why if spec.HITS.is_bad(ratio) else "", spec.HITS, ratio)


def _rollbacks(sums: Mapping[str, float]) -> Check:
    total = sums["xact_commit"] + sums["xact_rollback"]
    ratio = sums["xact_rollback"] / total if total else 0.0
    is_bad = spec.ROLLBACKS.is_bad(ratio) and sums["xact_rollback"] >= spec.ROLLBACKS_LEAST
    return bad_if(Checks.ROLLBACKS, is_bad, f"{percent(ratio)} of transactions were rolled back {RECENTLY}")


def _events(sums: Mapping[str, float]) -> list[Check]:
    deadlocks, conflicts, failures = sums["deadlocks"], sums["conflicts"], sums["checksum_failures"]
    told = f"{count(deadlocks, 'deadlock')} {RECENTLY}" if deadlocks else f"none {RECENTLY}"
    return [
        judged(Checks.DEADLOCKS, deadlocks, told, spec.DEADLOCKS),
        bad_if(Checks.CONFLICTS, conflicts > 0,
               f"{count(conflicts, 'query', 'queries')} cancelled for replay {RECENTLY}"),
        bad_if(Checks.CHECKSUMS, failures > 0,
               f"{count(failures, 'page')} failed the checksum {RECENTLY}", status=Status.CRITICAL),
    ]  # fmt: skip


def _made(made: Mapping[str, float]) -> Check:
    total = made["timed"] + made["requested"]
    is_bad = made["requested"] >= spec.CHECKPOINTS_LEAST and made["requested"] > made["timed"]
    early = f"{number(made['requested'])} of {count(total, 'checkpoint')}"
    return bad_if(Checks.CHECKPOINTS, is_bad, f"{early} in the last hour came early: max_wal_size is too small")


def _ages(periodic: PeriodicResults) -> list[Check]:
    freeze_xids = periodic.number("autovacuum_freeze_max_age", spec.FREEZE_XIDS)
    freeze_multixacts = periodic.number("autovacuum_multixact_freeze_max_age", spec.FREEZE_MULTIXACTS)
    ages = {row["database"]: (row["xid_age"], row["multixact_age"]) for row in periodic.databases}
    return [
        _age(Checks.XID, {name: age for name, (age, _) in ages.items()}, freeze_xids, "transaction ids"),
        _age(Checks.MULTIXACT, {name: age for name, (_, age) in ages.items()}, freeze_multixacts, "multixact ids"),
    ]


def _age(name: Checks, ages: Mapping[str, float | None], freeze: float, what: str) -> Check:
    known = {database: age for database, age in ages.items() if age is not None}
    if not known:
        return Check(name, Status.UNKNOWN if ages else Status.OK, f"the age of {what} is not known")
    database, age = max(known.items(), key=lambda each: each[1])
    share = age / spec.XID_SPACE
    why = f"{percent(share)} of {what} used up in {database} ({money(age)})"
    return judged(name, age, why, spec.age_limit(freeze), share)


def _locks(periodic: PeriodicResults) -> Check:
    ratio = periodic.locks_ratio
    if ratio is None:
        return Check(Checks.LOCKS, Status.OK, "")
    why = f"{count(periodic.locks['held'], 'lock')}, {percent(ratio)} of the lock table"
    return judged(Checks.LOCKS, ratio, why, spec.LOCKS, ratio)


def _dead(periodic: PeriodicResults) -> Check:
    late = [row for row in periodic.tables if periodic.is_bloating(row)]
    named = first_of([f"{row['table']} ({percent(dead_ratio(row) or 0)} dead rows)" for row in late])
    return bad_if(Checks.VACUUM, bool(late), f"vacuum does not keep up with {named}", "vacuum keeps up")


def _indexes(periodic: PeriodicResults) -> Check:
    invalid = [row["index"] for row in periodic.indexes if not row["is_valid"] and not row["is_being_built"]]
    what = noun(len(invalid), "invalid index", "invalid indexes")
    return bad_if(Checks.INDEXES, bool(invalid), f"{what}: {first_of(invalid)} (written and never read)")


def _sequences(periodic: PeriodicResults, role: str, version: int) -> Check:
    full = [row for row in periodic.sequences if not row["is_cycle"] and row["used_ratio"] is not None]
    worst = max(full, key=lambda row: float(row["used_ratio"]), default=None)
    if worst is None:
        return Check(Checks.SEQUENCES, Status.OK, rights.sequences_hidden(periodic, role, version))
    ratio = float(worst["used_ratio"])
    why = f"sequence {worst['sequence']} has used {percent(ratio)} of its range"
    return judged(Checks.SEQUENCES, ratio, why, spec.SEQUENCES, ratio)


def _archiver(present: PresentResults, periodic: PeriodicResults) -> Check:
    is_archiving = periodic.setting("archive_mode") in spec.ARCHIVE_MODES
    failed, archived = present.writing.get("last_failed"), present.writing.get("last_archived")
    fails = is_archiving and failed is not None and (archived is None or failed > archived)
    since = f"last success {ago(present.now - archived)}" if archived else "no success yet"
    why = f"archiving of WAL fails ({present.writing.get('last_failed_wal')}, {since})"
    return bad_if(Checks.ARCHIVER, fails, why, "" if is_archiving else "off", Status.CRITICAL)


def _off(periodic: PeriodicResults) -> Check:
    """Return the check of settings that risk the data or hide what happens."""
    off = [name for name in ("fsync", "autovacuum", "track_counts") if periodic.setting(name) == "off"]
    return bad_if(Checks.SETTINGS, bool(off), f"{' and '.join(off)} switched off")


def _lag(who: str, seconds: float | None, behind: float) -> list[tuple[Status, str]]:
    return _if_bad(spec.BEHIND, behind, f"{who} is {bytes_(behind)} behind") or _if_bad(
        spec.LAG, seconds or 0.0, f"{who} is {coarse_duration(seconds or 0)} behind"
    )


def _if_bad(limit: Limit, value: float, why: str) -> list[tuple[Status, str]]:
    return [(limit.status(value), why)] if limit.is_bad(value) else []


def _worst(name: Checks, bad: Sequence[tuple[Status, str]], fine: str) -> Check:
    if not bad:
        return Check(name, Status.OK, fine)
    return Check(name, worst([status for status, _ in bad]), "; ".join(why for _, why in bad))
