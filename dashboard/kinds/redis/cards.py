"""The cards of Redis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.format import bytes_, count, duration, number, percent, ratio, tenths
from core.kinds.redis import spec
from core.kinds.redis.spec import Checks
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.CPU_RATIO,)
HIT_DROP_POINTS = spec.HIT_DROP_RATIO * 100
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        number(instance.value(spec.COMMANDS_RATE)),
        "ops/s",
        bar_ratio=instance.value(spec.MEMORY_USED_RATIO),
        spark=series.one(spec.COMMANDS_RATE, instance=instance.name),
        definition="Commands a second since the reading before; the bar is memory against its limit. INFO stats.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    value = instance.value
    about = instance.first(spec.About)
    hits = value(spec.HIT_RATIO)
    rates = (value(spec.HITS_RATE), value(spec.MISSES_RATE))
    words = (("hit", "hits"), ("miss", "misses"))
    moved = " · ".join(f"{count(rate, *word)}/s" for rate, word in zip(rates, words, strict=True))
    return [
        detail_card(instance, Checks.MEMORY, "Memory", percent(value(spec.MEMORY_USED_RATIO)),
                    why=_memory(about, value(spec.MEMORY_USED)),
                    spark=spark(spec.MEMORY_USED_RATIO),
                    definition="used_memory against maxmemory, or against the machine's memory. INFO memory."),
        detail_card(instance, Checks.FRAGMENTATION, "Fragmentation", ratio(value(spec.MEMORY_FRAGMENTATION_RATIO)),
                    why=f"peak {bytes_(about.peak_bytes)}" if about else "",
                    definition="mem_fragmentation_ratio: resident over used memory. Warning from "
                    f"{spec.FRAGMENTATION.warning:g} with more than {bytes_(spec.FRAGMENTATION_LEAST_BYTES)} "
                    "resident: below that the program itself is most of it. INFO memory."),
        detail_card(instance, Checks.HITS, "Hit rate", percent(hits),
                    why=moved if hits is not None else "no look-ups now",
                    spark=spark(spec.HIT_RATIO),
                    definition="Hits among look-ups since the reading before. Warning "
                    f"{HIT_DROP_POINTS:g} points below the usual of "
                    "the last hour. INFO stats."),
        detail_card(instance, Checks.LATENCY, "PING", duration(value(spec.PING_P99)), "p99",
                    why=f"median {duration(value(spec.PING_P50))}", spark=spark(spec.PING_P99),
                    definition="Time to the answer to PING; of the last 120 readings. Warning when three in a row "
                    f"take {duration(spec.PING.warning)}."),
        detail_card(instance, Checks.CLIENTS, "Clients", number(value(spec.CLIENTS_CONNECTED)),
                    spark=spark(spec.CLIENTS_CONNECTED),
                    definition="connected_clients against maxclients. INFO clients."),
        detail_card(instance, "", "CPU", percent(value(spec.CPU_RATIO)),
                    spark=spark(spec.CPU_RATIO),
                    why=f"of one core · up {duration(about.uptime_seconds)}" if about else "",
                    definition="Differences of used_cpu_user and used_cpu_sys. INFO cpu."),
        detail_card(instance, Checks.SAVE, "Persistence", _saved(about), why=_unsaved(about, instance.read_at),
                    definition="Last snapshot, append-only file, changes since. INFO persistence."),
        detail_card(instance, Checks.REPLICATION, "Replication", about.role if about else "n/a",
                    definition="Role; of a primary its replicas, of a replica its link. INFO replication."),
        detail_card(instance, Checks.ERRORS, "Errors", tenths(value(spec.ERRORS_RATE)), "/s",
                    spark=spark(spec.ERRORS_RATE),
                    definition="Errors answered a second. OOM, READONLY, LOADING, NOAUTH and the like are a warning "
                    "for a minute. INFO errorstats."),
    ]  # fmt: skip


def _memory(about: spec.About | None, used: float | None) -> str:
    if about is None or used is None:
        return ""
    if about.limit_bytes is None:
        return f"{bytes_(used)} · no limit; its machine has {bytes_(about.machine_bytes)}"
    return f"{bytes_(used)} of {bytes_(about.limit_bytes)} · {about.policy}"


def _saved(about: spec.About | None) -> str:
    if about is None:
        return "n/a"
    if about.save_status == "err":
        return "failed"
    if about.save_rule == "":
        return "log" if about.append_only else "none"
    return "saved"


def _unsaved(about: spec.About | None, now: float) -> str:
    """Return how old the last snapshot is, and what of the append-only file; the start counts as a snapshot."""
    if about is None:
        return ""
    log = f"append-only file {about.append_status}" if about.append_only else "no append-only file"
    if about.save_rule == "":
        return f"no snapshots · {log}"
    ago = duration(max(now - (about.last_save or now), 0))
    return f"{ago} ago · {count(about.changes_unsaved, 'change')} since · {log}"
