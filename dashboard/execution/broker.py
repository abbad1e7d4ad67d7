"""What the link to the broker did meanwhile: watched gateways of Interactive Brokers, on the orders' time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.kinds.ib.source import IbSource
from core.kinds.ib.spec import CONNECTED, REQUESTS_ALLOWED, REQUESTS_RATE
from dashboard.charts.rows import Row, extent
from dashboard.charts.theme import SERIES
from storage.clickhouse.reads.sources import read_sources

if TYPE_CHECKING:
    from storage.clickhouse.reads.series import SeriesData
    from storage.stores import Stores

HOW = (
    "Connectivity and use of the API limit stand here once a gateway of Interactive Brokers is watched: "
    + " ".join(each.strip() for each in IbSource.EXAMPLE)
    + " in fundwatch.yaml."
)
NONE_THEN = "No reading of a gateway of Interactive Brokers falls into the window."
MOST_GATEWAYS = 6


def broker_rows(stores: Stores, start: float, end: float) -> tuple[list[Row], str]:
    """Return the rows of the gateways between two moments (epoch seconds), and why there are none.

    Raises StorageUnavailable.
    """
    watched = [each.name for each in stores.settings.watch.of(IbSource.KIND)][:MOST_GATEWAYS]
    if not watched:
        return [], HOW
    found = read_sources(stores, [CONNECTED, REQUESTS_RATE], watched, start, min(end, stores.clock.now()))
    links = [data for name in watched for data in found.all(CONNECTED, instance=name)]
    uses = [data for name in watched for data in found.all(REQUESTS_RATE, instance=name)]
    if not links:
        return [], NONE_THEN
    shares = [_trace(data, place, 100.0 / REQUESTS_ALLOWED, "API use", "%{y:.2f} %") for place, data in enumerate(uses)]
    return [
        Row(
            height_px=60,
            traces=[_trace(data, place, 100.0, "connected", "%{y:.0f} %") for place, data in enumerate(links)],
            axis={"ticksuffix": " %", "nticks": 3, "range": [-5, 105]},
            span=(0.0, 100.0),
            caption="Interactive Brokers: share of time connected",
        ),
        Row(
            height_px=60,
            traces=shares,
            axis={"ticksuffix": " %", "nticks": 3, "rangemode": "tozero"},
            span=extent(*(trace["y"] for trace in shares)),
            caption=f"API limit: messages of Fundwatch, of {REQUESTS_ALLOWED:g} a second; those of other clients "
            "cannot be seen",
        ),
    ], ""


def _trace(data: SeriesData, place: int, by: float, what: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": f"{data.label('instance')} {what}", "x": list(data.ts),
        "y": [None if value is None else round(value * by, 3) for value in data.mean], "connectgaps": False,
        "line": {"color": SERIES[place % len(SERIES)], "width": 1.2}, "hovertemplate": hover,
    }  # fmt: skip
