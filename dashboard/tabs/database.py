"""Databases: queries, replication, space."""

from __future__ import annotations

from dashboard.tabs.unbuilt import unbuilt_tab

TAB = unbuilt_tab("database", "Database", "3", "the databases a fund trades on: load, slow queries, locks and space")
