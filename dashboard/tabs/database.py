"""Databases: ClickHouse and PostgreSQL, a section each; Fundwatch's own ClickHouse among them."""

from __future__ import annotations

from dashboard.kinds.clickhouse.section import CLICKHOUSE
from dashboard.kinds.postgresql.section import POSTGRESQL
from dashboard.sources.actions import register_actions
from dashboard.sources.section import lazy_routes, sectioned
from dashboard.sources.tab import VARIES_BY
from dashboard.views.tab import Tab

ID = "database"
SECTIONS = (CLICKHOUSE, POSTGRESQL)

DATABASE = sectioned(ID, SECTIONS)
FIRST_CHARTS = 6
"""Charts of a section that are sent with the page; the others when they come into view."""
LAZY_GRAPHS = tuple(f"{ID}-{chart.id}-graph" for section in SECTIONS for chart in section.charts[FIRST_CHARTS:])

TAB = Tab(
    id=ID,
    title="Database",
    icon=ID,
    key="3",
    path=f"/{ID}",
    layout=DATABASE.layout,
    build=DATABASE.build,
    varies_by=VARIES_BY,
    datasets=(*DATABASE.kinds, "actions"),
    panels=DATABASE.all_panels,
    slots=DATABASE.slots,
    graphs=DATABASE.graphs,
    zoom_graphs=DATABASE.graphs,
    lazy_graphs=LAZY_GRAPHS,
    routes=lazy_routes(ID, SECTIONS),
    register=register_actions(ID, {section.kind: section.actions for section in SECTIONS}),
)
