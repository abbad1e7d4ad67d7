"""From a reading to checks: what is wrong with a Redis, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.recent import Window
from collectors.kinds.redis.info import Info, hit_ratio
from core.format import ago, bytes_, coarse_duration, count, duration, noun, number, percent
from core.kinds.redis import spec
from core.kinds.redis.spec import Checks
from core.model import Status
from core.rates import CounterDeltas

GRAVE_ERRORS = ("OOM", "LOADING", "READONLY", "MASTERDOWN", "NOAUTH", "MISCONF", "NOREPLICAS", "CLUSTERDOWN")
HIT_LEAST_LOOKUPS = 100
HIT_BASE_SECONDS, HIT_LEARN_SECONDS = 3_600.0, 600.0


class HitBase:
    """The usual hit ratio, forgetting over an hour; says how far the present one is below it."""

    def __init__(self) -> None:
        self._base: float | None = None
        self._since = 0.0
        self._last = 0.0

    def drop(self, deltas: CounterDeltas, monotonic: float) -> tuple[float, float] | None:
        """Return (usual, present) when the present is much lower, else learn from it."""
        ratio = hit_ratio(deltas)
        if ratio is None or deltas.change(spec.HITS_RATE) + deltas.change(spec.MISSES_RATE) < HIT_LEAST_LOOKUPS:
            return None
        if self._base is None:
            self._base, self._since, self._last = ratio, monotonic, monotonic
        is_learned = monotonic - self._since >= HIT_LEARN_SECONDS
        if is_learned and ratio < self._base - spec.HIT_DROP_RATIO:
            return self._base, ratio
        weight = min((monotonic - self._last) / HIT_BASE_SECONDS, 1.0)
        self._base += (ratio - self._base) * weight
        self._last = monotonic
        return None


def judge(
    info: Info, deltas: CounterDeltas, recent: Window, base: HitBase, ping: float, monotonic: float, now: float
) -> list[Check]:
    """Return every check of a reading but those of streams.

    ping: the shortest of the last three, in seconds: a single slow one is nothing.
    """
    return [
        _memory(info, recent.add("evicted", deltas.change(spec.EVICTED_RATE), monotonic)),
        _fragmentation(info),
        _clients(info, recent.add("rejected", deltas.change(spec.REJECTED_RATE), monotonic)),
        _hits(base.drop(deltas, monotonic), hit_ratio(deltas)),
        bad_if(Checks.LATENCY, spec.PING.is_bad(ping), f"PING takes {duration(ping)} or more, three times in a row"),
        _errors(deltas, recent, monotonic),
        *_persistence(info, now),
        _replication(info),
    ]


def _memory(info: Info, evicted: float) -> Check:
    used = info.number("used_memory")
    most, is_own = info.limit_bytes
    if used is None or not most:
        return Check(Checks.MEMORY, Status.UNKNOWN, "the server does not tell its memory")
    of = "its limit of" if is_own else "the machine's"
    why = f"memory at {percent(used / most)} of {of} {bytes_(most)}"
    policy = info.text("maxmemory_policy")
    if is_own and policy != "noeviction":
        # A cache may live at its limit; what it throws away is what counts.
        why = f"{why}, evicted {count(evicted, 'key')} in the last minute ({policy})" if evicted else why
        return Check(Checks.MEMORY, Status.WARNING if evicted else Status.OK, why, used / most)
    return judged(Checks.MEMORY, used / most, why, spec.MEMORY, used / most)


def _fragmentation(info: Info) -> Check:
    ratio, resident = info.number("mem_fragmentation_ratio"), info.number("used_memory_rss")
    is_bad = spec.FRAGMENTATION.is_bad(ratio or 0) and (resident or 0) > spec.FRAGMENTATION_LEAST_BYTES
    why = f"holds {number(ratio or 0, 2)} times the memory that it uses (fragmentation)"
    return bad_if(Checks.FRAGMENTATION, is_bad, why)


def _clients(info: Info, rejected: float) -> Check:
    connected, most = info.number("connected_clients") or 0.0, info.number("maxclients")
    if rejected:
        why = f"{count(rejected, 'connection')} rejected in the last minute ({count(connected, 'client')})"
        return Check(Checks.CLIENTS, Status.CRITICAL, why, connected / most if most else None)
    if not most:
        return Check(Checks.CLIENTS, Status.OK, count(connected, "client"))
    share = connected / most
    return judged(Checks.CLIENTS, share, f"{number(connected)} of {count(most, 'client')}", spec.CLIENTS, share)


def _hits(drop: tuple[float, float] | None, ratio: float | None) -> Check:
    if drop is not None:
        return Check(Checks.HITS, Status.WARNING, f"hit rate fell to {percent(drop[1])}, usual is {percent(drop[0])}")
    return Check(Checks.HITS, Status.OK, percent(ratio) if ratio is not None else "no look-ups")


def _errors(deltas: CounterDeltas, recent: Window, monotonic: float) -> Check:
    counts = {name: recent.add(name, deltas.change(f"error {name}"), monotonic) for name in GRAVE_ERRORS}
    total = sum(counts.values())
    told = [f"{number(times)} {name}" for name, times in counts.items() if times]
    return bad_if(Checks.ERRORS, bool(told), f"answered {', '.join(told)} {noun(total, 'error')} in the last minute")


def _persistence(info: Info, now: float) -> list[Check]:
    running = info.number("rdb_current_bgsave_time_sec") or 0.0
    saved = info.number("rdb_last_save_time")
    last = f", last good one {ago(now - saved)}" if saved else ""
    long = f"a save has been running for {coarse_duration(running)}"
    critical = Status.CRITICAL
    return [
        bad_if(
            Checks.SAVE, info.text("rdb_last_bgsave_status") == "err", f"the last save failed{last}", status=critical
        ),
        judged(Checks.SAVING, running, long if spec.SAVE_SECONDS.is_bad(running) else "", spec.SAVE_SECONDS),
        bad_if(
            Checks.APPEND,
            info.text("aof_last_write_status") == "err",
            "cannot write its append-only file",
            status=critical,
        ),
        bad_if(Checks.REWRITE, info.text("aof_last_bgrewrite_status") == "err", "the last rewrite of its file failed"),
    ]


def _replication(info: Info) -> Check:
    if info.text("role") == "slave":
        source = f"{info.text('master_host')}:{info.text('master_port')}"
        if info.text("master_link_status") != "up":
            since = info.number("master_link_down_since_seconds") or 0
            for_ = f" for {coarse_duration(since)}" if since > 0 else ""
            return Check(Checks.REPLICATION, Status.CRITICAL, f"has lost its primary {source}{for_}")
        if info.text("master_sync_in_progress") == "1":
            return Check(Checks.REPLICATION, Status.WARNING, f"is loading all data from its primary {source}")
        return Check(Checks.REPLICATION, Status.OK, f"replica of {source}")
    lags = {f"{parts.get('ip')}:{parts.get('port')}": _lag(parts) for parts in _replicas(info)}
    late = [f"{name} by {coarse_duration(lag)}" for name, lag in lags.items() if spec.REPLICA_LAG.is_bad(lag)]
    fine = count(len(lags), "replica")
    return bad_if(Checks.REPLICATION, bool(late), f"replicas are late: {', '.join(late)}", fine)


def _replicas(info: Info) -> Sequence[dict[str, str]]:
    return [parts for name, parts in info.listed("slave").items() if name.isdigit()]


def _lag(parts: dict[str, str]) -> float:
    return float(parts["lag"]) if parts.get("lag", "").isdigit() else 0.0
