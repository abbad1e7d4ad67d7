"""Services: the programs a fund runs."""

from __future__ import annotations

from dashboard.tabs.unbuilt import unbuilt_tab

TAB = unbuilt_tab("services", "Services", "6", "the programs a fund runs: which are up and what depends on them")
