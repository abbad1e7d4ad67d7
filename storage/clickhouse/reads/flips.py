"""When watched services changed their state: the newest change of one, and the list of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse

FLIP_COLUMNS = ("ts", "source", "state", "before", "held_seconds", "why")
MOST_FLIPS = 60


@dataclass(frozen=True, slots=True)
class Flip:
    """One change of state."""

    ts: float
    """Epoch seconds."""
    source: str
    """Name of the collector: "http:orders"."""
    state: str
    before: str
    """The state that ended; empty at the first check."""
    held_seconds: float
    """How long the state before had held."""
    why: str


def newest_flip(clickhouse: ClickHouse, source: str) -> Flip | None:
    """Return the newest change of a service. Raises StorageUnavailable."""
    found = _flips(clickhouse, "source = {source:String}", {"source": source}, 1)
    return found[0] if found else None


def read_flips(clickhouse: ClickHouse, sources: Sequence[str], start: float) -> list[Flip]:
    """Return the newest changes of these services since `start` (epoch seconds), newest first.

    Raises StorageUnavailable.
    """
    where = "source IN {sources:Array(String)} AND ts >= toDateTime64({start:Float64}, 3)"
    return _flips(clickhouse, where, {"sources": list(sources), "start": start}, MOST_FLIPS)


def _flips(clickhouse: ClickHouse, where: str, parameters: dict[str, object], limit: int) -> list[Flip]:
    sql = (
        "SELECT toUnixTimestamp64Milli(ts), source, state, before, held_seconds, why FROM flips "
        f"WHERE {where} ORDER BY ts DESC LIMIT {limit}"
    )
    rows = clickhouse.rows(sql, parameters, kind="flips")
    return [
        Flip(int(ts) / 1e3, str(s), str(now), str(was), float(held), str(why)) for ts, s, now, was, held, why in rows
    ]
