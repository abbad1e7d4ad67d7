"""Starting the collectors of this process."""

from __future__ import annotations

from collectors.registry import build_runner
from collectors.runner import Runner
from storage.stores import Stores


def start_collectors(stores: Stores) -> Runner:
    """Return the runner of the collectors that are switched on, started."""
    runner = build_runner(stores)
    runner.start()
    return runner
