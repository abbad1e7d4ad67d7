"""Which collectors of Fundwatch and its machine run, and how often."""

from __future__ import annotations

from pydantic import Field

from core.group import Group, Seconds


class Sources(Group):
    """Which collectors run."""

    system: bool = Field(True, description="CPU, memory, disks, network, pressure and clock of this machine.")
    processes: bool = Field(True, description="Process and socket tables of this machine.")
    pipeline: bool = Field(True, description="Fundwatch itself: writer, spool, tables, query log.")
    requests: bool = Field(True, description="The requests that Fundwatch answers, of all its web processes.")
    health: bool = Field(True, description="The health score of everything that is watched.")
    inbox: bool = Field(
        True, description="Files of NAV, returns or prices dropped into the folder inbox of the data folder."
    )
    audit: bool = Field(True, description="Copies the audit of the state database to ClickHouse.")
    own: bool = Field(True, description="The Valkey and the ClickHouse that belong to Fundwatch.")
    replay: bool = Field(False, description="Replays the sample fund, a trading day a run (make demo).")


class Intervals(Group):
    """How often each collector runs."""

    system_seconds: Seconds = Field(5, description="Seconds between readings of the system collector.")
    processes_seconds: Seconds = Field(15, description="Seconds between readings of the process and socket tables.")
    pipeline_seconds: Seconds = Field(5, description="Seconds between readings of the pipeline collector.")
    requests_seconds: Seconds = Field(5, description="Seconds between readings of Fundwatch's own requests.")
    health_seconds: Seconds = Field(15, description="Seconds between two health scores.")
    inbox_seconds: Seconds = Field(5, description="Seconds between looks into the inbox.")
    audit_seconds: Seconds = Field(5, description="Seconds between copies of the audit to ClickHouse.")
    own_seconds: Seconds = Field(5, description="Seconds between readings of Fundwatch's own Valkey and ClickHouse.")
    replay_seconds: Seconds = Field(2, description="Seconds a replayed trading day lasts.")
