"""Cache: the Redis and Valkey servers under the fund, and Fundwatch's own."""

from __future__ import annotations

from dashboard.sources.page import source_tab
from dashboard.sources.section import sections_of
from dashboard.sources.tab import SourceTab

ID = "cache"
CACHE = SourceTab(ID, sections_of(ID), is_reason_above_age=True)
TAB = source_tab(CACHE, "Cache", key="5")
