"""Alerts: what needs a person."""

from __future__ import annotations

from dashboard.tabs.unbuilt import unbuilt_tab

TAB = unbuilt_tab("alerts", "Alerts", "8", "what needs a person: open incidents, who was told, silences and rules")
