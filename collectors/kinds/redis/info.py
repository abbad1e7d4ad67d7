"""What INFO says, as numbers, texts and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.base import gauges
from core.errors import SourceRejected
from core.model import Sample
from core.rates import CounterDeltas, Rates

OLDEST = (5, 0)

COUNTERS = {
    "commands": "total_commands_processed",
    "connections": "total_connections_received",
    "rejected_connections": "rejected_connections",
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
    "errors": "total_error_replies",
    "receive_bytes": "total_net_input_bytes",
    "transmit_bytes": "total_net_output_bytes",
}
"""Field of INFO by the name of its rate: redis_<name>_per_second."""


@dataclass(frozen=True, slots=True)
class Info:
    """The fields of INFO by name; sections that list things are taken apart."""

    fields: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Info:
        """Return the fields of the answer to INFO. Raises SourceRejected for a server that is too old."""
        pairs = (line.partition(":") for line in text.splitlines() if ":" in line and not line.startswith("#"))
        info = cls({name: value for name, _, value in pairs})
        if info.version < OLDEST:
            raise SourceRejected(f"{info.product} is too old: 5.0 or newer is needed")
        return info

    def text(self, name: str) -> str:
        """Return a field, empty when the server has none of that name."""
        return self.fields.get(name, "")

    def number(self, name: str) -> float | None:
        """Return a field as number, None when it is absent or none."""
        try:
            return float(self.fields[name])
        except (KeyError, ValueError):
            return None

    def listed(self, prefix: str) -> dict[str, dict[str, str]]:
        """Return fields such as "db0:keys=1,expires=0" by what follows the prefix, taken apart."""
        found = {}
        for name, value in self.fields.items():
            if name.startswith(prefix) and "=" in value:
                parts = (part.partition("=") for part in value.split(","))
                found[name.removeprefix(prefix)] = {key: text for key, _, text in parts}
        return found

    @property
    def version(self) -> tuple[int, ...]:
        """The version as numbers; of Valkey that of the Redis it stands for."""
        return tuple(int(part) for part in self.text("redis_version").split(".") if part.isdigit())

    @property
    def product(self) -> str:
        """Name and version: "Valkey 9.1.2"."""
        if "valkey" in self.text("server_name"):
            return f"Valkey {self.text('valkey_version')}"
        return f"Redis {self.text('redis_version')}"

    @property
    def limit_bytes(self) -> tuple[float | None, bool]:
        """The memory that it may use, and whether that is its own limit or all that the machine has."""
        own = self.number("maxmemory")
        return (own, True) if own else (self.number("total_system_memory"), False)


def hit_ratio(deltas: CounterDeltas) -> float | None:
    """Return the hits among look-ups since the reading before; None when nobody looked anything up."""
    looked = deltas.change("hits") + deltas.change("misses")
    return deltas.change("hits") / looked if looked else None


def counter_deltas(info: Info, rates: Rates, monotonic: float) -> CounterDeltas:
    """Return how far the counters moved, those of errors as "error OOM" and of commands as "command get" among them."""
    values = {name: info.number(field) for name, field in COUNTERS.items()}
    cpu = (info.number("used_cpu_sys"), info.number("used_cpu_user"))
    values["cpu_seconds"] = sum(part for part in cpu if part is not None)
    for prefix, parts in info.listed("errorstat_").items():
        values[f"error {prefix}"] = float(parts.get("count", 0))
    for command, parts in info.listed("cmdstat_").items():
        values[f"command {command}"] = float(parts.get("calls", 0))
        values[f"usec {command}"] = float(parts.get("usec", 0))
    deltas = rates.deltas(info.text("run_id"), values, monotonic)
    rates.forget(monotonic - 600)
    return deltas


def samples(info: Info, deltas: CounterDeltas, instance: str) -> list[Sample]:
    """Return the samples of a reading."""
    limit, _ = info.limit_bytes
    used, connected, most = (info.number(name) for name in ("used_memory", "connected_clients", "maxclients"))
    found = gauges(
        {
            "redis_uptime_seconds": info.number("uptime_in_seconds"),
            "redis_memory_used_bytes": used,
            "redis_memory_resident_bytes": info.number("used_memory_rss"),
            "redis_memory_peak_bytes": info.number("used_memory_peak"),
            "redis_memory_dataset_bytes": info.number("used_memory_dataset"),
            "redis_memory_overhead_bytes": info.number("used_memory_overhead"),
            "redis_memory_clients_bytes": info.number("mem_clients_normal"),
            "redis_memory_limit_bytes": limit,
            "redis_memory_used_ratio": used / limit if used is not None and limit else None,
            "redis_memory_fragmentation_ratio": info.number("mem_fragmentation_ratio"),
            "redis_memory_allocator_fragmentation_ratio": info.number("allocator_frag_ratio"),
            "redis_clients": connected,
            "redis_clients_blocked": info.number("blocked_clients"),
            "redis_clients_tracking": info.number("tracking_clients"),
            "redis_clients_ratio": connected / most if connected is not None and most else None,
            "redis_hit_ratio": hit_ratio(deltas),
            "redis_cpu_ratio": deltas.rate("cpu_seconds"),
            "redis_replicas": info.number("connected_slaves"),
            "redis_unsaved_changes": info.number("rdb_changes_since_last_save"),
            "redis_fork_seconds": _scaled(info.number("latest_fork_usec"), 1e-6),
            "redis_pubsub_channels": info.number("pubsub_channels"),
            **{f"redis_{name}_per_second": deltas.rate(name) for name in COUNTERS},
        },
        instance=instance,
    )
    for database, parts in info.listed("db").items():
        keys, expires = float(parts.get("keys", 0)), float(parts.get("expires", 0))
        values = {"redis_keys": keys, "redis_expiring_ratio": expires / keys if keys else None}
        found += gauges(values, instance=instance, db=f"db{database}")
    return found


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
