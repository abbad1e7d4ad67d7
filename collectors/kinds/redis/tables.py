"""The tables of a reading: databases, commands, slow log, latency events, errors, clients, replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collectors.kinds.redis.connection import pairs, text
from collectors.kinds.redis.info import Info
from core.kinds.redis.spec import About, Client, Command, Database, Error, LatencyEvent, Replica, SlowEntry
from core.rates import CounterDeltas

ARGUMENT_CHARACTERS = 200
COMMANDS_SHOWN = 40
CLIENTS_SHOWN = 200
QUANTILES = ("p50", "p99", "p99.9")


def about(info: Info, settings: dict[str, Any], slow_length: int | None, denied: Sequence[str]) -> About:
    """Return the facts of a server; `denied`: commands that our user may not send."""
    limit, is_own = info.limit_bytes
    fork = info.number("latest_fork_usec")
    return About(
        product=info.product,
        mode=info.text("redis_mode") or info.text("server_mode"),
        role="replica" if info.text("role") == "slave" else "primary",
        uptime_seconds=info.number("uptime_in_seconds"),
        os=info.text("os"),
        policy=info.text("maxmemory_policy"),
        limit_bytes=limit if is_own else None,
        machine_bytes=None if is_own else limit,
        peak_bytes=info.number("used_memory_peak"),
        dataset_bytes=info.number("used_memory_dataset"),
        overhead_bytes=info.number("used_memory_overhead"),
        allocator_fragmentation=info.number("allocator_frag_ratio"),
        max_clients=info.number("maxclients"),
        last_save=info.number("rdb_last_save_time"),
        save_status=info.text("rdb_last_bgsave_status"),
        save_rule=settings.get("save"),
        changes_unsaved=info.number("rdb_changes_since_last_save"),
        append_only=info.text("aof_enabled") == "1",
        append_status=info.text("aof_last_write_status"),
        fork_seconds=fork / 1e6 if fork is not None else None,
        pubsub_channels=info.number("pubsub_channels"),
        pubsub_patterns=info.number("pubsub_patterns"),
        slowlog_microseconds=_whole(settings.get("slowlog-log-slower-than")),
        slowlog_length=slow_length,
        latency_milliseconds=_whole(settings.get("latency-monitor-threshold")),
        denied=", ".join(denied),
    )


def databases(info: Info) -> list[Database]:
    """Return the databases."""
    rows = []
    for name, parts in info.listed("db").items():
        lives = float(parts.get("avg_ttl", 0)) / 1e3
        rows.append(Database(name, int(parts.get("keys", 0)), int(parts.get("expires", 0)), lives or None))
    return rows


def commands(info: Info, deltas: CounterDeltas) -> list[Command]:
    """Return the commands by time spent since the reading before, then since the start."""
    latencies = info.listed("latency_percentiles_usec_")
    rows = [_command(name, parts, latencies.get(name, {}), deltas) for name, parts in info.listed("cmdstat_").items()]
    rows.sort(key=lambda row: (-(row.busy_ratio or 0.0), -row.mean_seconds * row.calls))
    return rows[:COMMANDS_SHOWN]


def _command(name: str, parts: dict[str, str], latencies: dict[str, str], deltas: CounterDeltas) -> Command:
    usec = deltas.rate(f"usec {name}")
    p50, p99, p999 = (_seconds(latencies.get(quantile)) for quantile in QUANTILES)
    return Command(
        command=name.replace("|", " "),
        calls=int(parts.get("calls", 0)),
        calls_per_second=deltas.rate(f"command {name}"),
        busy_ratio=usec / 1e6 if usec is not None else None,
        mean_seconds=float(parts.get("usec_per_call", 0)) / 1e6,
        p50_seconds=p50,
        p99_seconds=p99,
        p999_seconds=p999,
        rejected=int(parts.get("rejected_calls", 0)),
        failed=int(parts.get("failed_calls", 0)),
    )


def slow_log(entries: Sequence[Any]) -> list[SlowEntry]:
    """Return the slow log, newest first."""
    rows = []
    for entry in entries:
        number, ts, usec, arguments = entry[:4]
        client, name = (text(part) for part in entry[4:6]) if len(entry) >= 6 else ("", "")
        said = " ".join(text(part) for part in arguments)[:ARGUMENT_CHARACTERS]
        rows.append(SlowEntry(number, ts, usec / 1e6, said, client, name))
    return rows


def latency(events: Sequence[Any]) -> list[LatencyEvent]:
    """Return the latency events: newest time, its and the longest duration."""
    return [LatencyEvent(text(name), ts, last / 1e3, longest / 1e3) for name, ts, last, longest, *_ in events]


def errors(info: Info, deltas: CounterDeltas) -> list[Error]:
    """Return the errors answered by their prefix: since the start, and a second now."""
    rows = [
        Error(name, int(parts.get("count", 0)), deltas.rate(f"error {name}"))
        for name, parts in info.listed("errorstat_").items()
    ]
    return sorted(rows, key=lambda row: -row.count)[:COMMANDS_SHOWN]


def clients(listing: str) -> list[Client]:
    """Return the clients, those that hold most output first; `listing` is the answer to CLIENT LIST."""
    rows = [_client(dict(part.partition("=")[::2] for part in line.split(" "))) for line in listing.splitlines()]
    return sorted(rows, key=lambda row: (-(row.output_bytes or 0), -(row.memory_bytes or 0)))[:CLIENTS_SHOWN]


def _client(parts: dict[str, str]) -> Client:
    return Client(
        id=parts.get("id", ""),
        address=parts.get("addr", "") or parts.get("laddr", ""),
        name=parts.get("name", ""),
        user=parts.get("user", ""),
        db=parts.get("db", ""),
        age_seconds=_whole(parts.get("age")),
        idle_seconds=_whole(parts.get("idle")),
        command=parts.get("cmd", "").replace("|", " "),
        output_bytes=_whole(parts.get("omem")),
        memory_bytes=_whole(parts.get("tot-mem")),
        state="blocked" if "b" in parts.get("flags", "") else "",
    )


def replicas(info: Info) -> list[Replica]:
    """Return the replicas of a primary: address, state, how far behind in bytes and seconds."""
    ours = info.number("master_repl_offset")
    rows = []
    for name, parts in info.listed("slave").items():
        if not name.isdigit():
            continue
        offset = _whole(parts.get("offset"))
        behind = max(ours - offset, 0) if ours is not None and offset is not None else None
        address = f"{parts.get('ip')}:{parts.get('port')}"
        rows.append(Replica(address, parts.get("state", ""), behind, _whole(parts.get("lag"))))
    return rows


def settings_of(answer: Any) -> dict[str, Any]:
    """Return the answer to CONFIG GET as texts by name."""
    return {name: text(value) for name, value in pairs(answer).items()} if isinstance(answer, list) else {}


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _seconds(microseconds: str | None) -> float | None:
    return float(microseconds) / 1e6 if microseconds else None
