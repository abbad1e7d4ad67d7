"""The cards of the cache tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import ago, bytes_, count, duration, number, percent, ratio, tenths
from dashboard.sources.strip import detail_card, source_card, strip
from dashboard.sources.tab import Shown
from status.instances import Instance
from storage.clickhouse.reads.sources import Course

SPARKED = ("redis_cpu_ratio",)
"""Metrics of sparklines that no chart shows."""


def cache_cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.course, _source, _details)


def _source(instance: Instance, course: Course) -> Any:
    return source_card(
        instance,
        number(instance.value("redis_commands_per_second")),
        "ops/s",
        bar_ratio=instance.value("redis_memory_used_ratio"),
        spark=course.one("redis_commands_per_second", instance=instance.name),
        definition="Commands a second since the reading before; the bar is memory against its limit. INFO stats.",
    )


def _details(instance: Instance, course: Course) -> list[Any]:
    def spark(metric: str) -> Any:
        return course.one(metric, instance=instance.name)

    def value(metric: str) -> float | None:
        return instance.value(metric)

    about = instance.about
    hits = value("redis_hit_ratio")
    rates = (value("redis_hits_per_second"), value("redis_misses_per_second"))
    moved = " · ".join(f"{number(rate)} {word}/s" for rate, word in zip(rates, ("hits", "misses"), strict=True))
    return [
        detail_card(instance, "memory", "Memory", percent(value("redis_memory_used_ratio")),
                    why=f"{bytes_(value('redis_memory_used_bytes'))} of {bytes_(value('redis_memory_limit_bytes'))}"
                    f" · {about.get('policy', '')}" if value("redis_memory_used_bytes") else "",
                    spark=spark("redis_memory_used_ratio"),
                    definition="used_memory against maxmemory, or against the machine's memory. INFO memory."),
        detail_card(instance, "fragmentation", "Fragmentation", ratio(value("redis_memory_fragmentation_ratio")),
                    why=f"peak {bytes_(about.get('peak_bytes'))}" if about else "",
                    definition="mem_fragmentation_ratio: resident over used memory. Warning above 1.5 with more than "
                    "100 MiB resident: below that the program itself is most of it. INFO memory."),
        detail_card(instance, "hits", "Hit rate", percent(hits), why=moved if hits is not None else "no look-ups now",
                    spark=spark("redis_hit_ratio"),
                    definition="Hits among look-ups since the reading before. Warning 20 points below the usual of "
                    "the last hour. INFO stats."),
        detail_card(instance, "latency", "PING", duration(value("redis_ping_p99_seconds")), "p99",
                    why=f"median {duration(value('redis_ping_p50_seconds'))}", spark=spark("redis_ping_p99_seconds"),
                    definition="Time to the answer to PING; of the last 120 readings. Warning when three in a row "
                    "take 100 ms."),
        detail_card(instance, "clients", "Clients", number(value("redis_clients")),
                    spark=spark("redis_clients"), definition="connected_clients against maxclients. INFO clients."),
        detail_card(instance, "", "CPU", percent(value("redis_cpu_ratio")),
                    spark=spark("redis_cpu_ratio"),
                    why=f"of one core · up {duration(about.get('uptime_seconds'))}" if about else "",
                    definition="Differences of used_cpu_user and used_cpu_sys. INFO cpu."),
        detail_card(instance, "save", "Persistence", _saved(instance), why=_unsaved(instance),
                    definition="Last snapshot, append-only file, changes since. INFO persistence."),
        detail_card(instance, "replication", "Replication", str(about.get("role") or "n/a"),
                    definition="Role; of a primary its replicas, of a replica its link. INFO replication."),
        detail_card(instance, "errors", "Errors", tenths(value("redis_errors_per_second")), "/s",
                    spark=spark("redis_errors_per_second"),
                    definition="Errors answered a second. OOM, READONLY, LOADING, NOAUTH and the like are a warning "
                    "for a minute. INFO errorstats."),
    ]  # fmt: skip


def _saved(instance: Instance) -> str:
    about = instance.about
    if not about:
        return "n/a"
    if about["save_status"] == "err":
        return "failed"
    if about["save_rule"] == "":
        return "log" if about["append_only"] else "none"
    return "saved"


def _unsaved(instance: Instance) -> str:
    """Return how old the last snapshot is, and what of the append-only file; the start counts as a snapshot."""
    about = instance.about
    if not about:
        return ""
    log = f"append-only file {about['append_status']}" if about["append_only"] else "no append-only file"
    if about["save_rule"] == "":
        return f"no snapshots · {log}"
    saved = ago(instance.now - (about["last_save"] or instance.now))
    return f"{saved} · {count(about['changes_unsaved'], 'change')} since · {log}"
