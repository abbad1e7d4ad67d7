"""Exporters: whatever serves metrics in Prometheus' text format or as OpenMetrics; its metrics become ours.

A gauge keeps its name. A counter `x_total` becomes the rate `x_per_second`, and so do count and sum of summaries and
histograms, of which the mean of the interval is kept as well (`x_mean`). Every series gets the label `instance`; a
label of that name in the exporter becomes `exported_instance`. Where a watched server bears the same name, its metrics
and the exporter's would be one: those of the exporter get `exported_` in front. Buckets are left out unless asked for,
and so is a value whose own time is not now, and a series that comes twice: both are told.

Costs the watched exporter one request an interval, as a Prometheus does; here 10 µs a line (5 ms for 500 series).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collectors.base import Context
from collectors.judging.checks import Check, bad_if
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from core.errors import SourceRejected, SourceUnavailable
from core.format import coarse_duration, count, cut, duration, number
from core.kinds.registry import KINDS
from core.kinds.scrape import spec
from core.kinds.scrape.source import ScrapeSource
from core.kinds.scrape.spec import Checks, Family, Series
from core.model import Labels, Sample, labels
from core.net.reach import Address, Deadline, garbage
from core.net.web import Answer, address_of, ask
from core.rates import Rates
from core.tables import table_of

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["ScrapeProbe", "act", "make"]

MOST_BYTES = 8_388_608
MOST_LABELS = 16
LABEL_CHARACTERS = 128
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8"
TOTALS = ("_total", "_count", "_sum", "_bucket", "_gsum", "_gcount")
HELP_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """A series that is taken: its family and sample at the exporter, what it is stored as, and its labels here."""

    family: Metric
    sample: Any
    stored: str
    labels: Labels

    @property
    def is_counter(self) -> bool:
        """Whether its rate is what says something."""
        return _is_counter(self.family, self.sample.name)


@dataclass(slots=True)
class LeftOut:
    """What is left out of a scrape."""

    above_limit: int = 0
    stale: int = 0
    oldest: tuple[float, str] = (0.0, "")
    """How far from now the time of a stale one is, and its name."""
    doubled: int = 0
    first_doubled: str = ""


def make(context: Context, source: ScrapeSource) -> ServiceCollector:
    """Return the collector of one exporter."""
    watch = context.settings.watch
    taken = {kind for kind in KINDS if any(each.name == source.name for each in watch.of(kind))}
    return make_service(context, source, ScrapeProbe(source, frozenset(taken)))


class ScrapeProbe:
    """Scrapes one exporter and remembers its counters.

    taken: first words of metrics that a watched server of the same name has already.
    """

    def __init__(self, source: ScrapeSource, taken: frozenset[str] = frozenset()) -> None:
        self._source = source
        self._only = re.compile(source.only) if source.only else None
        self._rates = Rates()
        self._run: float | None = None
        self._where = Address()
        self._taken_words = taken

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Scrape once. Raises SourceUnavailable or SourceRejected."""
        began = time.monotonic()
        answer = self._answer(deadline)
        at = time.monotonic()
        kept, out = self._taken(self._families(answer), now)
        # A restart of the exporter sets every counter back, also those that have overtaken their old value since.
        started = next((each.sample.value for each in kept if each.sample.name == "process_start_time_seconds"), None)
        if started != self._run:
            self._rates, self._run = Rates(), started
        samples, rows = self._stored(kept, at)
        self._rates.forget(at)
        deadline.left()
        return Found(
            f"{count(len(kept), 'series', 'series')} in {duration(at - began)}",
            at - began,
            {
                spec.SERIES: float(len(kept)),
                spec.LEFT_OUT: float(out.above_limit),
                spec.STALE: float(out.stale),
                spec.DOUBLED: float(out.doubled),
                spec.BODY: float(len(answer.body)),
            },
            _checks(out, self._source.series_limit),
            samples=samples,
            tables=[table_of(Series, rows), table_of(Family, _described(kept))],
        )

    def _answer(self, deadline: Deadline) -> Answer:
        token = self._source.token.get_secret_value()
        headers = {"Accept": ACCEPT, **({"Authorization": f"Bearer {token}"} if token else {})}
        url = self._source.url.get_secret_value()
        answer = ask(url, deadline, headers=headers, ca_file=self._source.ca_file, most_bytes=MOST_BYTES)
        self._where = address_of(self._source.target)
        if answer.status in (401, 403):
            raise SourceRejected(
                f"{self._where} refuses us ({answer.status}): token, user or password is wrong or missing"
            )
        if answer.status != 200:
            raise SourceUnavailable(f"{self._where} answers {answer.status}: are the metrics at this path?")
        if len(answer.body) >= MOST_BYTES:
            raise SourceUnavailable(f"{self._where} serves more than {MOST_BYTES >> 20} MiB of metrics")
        return answer

    def _families(self, answer: Answer) -> list[Metric]:
        if "openmetrics" in answer.headers.get("content-type", ""):
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        else:
            from prometheus_client.parser import text_string_to_metric_families
        try:
            found: list[Metric] = list(text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise garbage(self._where, "metrics in Prometheus' format") from error
        if not found:
            raise SourceUnavailable(f"{self._where} answers without a single metric")
        return found

    def _taken(self, families: Iterable[Metric], now: float) -> tuple[list[Taken], LeftOut]:
        """Return the series within the limits, in the exporter's order, and what is left out."""
        found: dict[tuple[str, Labels], Taken] = {}
        out = LeftOut()
        for family in families:
            for sample in family.samples:
                if not self._is_wanted(family, sample):
                    continue
                away = abs(now - float(sample.timestamp)) if sample.timestamp is not None else 0.0
                if away > spec.STALE_SECONDS:
                    out.stale += 1
                    out.oldest = max(out.oldest, (away, sample.name))
                    continue
                each = Taken(family, sample, self._stored_name(family, sample.name), self._labels(sample.labels))
                if (each.stored, each.labels) in found:
                    out.doubled += 1
                    out.first_doubled = out.first_doubled or _full_name(each)
                    continue
                found[each.stored, each.labels] = each
        kept = list(found.values())[: self._source.series_limit]
        out.above_limit = len(found) - len(kept)
        return kept, out

    def _is_wanted(self, family: Metric, sample: Any) -> bool:
        if self._only is not None and not self._only.search(sample.name):
            return False
        if sample.name.endswith("_created"):
            return False
        is_bucket = sample.name.endswith("_bucket") and family.type in ("histogram", "gaugehistogram")
        return (self._source.buckets or not is_bucket) and len(sample.labels) <= MOST_LABELS

    def _stored(self, kept: Sequence[Taken], at: float) -> tuple[list[Sample], list[Series]]:
        samples: list[Sample] = []
        rows: list[Series] = []
        moved: dict[tuple[str, Labels], dict[str, float]] = {}
        for each in kept:
            name, value, labels = each.sample.name, float(each.sample.value), each.labels
            rate = None
            if each.is_counter:
                step = self._rates.step((name, labels), value, at)
                rate = step.per_second if step else None
                if step:
                    moved.setdefault((each.family.name, labels), {})[name.removeprefix(each.family.name)] = step.change
            samples += _sample(each.stored, rate if each.is_counter else value, labels)
            pairs = spec.LABEL_BREAK.join(f"{key}={text}" for key, text in labels if key != "instance")
            finite = value if math.isfinite(value) else None
            rows.append(Series(name, each.family.name, pairs, each.stored, finite, rate))
        own = {(each.stored, each.labels) for each in kept}
        for (family, labels), change in moved.items():
            mean = self._our_name(f"{family}_mean")
            if change.get("_count") and "_sum" in change and (mean, labels) not in own:
                samples += _sample(mean, change["_sum"] / change["_count"], labels)
        return samples, rows

    def _stored_name(self, family: Metric, name: str) -> str:
        """Return what a series is stored as: a counter as its rate."""
        return self._our_name(f"{name.removesuffix('_total')}_per_second" if _is_counter(family, name) else name)

    def _our_name(self, name: str) -> str:
        return f"exported_{name}" if name.partition("_")[0] in self._taken_words else name

    def _labels(self, given: dict[str, str]) -> Labels:
        pairs = {("exported_instance" if n == "instance" else n): v[:LABEL_CHARACTERS] for n, v in given.items()}
        return labels(**{**pairs, "instance": self._source.name})


def _checks(out: LeftOut, limit: int) -> list[Check]:
    away, oldest = out.oldest
    stale, doubled, above = (count(each, "series", "series") for each in (out.stale, out.doubled, out.above_limit))
    old = f"{stale} left out, their time is not now: {oldest} is {coarse_duration(away)} off"
    again = f"{doubled} served again with the same labels, stored once: {out.first_doubled}"
    too_many = f"{above} left out, above the limit of {number(limit)}"
    return [
        bad_if(Checks.LIMIT, out.above_limit > 0, too_many),
        bad_if(Checks.STALE, out.stale > 0, old),
        bad_if(Checks.DOUBLED, out.doubled > 0, again),
    ]


def _described(kept: Sequence[Taken]) -> list[Family]:
    """Return what the exporter says of the families of what is taken."""
    found = {each.family.name: each.family for each in kept}
    return [Family(name, each.type, each.documentation[:HELP_CHARACTERS]) for name, each in found.items()]


def _full_name(each: Taken) -> str:
    """Return a series as the exporter writes it, cut to what a sentence holds."""
    return cut(f"{each.sample.name}{{{spec.told(each.sample.labels.items())}}}", LABEL_CHARACTERS)


def _sample(name: str, value: float | None, labels: Labels) -> Iterator[Sample]:
    """Yield the sample, if there is a value that can be kept."""
    if value is not None and math.isfinite(value):
        yield Sample(name, value, labels)


def _is_counter(family: Metric, name: str) -> bool:
    if family.type in ("counter", "histogram", "summary"):
        return name.endswith(TOTALS)
    return family.type in ("unknown", "untyped") and name.endswith("_total")
