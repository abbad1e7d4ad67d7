"""Starting the collectors of a process."""

from __future__ import annotations

from collectors.registry import build_runner
from collectors.runner import Runner
from storage.stores import Stores


def start_collectors(stores: Stores) -> Runner:
    """Start the collectors that are switched on. Stop them, before the stores are closed, with `stop(seconds)`."""
    runner = build_runner(stores)
    runner.start()
    return runner
