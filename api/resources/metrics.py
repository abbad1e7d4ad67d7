"""What is measured now, by group, and everything that can be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from api.models import Aged, Answered, Figure, Page, aged_reading, newest_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.problem import none_of
from api.readings import GROUPS, NETWORK_PREFIXES, readings_of
from core.catalogue import catalogue
from core.metrics import unit_of
from core.model import Labels
from storage.clickhouse.reads.catalog import stored_metrics

if TYPE_CHECKING:
    from core.settings.model import Settings

TAG = "Metrics"


class Measured(Figure):
    """A series and its newest value."""

    metric: str
    labels: dict[str, str]
    host: str = Field(description="The machine that measured it.")


class Described(Answered):
    """A metric: what it means, and what is stored of it."""

    metric: str
    unit: str
    meaning: str = Field(description="Empty for what exporters name.")
    labels: list[str] = Field(description="Names of its labels.")
    series: int = Field(description="How many series are stored.")
    label_sets: list[str] = Field(description="Labels of the series, at most 50, as name=value with commas between.")


class OfGroup(Listed):
    """Which series of a group."""

    metric: str = Field("", max_length=300, description="Only this metric.")


class OfCatalog(Listed):
    """Which metrics."""

    metric: str = Field("", max_length=300, description="Only those whose name holds this.")


def _group(ask: Ask[OfGroup]) -> Page[Measured]:
    group = ask.parts["group"]
    if group not in GROUPS:
        raise none_of("group", group, GROUPS, status=404, noun="group of metrics")
    readings = readings_of(ask.stores, GROUPS[group], ask.viewer.portfolios)
    found = [
        (metric, _told(labels), reading.host, reading.collector, labels, value)
        for reading in readings
        for (metric, labels), value in reading.samples.items()
        if group != "network" or metric.startswith(NETWORK_PREFIXES)
    ]
    found.sort(key=lambda row: row[:4])
    wanted = ask.query.metric
    if wanted:
        known = {each[0] for each in found} | {name for name in catalogue() if name.startswith(wanted)}
        if wanted not in known:
            raise none_of("metric", wanted, sorted(known))
        found = [each for each in found if each[0] == wanted]
    ages = {(each.collector, each.host): aged_reading(each, ask.now).model_dump() for each in readings}
    part, following = part_of(found, lambda row: row[:4], ask.begins)
    items = [
        Measured(
            metric=metric, labels=dict(labels), host=host, value=value, unit=unit_of(metric), **ages[collector, host]
        )
        for metric, _, host, collector, labels, value in part
    ]
    return Page[Measured](items=items, next=following, **newest_of(readings, ask.now).model_dump())


def _catalog(ask: Ask[OfCatalog]) -> Page[Described]:
    stored = stored_metrics(ask.stores.clickhouse)
    known = catalogue()
    names = sorted(name for name in {*stored, *known} if ask.query.metric in name)
    part, following = part_of(names, lambda name: (name,), ask.begins)
    items = []
    for name in part:
        metric, there = known.get(name), stored.get(name)
        labels = there.labels if there else [*metric.labels] if metric else []
        is_told = there is not None and (ask.viewer.portfolios is None or "portfolio" not in labels)
        items.append(
            Described(
                metric=name, unit=unit_of(name), meaning=metric.meaning if metric else "", labels=labels,
                series=there.series if there and is_told else 0,
                label_sets=there.label_sets if there and is_told else [],
            )
        )  # fmt: skip
    age = Aged(source="series")
    return Page[Described](items=items, next=following, **age.model_dump())


def _told(labels: Labels) -> str:
    return "\x1f".join(f"{name}\x1e{value}" for name, value in labels)


def _datasets(_settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in GROUPS.values() for name in names))


OPERATIONS = (
    Operation(path="/metrics/catalog", summary="Every metric: name, unit, meaning, labels.", answer=_catalog,
              model=Page[Described], query=OfCatalog, tag=TAG),
    Operation(path="/metrics/{group}", summary="The newest value of every series of a group.", answer=_group,
              model=Page[Measured], query=OfGroup, tag=TAG, parts={"group": "What is measured."},
              choices={"group": tuple(GROUPS)}, datasets=_datasets),
)  # fmt: skip
