"""Caches: memory, hit rate, evictions."""

from __future__ import annotations

from dashboard.tabs.unbuilt import unbuilt_tab

TAB = unbuilt_tab("cache", "Cache", "4", "caches such as Redis: memory, hit rate, evictions, latency and persistence")
