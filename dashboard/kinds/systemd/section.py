"""Units of systemd on the Services tab."""

from __future__ import annotations

from dashboard.services.cards import no_cards
from dashboard.services.tables import ACTIONS
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("memory", "Units, memory", "", {"systemd_memory_bytes": ""},
          "MemoryCurrent. Source: systemctl show."),
    Chart("cpu", "Units, CPU", "100 % is one core", {"systemd_cpu_ratio": ""},
          "Difference of CPUUsageNSec over the interval. Source: systemctl show."),
    Chart("restarts", "Units, restarts", "since the unit was loaded", {"systemd_restarts": ""},
          "NRestarts. Source: systemctl show."),
)  # fmt: skip

SECTION = Section(
    kind="systemd",
    charts=CHARTS,
    cards=no_cards,
    actions=ACTIONS,
)  # fmt: skip
