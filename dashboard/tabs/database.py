"""Database: ClickHouse and PostgreSQL, a section each; Fundwatch's own ClickHouse among them."""

from __future__ import annotations

from dashboard.sources.page import source_tab
from dashboard.sources.section import sections_of
from dashboard.sources.tab import SourceTab

ID = "database"
DATABASE = SourceTab(ID, sections_of(ID), first_charts=6, is_reason_above_age=True)
TAB = source_tab(DATABASE, "Database", key="4")
