"""The cards of the services tab, and what they and the tables make of a service's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.format import NOT_AVAILABLE, count, duration, number
from core.kinds.service_spec import About, States
from core.limits import Limit
from core.metrics import Metric
from core.model import LiveReading, Status
from dashboard.components.beats import beat_strip
from dashboard.components.card import card
from dashboard.sources.asking import try_now
from dashboard.sources.section import Section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import first_cards, on_card, thinned
from status.freshness import reading_stale_after_seconds
from status.history import DAY, MONTH, YEAR, Beat, Checks, Uptime
from status.instances import Instance
from storage.clickhouse.reads.services import Interface, Key
from storage.clickhouse.reads.state_changes import StateChange

ALL = "all"
"""Name of the panel with the table of all services."""
PERIODS = {"24 h": DAY, "30 d": MONTH, "1 y": YEAR}
NO_LIMIT = Limit(None)
KNOWN_SHARE = 0.5
"""Of a period; an uptime of less is shown muted: it says little about the whole."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The one figure on the card of a service of a kind."""

    metric: Metric
    show: Callable[[float | None], str] = duration
    unit: str = ""
    """What stands behind the figure."""
    spark: Metric | None = None
    """What its sparkline shows, where that is another metric. A chart of the kind shows it too."""


@dataclass(frozen=True, slots=True)
class Past:
    """The past of services, by kind and instance, and the network interfaces."""

    now: float = 0.0
    """When it was read, epoch seconds."""
    beats: Mapping[Key, Sequence[Beat]] = field(default_factory=dict)
    uptimes: Mapping[Key, Uptime] = field(default_factory=dict)
    changes: Sequence[StateChange] = ()
    interfaces: Sequence[Interface] = ()
    link_limit: Limit = NO_LIMIT
    """Of the share of a link's speed in use."""
    requests: LiveReading | None = None
    """Of Fundwatch's own requests."""


def past_of(shown: Shown) -> Past:
    """Return what was read of the past; nothing when storage is away."""
    return shown.more if isinstance(shown.more, Past) else Past()


def cards_with(headline: Headline) -> Callable[[Shown], Sequence[Any]]:
    """Return what makes the cards of a kind's services."""
    return lambda shown: [_card(each, shown, headline) for each in shown.chosen]


def cards_of(sections: Sequence[Section]) -> Callable[[Shown], Sequence[Any]]:
    """Return what makes the cards of services of all kinds together, those in trouble first."""
    of_kind = {section.kind: section.cards for section in sections}

    def made(shown: Shown) -> Sequence[Any]:
        def card_of(instance: Instance) -> Any:
            return of_kind[instance.kind](replace(shown, chosen=[instance]))[0]

        return first_cards(shown.chosen, card_of, "services", f"{shown.tab}-{ALL}")

    return made


def word_of(instance: Instance) -> str | None:
    """Return what the badge of a service says instead of its state's own word; None: that word."""
    return States.PAUSED if is_paused(instance) else None


def is_paused(instance: Instance) -> bool:
    """Return whether a service is not checked because somebody said so."""
    return instance.status is Status.NOT_CONFIGURED


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
    part = "" if is_known(checks, period) or not checks.count else f" (watched {duration(checks.watched_seconds)})"
    return f"{period} {uptime(checks.share)}{part}"


def _card(instance: Instance, shown: Shown, headline: Headline) -> Any:
    past, key = past_of(shown), (instance.kind, instance.name)
    value = headline.show(instance.value(headline.metric))
    known = past.uptimes.get(key, Uptime())
    periods = (known.day, known.month, known.year)
    component, about = instance.component, instance.first(About)
    target = about.target if about else instance.title
    has_value = value != NOT_AVAILABLE and component.status not in (Status.DOWN, Status.NOT_CONFIGURED)
    return card(
        f"card-{instance.kind}-{instance.name}",
        instance.title,
        value if has_value else "–",
        headline.unit if has_value else "",
        state=component.status,
        word=word_of(instance),
        why=on_card(component.why),
        strip=beat_strip(past.beats.get(key, ())),
        spark=thinned(shown.series.one(headline.spark or headline.metric, instance=instance.name)),
        as_of=instance.reading.ts if instance.reading else None,
        stale_after_seconds=reading_stale_after_seconds(instance.reading),
        definition=f"{target}. Uptime: {', '.join(map(_in_short, periods, PERIODS))}. Bars: the newest 60 checks.",
        act=try_now(instance),
    )
