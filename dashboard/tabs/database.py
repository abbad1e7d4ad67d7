"""Databases: ClickHouse and PostgreSQL, a section each; Fundwatch's own ClickHouse among them."""

from __future__ import annotations

from dashboard.actions import register_actions
from dashboard.figures.clickhouse import CLICKHOUSE
from dashboard.figures.postgresql import POSTGRESQL
from dashboard.source_section import sectioned
from dashboard.tab import Tab

ID = "database"
SECTIONS = (CLICKHOUSE, POSTGRESQL)

DATABASE = sectioned(ID, SECTIONS)

TAB = Tab(
    id=ID,
    title="Database",
    icon=ID,
    key="3",
    path=f"/{ID}",
    layout=DATABASE.layout,
    build=DATABASE.build,
    datasets=(*DATABASE.kinds, "actions"),
    slots=DATABASE.slots,
    graphs=DATABASE.graphs,
    zoom_graphs=DATABASE.graphs,
    register=register_actions(ID, {section.kind: section.actions for section in SECTIONS}),
)
