"""What the queries of a reading returned: those of every reading, and those of once a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.kinds.postgresql.activity import Activity
from collectors.kinds.postgresql.connection import Row
from core.kinds.postgresql import spec
from core.kinds.postgresql.tables import has_many_dead_rows


@dataclass(frozen=True, slots=True)
class PresentResults:
    """What the queries of every reading returned; empty where the server refused one."""

    overview: Row
    activity: Activity
    databases: Sequence[Row]
    writing: Row
    """Checkpoints, WAL and archiver."""
    replicas: Sequence[Row]
    slots: Sequence[Row]
    receiver: Sequence[Row]
    progress: Sequence[Row]

    @property
    def now(self) -> float:
        """The server's time in epoch seconds."""
        return float(self.overview["now"])

    @property
    def role(self) -> str:
        """primary or standby."""
        return "standby" if self.overview["is_standby"] else "primary"

    @property
    def replay_behind_bytes(self) -> float | None:
        """WAL that a standby has received and not replayed; None of a primary."""
        if not self.overview["is_standby"] or self.overview["replayed_bytes"] is None:
            return None
        return max(float(self.overview["received_bytes"] or 0) - float(self.overview["replayed_bytes"]), 0.0)


@dataclass(slots=True)
class PeriodicResults:
    """What the periodic queries returned, within the last minute or so."""

    databases: Sequence[Row] = ()
    settings: Mapping[str, Row] = field(default_factory=dict)
    extensions: Sequence[Row] = ()
    tables: Sequence[Row] = ()
    indexes: Sequence[Row] = ()
    sequences: Sequence[Row] = ()
    locks: Row = field(default_factory=dict)
    wal: Row = field(default_factory=dict)
    horizon: Sequence[Row] = ()
    prepared: Row = field(default_factory=dict)

    def setting(self, name: str) -> str | None:
        """Return a setting as the server shows it; None when it is not known."""
        return self.settings.get(name, {}).get("value")

    def number(self, name: str, default: float) -> float:
        """Return a setting as number."""
        try:
            return float(self.settings[name]["raw"])
        except (KeyError, TypeError, ValueError):
            return default

    @property
    def most_connections(self) -> float | None:
        """How many connections others than superusers may open."""
        if "max_connections" not in self.settings:
            return None
        kept = self.number("superuser_reserved_connections", 0) + self.number("reserved_connections", 0)
        return self.number("max_connections", 0) - kept

    @property
    def block_bytes(self) -> float:
        """Size of a block."""
        return self.number("block_size", 8192)

    @property
    def locks_ratio(self) -> float | None:
        """Share of the lock table in use."""
        slots = self.number("max_locks_per_transaction", 0) * (
            self.number("max_connections", 0) + self.number("max_prepared_transactions", 0)
        )
        return self.locks["held"] / slots if self.locks and slots else None

    def dead_limit(self, table: Row) -> float:
        """Return how many dead rows make autovacuum start on a table."""
        base = self.number("autovacuum_vacuum_threshold", 50)
        return base + self.number("autovacuum_vacuum_scale_factor", 0.2) * max(table["live_rows"] or 0, 0)

    def is_bloating(self, table: Row) -> bool:
        """Return whether a table has many dead rows, and more than twice what should have started autovacuum."""
        dead = table["dead_rows"] or 0
        return has_many_dead_rows(dead, dead_ratio(table)) and dead > spec.DEAD_TRIGGERS * self.dead_limit(table)


def dead_ratio(table: Row) -> float | None:
    """Return the share of dead rows of a table."""
    total = (table["live_rows"] or 0) + (table["dead_rows"] or 0)
    return (table["dead_rows"] or 0) / total if total else None
