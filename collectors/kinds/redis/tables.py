"""The tables of a reading: databases, commands, slow log, latency events, errors, clients, replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collectors.kinds.redis.connection import pairs, text
from collectors.kinds.redis.info import Info
from core.model import Table
from core.rates import CounterDeltas

ARGUMENT_CHARACTERS = 200
COMMANDS_SHOWN = 40
CLIENTS_SHOWN = 200
QUANTILES = ("p50", "p99", "p99.9")

ABOUT = (
    "product", "mode", "role", "uptime_seconds", "run_id", "os", "config_file", "policy", "limit_bytes",
    "is_own_limit", "peak_bytes", "dataset_bytes", "overhead_bytes", "allocator_fragmentation", "max_clients",
    "last_save", "save_status", "save_rule", "changes_unsaved", "append_only", "append_status", "fork_seconds",
    "loading", "pubsub_channels", "pubsub_patterns", "slowlog_microseconds", "slowlog_length",
    "latency_milliseconds", "denied",
)  # fmt: skip


def about(info: Info, settings: dict[str, Any], slow_length: int | None, denied: Sequence[str]) -> Table:
    """Return the facts of a server as a table of one row; `denied`: commands that our user may not send."""
    limit, is_own = info.limit_bytes
    saved = info.number("rdb_last_save_time")
    fork = info.number("latest_fork_usec")
    row: dict[str, Any] = {
        "product": info.product,
        "mode": info.text("redis_mode") or info.text("server_mode"),
        "role": "replica" if info.text("role") == "slave" else "primary",
        "uptime_seconds": info.number("uptime_in_seconds"),
        "run_id": info.text("run_id"),
        "os": info.text("os"),
        "config_file": info.text("config_file"),
        "policy": info.text("maxmemory_policy"),
        "limit_bytes": limit,
        "is_own_limit": is_own,
        "peak_bytes": info.number("used_memory_peak"),
        "dataset_bytes": info.number("used_memory_dataset"),
        "overhead_bytes": info.number("used_memory_overhead"),
        "allocator_fragmentation": info.number("allocator_frag_ratio"),
        "max_clients": info.number("maxclients"),
        "last_save": saved,
        "save_status": info.text("rdb_last_bgsave_status"),
        "save_rule": settings.get("save"),
        "changes_unsaved": info.number("rdb_changes_since_last_save"),
        "append_only": info.text("aof_enabled") == "1",
        "append_status": info.text("aof_last_write_status"),
        "fork_seconds": fork / 1e6 if fork is not None else None,
        "loading": info.text("loading") == "1",
        "pubsub_channels": info.number("pubsub_channels"),
        "pubsub_patterns": info.number("pubsub_patterns"),
        "slowlog_microseconds": _whole(settings.get("slowlog-log-slower-than")),
        "slowlog_length": slow_length,
        "latency_milliseconds": _whole(settings.get("latency-monitor-threshold")),
        "denied": ", ".join(denied),
    }
    return Table("about", ABOUT, (tuple(row[name] for name in ABOUT),))


def databases(info: Info) -> Table:
    """Return keys, those that expire, and their mean time to live in seconds, by database."""
    rows = []
    for name, parts in info.listed("db").items():
        lives = float(parts.get("avg_ttl", 0)) / 1e3
        rows.append((name, int(parts.get("keys", 0)), int(parts.get("expires", 0)), lives or None))
    return Table("databases", ("db", "keys", "expires", "ttl_seconds"), tuple(rows))


def commands(info: Info, deltas: CounterDeltas) -> Table:
    """Return the commands by time spent since the reading before, then since the start."""
    latencies = info.listed("latency_percentiles_usec_")
    rows: list[tuple[Any, ...]] = []
    for name, parts in info.listed("cmdstat_").items():
        usec = deltas.rate(f"usec {name}")
        seconds = [_seconds(latencies.get(name, {}).get(quantile)) for quantile in QUANTILES]
        rows.append(
            (
                name.replace("|", " "),
                int(parts.get("calls", 0)),
                deltas.rate(f"command {name}"),
                usec / 1e6 if usec is not None else None,
                float(parts.get("usec_per_call", 0)) / 1e6,
                *seconds,
                int(parts.get("rejected_calls", 0)),
                int(parts.get("failed_calls", 0)),
            )
        )
    rows.sort(key=lambda row: (-(row[3] or 0.0), -row[4] * row[1]))
    columns = (
        "command", "calls", "calls_per_second", "busy_ratio", "mean_seconds", "p50_seconds", "p99_seconds",
        "p999_seconds", "rejected", "failed",
    )  # fmt: skip
    return Table("commands", columns, tuple(rows[:COMMANDS_SHOWN]))


def slow_log(entries: Sequence[Any]) -> Table:
    """Return the slow log, newest first."""
    rows = []
    for entry in entries:
        number, ts, usec, arguments = entry[:4]
        client, name = (text(part) for part in entry[4:6]) if len(entry) >= 6 else ("", "")
        said = " ".join(text(part) for part in arguments)[:ARGUMENT_CHARACTERS]
        rows.append((number, ts, usec / 1e6, said, client, name))
    return Table("slowlog", ("id", "ts", "seconds", "command", "client", "client_name"), tuple(rows))


def latency(events: Sequence[Any]) -> Table:
    """Return the latency events: newest time, its and the longest duration."""
    rows = tuple((text(name), ts, last / 1e3, longest / 1e3) for name, ts, last, longest, *_ in events)
    return Table("latency", ("event", "ts", "last_seconds", "longest_seconds"), rows)


def errors(info: Info, deltas: CounterDeltas) -> Table:
    """Return the errors answered by their prefix: since the start, and a second now."""
    rows = [
        (name, int(parts.get("count", 0)), deltas.rate(f"error {name}"))
        for name, parts in info.listed("errorstat_").items()
    ]
    rows.sort(key=lambda row: -row[1])
    return Table("errors", ("error", "count", "per_second"), tuple(rows[:COMMANDS_SHOWN]))


def clients(listing: str, own_address: str = "") -> Table:
    """Return the clients, those that hold most output first; `listing` is the answer to CLIENT LIST."""
    rows = []
    for line in listing.splitlines():
        parts = dict(part.partition("=")[::2] for part in line.split(" "))
        rows.append(
            (
                parts.get("id", ""),
                parts.get("addr", "") or parts.get("laddr", ""),
                parts.get("name", ""),
                parts.get("user", ""),
                parts.get("db", ""),
                _whole(parts.get("age")),
                _whole(parts.get("idle")),
                parts.get("cmd", "").replace("|", " "),
                _whole(parts.get("omem")),
                _whole(parts.get("tot-mem")),
                "blocked" if "b" in parts.get("flags", "") else "",
            )
        )
    rows.sort(key=lambda row: (-(row[8] or 0), -(row[9] or 0)))
    columns = (
        "id", "address", "name", "user", "db", "age_seconds", "idle_seconds", "command", "output_bytes",
        "memory_bytes", "state",
    )  # fmt: skip
    return Table("clients", columns, tuple(rows[:CLIENTS_SHOWN]))


def replicas(info: Info) -> Table:
    """Return the replicas of a primary: address, state, how far behind in bytes and seconds."""
    ours = info.number("master_repl_offset")
    rows = []
    for name, parts in info.listed("slave").items():
        if not name.isdigit():
            continue
        offset = _whole(parts.get("offset"))
        behind = max(ours - offset, 0) if ours is not None and offset is not None else None
        rows.append(
            (f"{parts.get('ip')}:{parts.get('port')}", parts.get("state", ""), behind, _whole(parts.get("lag")))
        )
    return Table("replicas", ("address", "state", "behind_bytes", "lag_seconds"), tuple(rows))


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
