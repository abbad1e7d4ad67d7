"""What the figures of alerts were since those began, as sparklines: read together for the alerts of a figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson

from core.alerts.rule import Rule
from core.alerts.spec import FiringAlert
from core.alerts.thresholds import Bound
from core.errors import StorageError
from core.memo import Memo
from core.metrics import MACHINE
from core.model import labels
from dashboard.alerts.portfolio_courses import OfPortfolios
from dashboard.components.spark import spark
from portfolio.alert_courses import (
    FigureCourse,
    deciding,
    is_of_portfolios,
    labels_of_figure,
    series_labels,
    watched,
)
from portfolio.limits.known import known_limits
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.catalog import HostSeries, read_any

if TYPE_CHECKING:
    from storage.stores import Stores

SPANS = (900, 3_600, 6 * 3_600, 86_400, 7 * 86_400)
"""Seconds: what began within one of them is read together."""
POINTS = 60
READ_AGAIN_SECONDS = 30
_READ: WeakKeyDictionary[ClickHouse, Memo[list[HostSeries]]] = WeakKeyDictionary()


def courses_of(stores: Stores, alerts: Sequence[FiringAlert], rules: Mapping[str, Rule], now: float) -> dict[str, Any]:
    """Return sparklines by the key of an alert, of those that watch a figure which has a past.

    They begin with the alert, at least a quarter of an hour ago and at most seven days; of figures of portfolios see
    `portfolio_course`. Of several figures it is the one that decides. What a store that is away knows is left out.
    """
    watches = _watches(stores, alerts, rules)
    of_portfolios = OfPortfolios(stores, now)
    found: dict[tuple[str, Bound], FigureCourse] = {}
    together: defaultdict[tuple[str, int], list[tuple[_Watch, Bound]]] = defaultdict(list)
    for watch in watches:
        for bound in watch.bounds:
            if not is_of_portfolios(bound.figure):
                together[bound.figure.name, _span(now - watch.alert.since)].append((watch, bound))
            elif course := of_portfolios.course(bound, watch.labels, watch.alert.since):
                found[watch.alert.key, bound] = course
    for (figure, span), some in together.items():
        found |= _collected(stores, figure, span, some, now)
    sparks = {}
    for watch in watches:
        courses = [found[watch.alert.key, bound] for bound in watch.bounds if (watch.alert.key, bound) in found]
        if course := deciding(courses):
            of = f"{course.bound.figure}, " if len(watch.bounds) > 1 else ""
            sparks[watch.alert.key] = spark(
                course.values, label=f"{watch.alert.title}: {of}since it began", hint=of.rstrip(", ")
            )
    return sparks


@dataclass(frozen=True, slots=True)
class _Watch:
    """An alert, the labels of what it watches, and the figures of that."""

    alert: FiringAlert
    labels: Mapping[str, str]
    bounds: Sequence[Bound]

    def labels_of(self, bound: Bound) -> dict[str, str]:
        return labels_of_figure(bound.figure, self.labels, is_only=len(self.bounds) == 1)


def _watches(stores: Stores, alerts: Sequence[FiringAlert], rules: Mapping[str, Rule]) -> list[_Watch]:
    limits = cache(lambda: known_limits(stores))
    found = []
    for each in alerts:
        rule = rules.get(each.rule)
        if rule is None:
            continue
        of = series_labels(orjson.loads(each.labels), rule)
        with suppress(StorageError):
            found.append(_Watch(each, of, watched(rule, of, limits)))
    return found


def _span(lasts: float) -> int:
    return next((span for span in SPANS if lasts <= span), SPANS[-1])


def _collected(
    stores: Stores, figure: str, span: int, some: Sequence[tuple[_Watch, Bound]], now: float
) -> dict[tuple[str, Bound], FigureCourse]:
    """Return the courses of a collected figure of some alerts, by the key of the alert and the bound."""
    try:
        series = _read(stores, figure, span, [watch.labels_of(bound) for watch, bound in some], now)
    except StorageError:
        return {}
    exact = {(each.host, each.data.labels): each for each in series}
    found = {}
    for watch, bound in some:
        wanted = watch.labels_of(bound)
        host = wanted.pop(MACHINE, "")
        only = exact.get((host, labels(**wanted)))
        for each in [only] if only else series:
            if host in ("", each.host) and wanted.items() <= dict(each.data.labels).items():
                found[watch.alert.key, bound] = _course(each, bound, min(watch.alert.since, now - SPANS[0]))
                break
    return found


def _read(stores: Stores, figure: str, span: int, wanted: Sequence[Mapping[str, str]], now: float) -> list[HostSeries]:
    """Return the series that have what all of these have in common."""
    common = dict(set.intersection(*(set(each.items()) for each in wanted)))
    host = common.pop(MACHINE, "")
    memo = _READ.setdefault(stores.clickhouse, Memo(64))

    def read() -> list[HostSeries]:
        return read_any(
            stores.clickhouse, figure, common, host, now - span, now, step=0, points=POINTS,
            retention=stores.settings.retention, now=now,
        )  # fmt: skip

    return memo.get((figure, span, host, tuple(sorted(common.items())), int(now // READ_AGAIN_SECONDS)), read)


def _course(series: HostSeries, bound: Bound, begins: float) -> FigureCourse:
    data = series.data
    pairs = [each for each in zip(data.ts, data.mean, strict=True) if each[0] + data.step_seconds > begins]
    return FigureCourse(bound, [ts for ts, _ in pairs], [value for _, value in pairs])
