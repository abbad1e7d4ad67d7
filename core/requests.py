"""What a page may ask of the process that collects, beside the actions of a kind of source (collectors/runtime)."""

from __future__ import annotations

from core.model import SourceId

TRY_NOW = "try_now"
"""Read a source now, whatever its breaker says."""
RELOAD = "reload"
"""Take the watched sources of the settings file as it is now."""
SETTINGS = SourceId("settings", "file")
"""What RELOAD is asked of, where the source of an action stands."""
RELOADED = "settings"
"""Data set whose version moves when changed sources were taken."""
