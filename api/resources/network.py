"""Network interfaces as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from api.models import Aged, Number, Page, aged_reading, newest_of
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed
from api.readings import readings_of
from core.machine import metrics
from core.machine.spec import SYSTEM
from core.model import Status
from status.freshness import is_stale
from storage.clickhouse.reads.services import INTERFACE_VALUES

if TYPE_CHECKING:
    from core.settings.model import Settings


class Interface(Aged):
    """A network interface."""

    host: str
    nic: str
    status: Status = Field(description="ok: up; down; unknown where the reading is stale.")
    link_bytes_per_second: Number = Field(description="Speed of the link in one direction.")
    link_used_ratio: Number = Field(description="The busier direction over the speed.")
    receive_bytes_per_second: Number
    transmit_bytes_per_second: Number
    receive_errors_per_second: Number
    transmit_errors_per_second: Number
    receive_drops_per_second: Number
    transmit_drops_per_second: Number


UNITS = {
    name: "ratio" if name.endswith("_ratio") else "bytes/s" if name.endswith("_bytes_per_second") else "/s"
    for name in INTERFACE_VALUES
    if name != "up"
}


def _interfaces(ask: Ask[Listed]) -> Page[Interface]:
    readings = readings_of(ask.stores, [SYSTEM], ask.viewer.portfolios)
    by_host = {each.host: each for each in readings}
    keys = sorted((each.host, dict(labels)["nic"]) for each in readings for labels in each.series(metrics.NETWORK_UP))
    part, following = part_of(keys, lambda key: key, ask.begins)
    items = []
    for host, nic in part:
        reading = by_host[host]
        values = {name: reading.value(metric, nic=nic) for name, metric in INTERFACE_VALUES.items()}
        is_up = bool(values.pop("up"))
        status = Status.UNKNOWN if is_stale(reading, ask.now) else Status.OK if is_up else Status.DOWN
        items.append(
            Interface(host=host, nic=nic, status=status, **values, **aged_reading(reading, ask.now).model_dump())
        )
    age = newest_of(readings, ask.now)
    return Page[Interface](items=items, next=following, units=UNITS, **age.model_dump())


def _datasets(_settings: Settings) -> tuple[str, ...]:
    return (SYSTEM,)


OPERATIONS = (
    Operation(path="/network/status", summary="Network interfaces of every machine, now.", answer=_interfaces,
              model=Page[Interface], query=Listed, tag="Network", datasets=_datasets),
)  # fmt: skip
