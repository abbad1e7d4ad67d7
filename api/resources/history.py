"""What was measured: series of a metric over time, and those of the network."""

from __future__ import annotations

from pydantic import Field

from api.models import Aged, Answered, Number, Page, Time, age, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import OfList
from api.problem import Refused, none_of
from api.readings import components
from core.catalogue import catalogue
from core.machine import metrics as machine
from core.metrics import unit_of
from core.pipeline.health import POINTS, SCORE
from core.readiness import METRICS as OF_READINESS
from portfolio.allowed import own_ids
from storage.clickhouse.reads.catalog import HostSeries, read_any, stored_metrics
from storage.state.portfolios import list_portfolios

TAG = "Metrics"
MOST_POINTS = 500
"""Of a series where no step is asked for."""
TRAFFIC = (machine.RECEIVE_RATE, machine.TRANSMIT_RATE, machine.LINK_USED_RATIO)


class Point(Answered):
    """What a series was over one step; null in a gap."""

    ts: Time = Field(description="Beginning of the step.")
    metric: str
    labels: dict[str, str]
    host: str
    mean: Number
    low: Number
    high: Number
    unit: str
    step_seconds: int = Field(description="Wider than asked for where nothing finer is kept any more.")


class OfMetric(OfList):
    """Which series, over which time."""

    metric: str = Field(max_length=300, description="Name of the metric, as in /metrics/catalog.")
    labels: str = Field(
        "", max_length=2_000, description="Only series with these labels: name=value, with commas between."
    )
    host: str = Field("", max_length=300, description="Only series of this machine.")


class OfNetwork(OfList):
    """Which interfaces, over which time."""

    host: str = Field("", max_length=300, description="Only interfaces of this machine.")
    nic: str = Field("", max_length=100, description="Only this interface.")


class OfTrend(OfList):
    """Of what the score is, over which time."""

    component: str = Field(
        "", max_length=300, description="Id of a component, as lines of /health have it: its points. Empty: the score."
    )


class Capacity(Aged):
    """How much of a link is used, over a stretch of time."""

    host: str
    nic: str
    link_bytes_per_second: Number = Field(description="Speed of the link in one direction.")
    peak_used_ratio: Number = Field(description="The busier direction over the speed: highest in the time.")
    mean_used_ratio: Number
    left_bytes_per_second: Number = Field(description="What was left of the link at the peak.")


def _series(ask: Ask[OfMetric]) -> Page[Point]:
    metric, wanted = ask.query.metric, _labels(ask.query.labels)
    if metric not in catalogue():
        known = {*catalogue(), *stored_metrics(ask.stores.clickhouse)}
        if metric not in known:
            raise none_of("metric", metric, sorted(known))
    return _page(ask, [*_read(ask, metric, wanted, ask.query.host)])


def _health(ask: Ask[OfTrend]) -> Page[Point]:
    wanted = ask.query.component
    if not wanted:
        return _page(ask, [*_read(ask, SCORE, {}, "")])
    every = {each.id: each for each in components(ask.stores, ask.now, ask.viewer.portfolios)}
    if wanted not in every:
        raise none_of("component", wanted, every)
    found = every[wanted]
    labels = {"component": found.part.name, "collector": found.collector}
    of_it = [each for each in _read(ask, POINTS, labels, "") if dict(each.data.labels).get("host", "") == found.host]
    return _page(ask, of_it)


def _network(ask: Ask[OfNetwork]) -> Page[Point]:
    wanted = {"nic": ask.query.nic} if ask.query.nic else {}
    return _page(ask, [each for metric in TRAFFIC for each in _read(ask, metric, wanted, ask.query.host)])


def _read(ask: Ask[OfList], metric: str, labels: dict[str, str], host: str) -> list[HostSeries]:
    start, end = ask.query.seconds(ask.begins.now)
    found = read_any(
        ask.stores.clickhouse, metric, labels, host, start, end, step=ask.query.step, points=MOST_POINTS,
        retention=ask.stores.settings.retention, now=ask.now,
    )  # fmt: skip
    limits = ask.viewer.portfolios
    if limits is None:
        return found
    ids = own_ids(list_portfolios(ask.stores.state), limits)
    return [each for each in found if _is_seen(metric, dict(each.data.labels).get("portfolio", ""), ids)]


def _is_seen(metric: str, portfolio: str, ids: frozenset[str]) -> bool:
    """Return whether a series may be told; whether the whole fund is safe is for those who may see all of it."""
    return portfolio.rpartition(":")[2] in ids if portfolio else metric not in OF_READINESS


def _page(ask: Ask[OfList], found: list[HostSeries]) -> Page[Point]:
    rows = [
        (each.data.metric, each.host, _told(each), ts, mean, low, high, place)
        for place, each in enumerate(found)
        for ts, mean, low, high in zip(each.data.ts, each.data.mean, each.data.low, each.data.high, strict=True)
    ]
    rows.sort(key=lambda row: row[:4])
    part, following = part_of(rows, lambda row: row[:4], ask.begins)
    items = [
        Point(
            ts=at(ts), metric=metric, labels=dict(found[place].data.labels), host=host, mean=mean, low=low, high=high,
            unit=unit_of(metric), step_seconds=found[place].data.step_seconds,
        )
        for metric, host, _, ts, mean, low, high, place in part
    ]  # fmt: skip
    newest = max((row[3] for row in rows), default=None)
    return Page[Point](
        items=items, next=following, as_of=at(newest), age_seconds=age(newest, ask.now), source="samples"
    )


def _capacity(ask: Ask[OfNetwork]) -> Page[Capacity]:
    wanted = {"nic": ask.query.nic} if ask.query.nic else {}
    host = ask.query.host
    speeds = {_which(each): _last(each) for each in _read(ask, machine.LINK_SPEED, wanted, host)}
    used = {_which(each): each for each in _read(ask, machine.LINK_USED_RATIO, wanted, host)}
    rows = sorted(speeds.keys() | used.keys())
    part, following = part_of(rows, lambda key: key, ask.begins)
    items = [_of_link(ask, key, speeds.get(key), used.get(key)) for key in part]
    return Page[Capacity](items=items, next=following, source="samples")


def _of_link(ask: Ask[OfNetwork], key: tuple[str, str], speed: float | None, used: HostSeries | None) -> Capacity:
    high = [value for value in used.data.high if value is not None] if used else []
    mean = [value for value in used.data.mean if value is not None] if used else []
    peak = max(high, default=None)
    newest = used.data.ts[-1] if used else None
    return Capacity(
        host=key[0], nic=key[1], link_bytes_per_second=speed, peak_used_ratio=peak,
        mean_used_ratio=sum(mean) / len(mean) if mean else None,
        left_bytes_per_second=max(1 - peak, 0.0) * speed if speed is not None and peak is not None else None,
        as_of=at(newest), age_seconds=age(newest, ask.now), source="samples",
    )  # fmt: skip


def _which(each: HostSeries) -> tuple[str, str]:
    return each.host, each.data.label("nic")


def _last(each: HostSeries) -> float | None:
    return next((value for value in reversed(each.data.mean) if value is not None), None)


def _labels(text: str) -> dict[str, str]:
    found = {}
    for each in text.split(",") if text else ():
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise Refused(
                422, f"labels: {each[:100]!r} is no name=value.", field="labels", fix="Write core=total,mode=user."
            )
        found[name.strip()] = value.strip().strip('"')
    return found


def _told(each: HostSeries) -> str:
    return "\x1f".join(f"{name}\x1e{value}" for name, value in each.data.labels)


OPERATIONS = (
    Operation(path="/metrics/history", summary="Series of a metric over time.", answer=_series, model=Page[Point],
              query=OfMetric, tag=TAG),
    Operation(path="/health/trend", summary="The health score over time, of all together or of a component.",
              answer=_health, model=Page[Point], query=OfTrend, tag="Status"),
    Operation(path="/network/history", summary="Traffic of network interfaces over time.", answer=_network,
              model=Page[Point], query=OfNetwork, tag="Network"),
    Operation(path="/network/capacity", summary="How much of each link is used, and what is left.", answer=_capacity,
              model=Page[Capacity], query=OfNetwork, tag="Network"),
)  # fmt: skip
