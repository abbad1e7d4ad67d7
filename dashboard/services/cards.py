"""The cards of the services tab, and what they and the tables make of a service's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.format import NOT_AVAILABLE, bytes_, count, duration, number
from core.model import Status
from dashboard.components.beats import beat_strip
from dashboard.components.card import card
from dashboard.sources.shown import Shown
from dashboard.sources.strip import cut, first_cards, thinned
from status.freshness import reading_stale_after_seconds
from status.history import DAY, MONTH, YEAR, Beat, Checks, Uptime
from status.instances import Instance
from storage.clickhouse.reads.services import Interface, Key
from storage.clickhouse.reads.state_changes import StateChange

PAUSED = "paused"
PANEL = "services-all"
"""The panel of the table of all services."""
PERIODS = {"24 h": DAY, "30 d": MONTH, "1 y": YEAR}
KNOWN_SHARE = 0.5
"""Of a period; an uptime of less is shown muted: it says little about the whole."""


@dataclass(frozen=True, slots=True)
class Past:
    """The past of services, by kind and instance, and the network interfaces."""

    now: float = 0.0
    """When it was read, epoch seconds."""
    beats: Mapping[Key, Sequence[Beat]] = field(default_factory=dict)
    uptimes: Mapping[Key, Uptime] = field(default_factory=dict)
    changes: Sequence[StateChange] = ()
    interfaces: Sequence[Interface] = ()


def past_of(shown: Shown) -> Past:
    """Return what was read of the past; nothing when storage is away."""
    return shown.more if isinstance(shown.more, Past) else Past()


def no_cards(_shown: Shown) -> Sequence[Any]:
    """Return nothing: the cards of all kinds stand together, those in trouble first."""
    return ()


def service_cards(shown: Shown) -> Sequence[Any]:
    """Return the cards of services, of whatever kind, those in trouble first."""
    past = past_of(shown)
    return first_cards(shown.chosen, lambda each: _service(each, shown, past), "services", PANEL)


def is_paused(instance: Instance) -> bool:
    """Return whether a service is not checked because somebody said so."""
    return instance.status is Status.NOT_CONFIGURED


def headline(instance: Instance) -> tuple[str, str, str]:
    """Return the one figure of a service, what it is, and the metric behind it."""
    if instance.kind == "process":
        return bytes_(instance.value("process_resident_bytes")), "resident", "process_resident_bytes"
    if instance.kind == "systemd":
        return duration(instance.value("systemd_uptime_seconds")), "active", "systemd_memory_bytes"
    if instance.kind == "nginx":
        return number(instance.value("nginx_requests_per_second")), "requests/s", "nginx_requests_per_second"
    metric = f"{instance.kind}_response_seconds"
    return duration(instance.value(metric)), "", metric


def uptime(share: float | None) -> str:
    """Return a share of good checks in percent: three decimals, because what is lost is in the last ones."""
    return NOT_AVAILABLE if share is None else "100 %" if share == 1 else f"{min(share * 100, 99.999):.3f} %"


def is_known(checks: Checks, period: str) -> bool:
    """Return whether at least half of a period, a key of PERIODS, was watched."""
    return checks.watched_seconds >= KNOWN_SHARE * PERIODS[period]


def watched(checks: Checks, period: str) -> str:
    """Return how much of a period is known: "watched 2 min of 30 d: 24 of 24 checks found it up"."""
    if not checks.count:
        return ""
    seconds = checks.watched_seconds
    part = "all" if seconds >= PERIODS[period] else duration(seconds)
    return f"watched {part} of {period}: {number(checks.up)} of {count(checks.count, 'check')} found it up"


def _in_short(checks: Checks, period: str) -> str:
    told = "" if is_known(checks, period) or not checks.count else f" (watched {duration(checks.watched_seconds)})"
    return f"{period} {uptime(checks.share)}{told}"


def _service(instance: Instance, shown: Shown, past: Past) -> Any:
    value, unit, metric = headline(instance)
    key = (instance.kind, instance.name)
    known = past.uptimes.get(key, Uptime())
    periods = (known.day, known.month, known.year)
    component, about = instance.component, instance.about
    has_value = value != NOT_AVAILABLE and component.status not in (Status.DOWN, Status.NOT_CONFIGURED)
    return card(
        f"card-{instance.kind}-{instance.name}",
        instance.title,
        value if has_value else "–",
        unit if has_value else "",
        state=component.status,
        word=PAUSED if is_paused(instance) else None,
        why=cut(component.why),
        strip=beat_strip(past.beats.get(key, ())),
        spark=thinned(shown.series.one(metric, instance=instance.name)),
        as_of=instance.reading.ts if instance.reading else None,
        stale_after_seconds=reading_stale_after_seconds(instance.reading),
        definition=f"{about.get('target', '')}. Uptime: {', '.join(map(_in_short, periods, PERIODS))}. "
        "Bars: the newest 60 checks.",
    )
