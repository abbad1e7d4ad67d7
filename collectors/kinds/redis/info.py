"""What INFO says, as numbers, texts and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.base import gauges
from core.errors import SourceRejected
from core.kinds.redis import spec
from core.model import Sample
from core.rates import CounterDeltas, Rates

OLDEST = (5, 0)


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
    hits = deltas.change(spec.HITS_RATE)
    looked = hits + deltas.change(spec.MISSES_RATE)
    return hits / looked if looked else None


def counter_deltas(info: Info, rates: Rates, monotonic: float) -> CounterDeltas:
    """Return how far the counters moved, those of errors as "error OOM" and of commands as "command get" among them."""
    values: dict[str, float | None] = {rate: info.number(field) for field, rate in spec.COUNTERS.items()}
    cpu = (info.number("used_cpu_sys"), info.number("used_cpu_user"))
    values[spec.CPU_RATIO] = sum(part for part in cpu if part is not None)
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
            spec.UPTIME: info.number("uptime_in_seconds"),
            spec.MEMORY_USED: used,
            spec.MEMORY_RESIDENT: info.number("used_memory_rss"),
            spec.MEMORY_PEAK: info.number("used_memory_peak"),
            spec.MEMORY_DATASET: info.number("used_memory_dataset"),
            spec.MEMORY_OVERHEAD: info.number("used_memory_overhead"),
            spec.MEMORY_CLIENTS: info.number("mem_clients_normal"),
            spec.MEMORY_LIMIT: limit,
            spec.MEMORY_USED_RATIO: used / limit if used is not None and limit else None,
            spec.MEMORY_FRAGMENTATION_RATIO: info.number("mem_fragmentation_ratio"),
            spec.ALLOCATOR_FRAGMENTATION_RATIO: info.number("allocator_frag_ratio"),
            spec.CLIENTS_CONNECTED: connected,
            spec.CLIENTS_BLOCKED: info.number("blocked_clients"),
            spec.CLIENTS_TRACKING: info.number("tracking_clients"),
            spec.CLIENTS_RATIO: connected / most if connected is not None and most else None,
            spec.HIT_RATIO: hit_ratio(deltas),
            spec.CPU_RATIO: deltas.rate(spec.CPU_RATIO),
            spec.REPLICAS: info.number("connected_slaves"),
            spec.UNSAVED_CHANGES: info.number("rdb_changes_since_last_save"),
            spec.FORK: _scaled(info.number("latest_fork_usec"), 1e-6),
            spec.PUBSUB_CHANNELS: info.number("pubsub_channels"),
            **{rate: deltas.rate(rate) for rate in spec.COUNTERS.values()},
        },
        instance=instance,
    )
    for database, parts in info.listed("db").items():
        keys, expires = float(parts.get("keys", 0)), float(parts.get("expires", 0))
        values = {spec.KEYS: keys, spec.EXPIRING_RATIO: expires / keys if keys else None}
        found += gauges(values, instance=instance, db=f"db{database}")
    return found


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
