"""Processes on the Services tab: memory, CPU, how many."""

from __future__ import annotations

from dashboard.services import tables
from dashboard.services.cards import no_cards
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel

CHARTS = (
    Chart("memory", "Processes, resident", "all that match together", {"process_resident_bytes": ""},
          "Sum of resident set sizes. Source: /proc/<pid>/statm."),
    Chart("cpu", "Processes, CPU", "100 % is one core", {"process_cpu_ratio": ""},
          "Difference of user and system time over the interval. Source: /proc/<pid>/stat."),
    Chart("count", "Processes, count", "", {"process_count": ""},
          "Processes that match."),
)  # fmt: skip

SECTION = Section(
    kind="process",
    charts=CHARTS,
    cards=no_cards,
    tables=(TablePanel("processes", "Processes", "most memory first", 12, "/proc/<pid>/stat, statm, cmdline.",
                   lambda shown, _id, _title: tables.processes(shown), is_filtered=True),),
    actions=tables.ACTIONS,
)  # fmt: skip
