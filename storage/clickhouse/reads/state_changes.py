"""Changes of state as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.model import Facts, Status
from storage.clickhouse.client import ClickHouse

STATE_CHANGES = "state_changes"
STATE_CHANGE_COLUMNS = (
    "ts", "host", "source", "component", "state", "before", "held_seconds", "why", "before_why", "stale_after_seconds",
)  # fmt: skip
WHY_CHARACTERS = 500
OLDER_WORDS = {"up": Status.OK, "pending": Status.WARNING, "paused": Status.NOT_CONFIGURED}
"""States of services in the rows of older versions; every other state is a Status."""
STATES = frozenset(Status)
WHICH = "source IN {sources:Array(String)} AND host IN {hosts:Array(String)}"


class ComponentId(NamedTuple):
    """Which component: the machine it is of, the collector that tells of it, its name."""

    host: str
    """Empty for a watched source: it is the same one from wherever it is read."""
    source: str
    """Name of the collector: "http:orders", "system"."""
    name: str = ""
    """Empty for a watched source itself."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A component came into another state."""

    ts: float
    """Epoch seconds."""
    id: ComponentId
    state: Status
    before: Status | None
    """The state that ended; None: not watched."""
    held_seconds: float
    """How long the state before had held."""
    why: str
    """Why it came into this state."""
    before_why: str = ""
    """The newest reason for the state that ended."""
    stale_after_seconds: float = 0.0
    """Age beyond which a reading of its collector was stale; 0: not known."""


def state_change_facts(changes: Sequence[StateChange]) -> Facts:
    """Return changes of state as rows of their table."""
    rows = [
        (
            round(each.ts * 1e3), *each.id, each.state.value, each.before.value if each.before else "",
            each.held_seconds, each.why[:WHY_CHARACTERS], each.before_why[:WHY_CHARACTERS], each.stale_after_seconds,
        )
        for each in changes
    ]  # fmt: skip
    columns = tuple(map(list, zip(*rows, strict=True))) or tuple([] for _ in STATE_CHANGE_COLUMNS)
    return Facts(STATE_CHANGES, STATE_CHANGE_COLUMNS, columns)


def read_state_changes(
    clickhouse: ClickHouse, sources: Sequence[str], hosts: Sequence[str], start: float, end: float
) -> list[StateChange]:
    """Return the stored changes of state of these sources after `start` and until `end` (epoch seconds), oldest first.

    The newest change of each component until `start` is among them: it was in force then. Raises StorageUnavailable.
    """
    columns = "toUnixTimestamp64Milli(ts) AS at, " + ", ".join(STATE_CHANGE_COLUMNS[1:])
    until = f"{WHICH} AND ts <= toDateTime64({{start:Float64}}, 3)"
    # The times first, then the rows at those times: sorting all rows with their sentences takes seconds after a year.
    sql = f"""
        SELECT {columns} FROM state_changes
        WHERE {until} AND (host, source, component, ts) GLOBAL IN (
            SELECT host, source, component, max(ts) FROM state_changes WHERE {until} GROUP BY host, source, component
        )
        UNION ALL
        SELECT {columns} FROM state_changes
        WHERE {WHICH} AND ts > toDateTime64({{start:Float64}}, 3) AND ts <= toDateTime64({{end:Float64}}, 3)
    """
    parameters = {"sources": list(sources), "hosts": list(hosts), "start": start, "end": end}
    return [_change(*row) for row in sorted(clickhouse.rows(sql, parameters, kind="state changes"))]


def nth_newest_change(
    clickhouse: ClickHouse, sources: Sequence[str], hosts: Sequence[str], start: float, number: int
) -> float:
    """Return when the `number`th newest change of these sources came; `start` where there are fewer since then.

    Epoch seconds. Raises StorageUnavailable.
    """
    sql = f"""
        SELECT toUnixTimestamp64Milli(ts) FROM state_changes
        WHERE {WHICH} AND ts > toDateTime64({{start:Float64}}, 3) ORDER BY ts DESC LIMIT 1 OFFSET {{offset:UInt32}}
    """
    parameters = {"sources": list(sources), "hosts": list(hosts), "start": start, "offset": number - 1}
    rows = clickhouse.rows(sql, parameters, kind="state changes")
    return rows[0][0] / 1e3 if rows else start


def _change(
    at: int, host: str, source: str, component: str, state: str, before: str, held: float, *rest: str | float
) -> StateChange:
    why, before_why, stale_after = rest
    return StateChange(
        at / 1e3, ComponentId(host, source, component), _status(state), _status(before) if before else None, held,
        str(why), str(before_why), float(stale_after),
    )  # fmt: skip


def _status(word: str) -> Status:
    if word in OLDER_WORDS:
        return OLDER_WORDS[word]
    return Status(word) if word in STATES else Status.UNKNOWN
