"""The section of units of systemd: memory, CPU, restarts."""

from __future__ import annotations

from core.kinds.service_spec import Actions
from core.kinds.systemd import spec
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("memory", "Units, memory", "", {spec.MEMORY_USED: ""}, "MemoryCurrent. Source: systemctl show.",
          nothing="systemd counts no memory of these units: it does with MemoryAccounting=yes."),
    Chart("cpu", "Units, CPU", "100 % is one core", {spec.CPU_RATIO: ""},
          "Difference of CPUUsageNSec over the interval. Source: systemctl show.",
          nothing="systemd counts no CPU of these units: it does with CPUAccounting=yes."),
    Chart("restarts", "Units, restarts", "since the unit was loaded", {spec.RESTARTS: ""},
          "NRestarts. Source: systemctl show."),
)  # fmt: skip

SECTION = Section(
    kind="systemd",
    charts=CHARTS,
    cards=cards_with(Headline(spec.UPTIME, unit="active", spark=spec.MEMORY_USED)),
    actions=tuple(Actions),
)
