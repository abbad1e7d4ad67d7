"""Databases: ClickHouse and PostgreSQL, a section each; Fundwatch's own ClickHouse among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.kinds.clickhouse.section import CLICKHOUSE
from dashboard.kinds.postgresql.section import POSTGRESQL
from dashboard.sources.actions import register_actions
from dashboard.sources.section import register_lazy, sectioned
from dashboard.views.tab import Tab

if TYPE_CHECKING:
    from dash import Dash

    from storage.stores import Stores

ID = "database"
SECTIONS = (CLICKHOUSE, POSTGRESQL)

DATABASE = sectioned(ID, SECTIONS)
FIRST_CHARTS = 6
"""Charts of a section that are sent with the page; the others when they come into view."""
LAZY_GRAPHS = tuple(f"{ID}-{chart.id}-graph" for section in SECTIONS for chart in section.charts[FIRST_CHARTS:])


def _register(app: Dash, stores: Stores) -> None:
    register_actions(ID, {section.kind: section.actions for section in SECTIONS})(app, stores)
    register_lazy(ID, SECTIONS)(app, stores)


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
    lazy_graphs=LAZY_GRAPHS,
    register=_register,
)
