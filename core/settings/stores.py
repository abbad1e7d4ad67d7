"""How ClickHouse is written and asked, and how long it keeps what it has."""

from __future__ import annotations

from pydantic import Field

from core.group import Days, Group


class Retention(Group):
    """How long measurements are kept."""

    raw_days: Days = Field(7, description="Days that samples are kept as collected.")
    minute_days: Days = Field(90, description="Days that one-minute rollups are kept.")
    hour_days: Days = Field(730, description="Days that one-hour rollups, changes of state and of readiness are kept.")
    run_days: Days = Field(30, description="Days that collector runs and the query log are kept.")
    event_days: Days = Field(730, description="Days that events of programs are kept; notes of people stay.")


class Query(Group):
    """Limits on every ClickHouse query."""

    timeout_seconds: float = Field(10, ge=0.1, le=600, description="Longest time a query may run.")
    memory_bytes: int = Field(1_073_741_824, ge=67_108_864, description="Most memory a query may use, in bytes.")


class Writer(Group):
    """How samples reach ClickHouse."""

    flush_seconds: float = Field(2, ge=0.05, le=60, description="Longest time a sample waits for its batch.")
    queue_rows: int = Field(
        500_000,
        ge=1_000,
        description="Most rows waiting in memory; past it the oldest are dropped and counted.",
    )
    spool_bytes: int = Field(
        536_870_912,
        ge=1_048_576,
        description="Most bytes waiting on disk while ClickHouse is away; past it the oldest are dropped and counted.",
    )
