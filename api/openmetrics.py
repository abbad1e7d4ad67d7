"""/metrics: every current collected metric for a Prometheus, in OpenMetrics.

What is collected is the present value of something, a counter mostly as its rate: such a family is a gauge. Its unit is
told where the name ends with it, as OpenMetrics wants. A stale reading is left out; its age is there all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric, StateSetMetricFamily
from prometheus_client.exposition import generate_latest as generate_older
from prometheus_client.openmetrics.exposition import generate_latest

from api.readings import readings_of
from core.catalogue import catalogue
from core.machine import metrics as machine
from core.metrics import MACHINE, UNITS
from core.model import LiveReading
from core.readiness import EVERY_PORTFOLIO, State
from portfolio.allowed import Limits, seen_ids
from status.freshness import is_stale
from status.readiness import Readiness, readiness_of
from status.readings import every_dataset

if TYPE_CHECKING:
    from storage.stores import Stores

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PORTFOLIO = "portfolio"
OLDER_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the form before OpenMetrics, which `promtool check metrics` and old scrapers read."""
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
COUNTERS = frozenset({machine.OOM_KILLS})
"""Metrics that count since something began."""
AS_GAUGE = "_value"
RESERVED = ("_total", "_created", "_bucket", "_count", "_sum", "_info", "_gsum", "_gcount")
"""Ends of the samples of other types: a gauge whose name has one clashes with a family of the name before it."""


def exposition(stores: Stores, limits: Limits, accepted: str) -> tuple[bytes, str]:
    """Return the newest readings as a text, as somebody with these limits may read them, and its type.

    OpenMetrics, unless only the older form is accepted.
    """
    now = stores.clock.now()
    readings = readings_of(stores, every_dataset(stores.settings), limits)
    safe = readiness_of(stores, now)
    told = safe if limits is None else safe.only(seen_ids(safe.parents, limits))
    registry = _Registry([*_families(readings, now), *_readiness(told, now)])
    if "text/plain" in accepted and "openmetrics" not in accepted:
        return generate_older(registry), OLDER_CONTENT_TYPE
    found: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return found, CONTENT_TYPE


class _Registry:
    """What the exposition takes its families from."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return iter(self._families)


def _families(readings: list[LiveReading], now: float) -> Iterator[Metric]:
    about = InfoMetricFamily("fundwatch", "Where these are from.", value={"api": "1"})
    yield about
    ages = GaugeMetricFamily(
        "fundwatch_reading_age_seconds", "Age of the newest reading.", labels=["collector", MACHINE], unit="seconds"
    )
    for each in readings:
        ages.add_metric([each.collector, each.host], max(now - each.ts, 0.0))
    yield ages
    known = catalogue()
    values: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for each in readings:
        if is_stale(each, now):
            continue
        for (metric, labels), value in each.samples.items():
            # Redis holds null for what was no number.
            if value is not None and NAME.fullmatch(metric) and all(LABEL.fullmatch(name) for name, _ in labels):
                pairs = tuple(sorted({**dict(labels), MACHINE: each.host}.items()))
                values.setdefault(_name(metric), {})[pairs] = value
    for name in sorted(values):
        of = known.get(name) or known.get(name.removesuffix(AS_GAUGE))
        meaning = of.meaning if of else ""
        is_counter = name in COUNTERS
        kind, called = ("counter", name.removesuffix("_total")) if is_counter else ("gauge", name)
        family = Metric(called, meaning, kind, unit=_unit(name))
        for pairs, value in values[name].items():
            family.add_sample(name, dict(pairs), value)
        yield family


def _readiness(found: Readiness, now: float) -> Iterator[Metric]:
    """Yield whether trading may go on, as /api/v1/trading-readiness says it: also that nobody knows is told, as a no.

    The whole fund is the portfolio without a name.
    """
    safe = GaugeMetricFamily(
        "fundwatch_trading_ready", "1 while trading may go on, else 0, also while that is not known.",
        labels=[PORTFOLIO],
    )  # fmt: skip
    for id in (EVERY_PORTFOLIO, *sorted(found.portfolios)):
        safe.add_metric([id], float(found.of(id).is_safe))
    states = StateSetMetricFamily(
        "fundwatch_trading_check", "State of each check; unknown is not ready.", labels=["check", PORTFOLIO]
    )
    ages = GaugeMetricFamily(
        "fundwatch_trading_check_age_seconds", "Age of what each check rests on.", labels=["check", PORTFOLIO],
        unit="seconds",
    )  # fmt: skip
    for each in found.checks:
        of = [each.check, each.portfolio]
        states.add_metric(of, {state.value: each.state == state for state in State})
        if each.read_at is not None:
            ages.add_metric(of, max(now - each.read_at, 0.0))
    yield from (safe, states, ages)


def _name(metric: str) -> str:
    """Return the name of a counter as it is, and of a gauge so that no other type's sample is called so."""
    return f"{metric}{AS_GAUGE}" if metric.endswith(RESERVED) and metric not in COUNTERS else metric


def _unit(name: str) -> str:
    """Return the unit that a name ends with, empty for none."""
    return next((ending.removeprefix("_") for ending, _ in UNITS if name.endswith(ending)), "")
