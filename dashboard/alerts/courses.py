"""What the figures of alerts were since those began, as sparklines: read together for the alerts of a figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson

from core.alerts.figures import Of
from core.alerts.labels import OWN
from core.alerts.rule import Rule
from core.alerts.spec import FiringAlert
from core.alerts.thresholds import charted
from core.errors import StorageError
from core.memo import Memo
from core.metrics import MACHINE
from core.model import labels
from dashboard.components.spark import spark
from portfolio.vocabulary import vocabulary
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
    """Return sparklines by the key of an alert, of those that watch one collected figure beside a number.

    They begin with the alert, at least a quarter of an hour ago and at most seven days. While ClickHouse is away there
    is none.
    """
    together: defaultdict[tuple[str, int], list[FiringAlert]] = defaultdict(list)
    for each in alerts:
        if figure := _figure(rules.get(each.rule)):
            together[figure, _span(now - each.since)].append(each)
    found: dict[str, Any] = {}
    for (figure, span), some in together.items():
        try:
            series = _read(stores, figure, span, [_labels(each, rules[each.rule]) for each in some], now)
        except StorageError:
            continue
        exact = {(each.host, each.data.labels): each for each in series}
        for each in some:
            wanted = _labels(each, rules[each.rule])
            only = exact.get((wanted.pop(MACHINE, ""), labels(**wanted)))
            if (course := _course([only] if only else series, each, rules[each.rule], now)) is not None:
                found[each.key] = course
    return found


def _figure(rule: Rule | None) -> str:
    figure = charted(rule) if rule else None
    kind = vocabulary().get(figure.name) if figure else None
    return figure.name if figure and (kind is None or kind.of is Of.COLLECTED) else ""


def _span(lasts: float) -> int:
    return next((span for span in SPANS if lasts <= span), SPANS[-1])


def _labels(alert: FiringAlert, rule: Rule) -> dict[str, str]:
    """Return the labels of the series alone."""
    pairs: dict[str, str] = orjson.loads(alert.labels)
    return {name: value for name, value in pairs.items() if name not in OWN and rule.labels.get(name) != value}


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


def _course(series: Sequence[HostSeries], alert: FiringAlert, rule: Rule, now: float) -> Any:
    wanted = _labels(alert, rule)
    host = wanted.pop(MACHINE, "")
    begins = min(alert.since, now - SPANS[0])
    for each in series:
        if host in ("", each.host) and wanted.items() <= dict(each.data.labels).items():
            pairs = zip(each.data.ts, each.data.mean, strict=True)
            values = [value for ts, value in pairs if ts + each.data.step_seconds > begins]
            return spark(values, label=f"{alert.title}: since it began")
    return None
