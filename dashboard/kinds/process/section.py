"""The section of processes: memory, CPU, how many."""

from __future__ import annotations

from core.format import bytes_, number, percent
from core.kinds.process import spec
from core.kinds.service_spec import Actions
from core.processes import STOPPED_STATES
from dashboard.components.age import local_time
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.table import Field, Rows, words

CHARTS = (
    Chart("memory", "Processes, resident", "all that match together", {spec.RESIDENT: ""},
          "Sum of resident set sizes. Source: /proc/<pid>/statm."),
    Chart("cpu", "Processes, CPU", "100 % is one core", {spec.CPU_RATIO: ""},
          "Difference of user and system time over the interval. Source: /proc/<pid>/stat."),
    Chart("count", "Processes, count", "", {spec.COUNT: "", spec.STOPPED: "stopped"},
          "Processes that match, and those of them that are stopped."),
)  # fmt: skip


def _state(row: spec.Process) -> str:
    return "critical" if row.state in STOPPED_STATES else ""


def _most_memory_first(row: spec.Process) -> int:
    return -row.resident_bytes


PROCESSES = Rows(
    spec.Process,
    (
        Field("pid", "PID"),
        words("command", "Command"),
        words("user", "User"),
        words("state", "State", "Stopped: does nothing until it is continued", _state),
        Field("cpu_ratio", "CPU", percent, "100 % is one core"),
        Field("resident_bytes", "Resident", bytes_),
        Field("threads", "Threads", number),
        Field("started", "Started", local_time),
    ),
    nothing="No process matches.",
    sort=_most_memory_first,
)

SECTION = Section(
    kind="process",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESIDENT, bytes_, "resident")),
    tables=(
        TablePanel("processes", "Processes", "most memory first", 12, "/proc/<pid>/stat, statm, cmdline.", PROCESSES,
                   is_filtered=True),
    ),
    actions=tuple(Actions),
)  # fmt: skip
