"""Changes of state: the newest ones of one source or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse

STATE_CHANGE_COLUMNS = ("ts", "source", "state", "before", "held_seconds", "why")


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change of state."""

    ts: float
    """Epoch seconds."""
    source: str
    """Kind and instance of what changed, which is its collector's name: "http:orders"."""
    state: str
    before: str
    """The state that ended; empty at the first check."""
    held_seconds: float
    """How long the state before had held."""
    why: str


def read_state_changes(
    clickhouse: ClickHouse, sources: Sequence[str], limit: int, start: float = 0.0
) -> list[StateChange]:
    """Return at most `limit` changes of state of these sources since `start` (epoch seconds), newest first.

    Raises StorageUnavailable.
    """
    sql = """
        SELECT toUnixTimestamp64Milli(ts), source, state, before, held_seconds, why FROM state_changes
        WHERE source IN {sources:Array(String)} AND ts >= toDateTime64({start:Float64}, 3)
        ORDER BY ts DESC LIMIT {limit:UInt32}
    """
    parameters = {"sources": list(sources), "start": start, "limit": limit}
    rows = clickhouse.rows(sql, parameters, kind="state changes")
    return [StateChange(ts / 1e3, source, state, before, held, why) for ts, source, state, before, held, why in rows]
