"""Starting the collectors of a process."""

from __future__ import annotations

from functools import partial

from collectors.runtime.registry import build_runner
from collectors.runtime.runner import Runner
from storage.stores import Stores


def start_collectors(stores: Stores) -> Runner:
    """Start the collectors that are switched on, and what does actions where the settings allow them.

    Stop them, before the stores are closed, with `stop(seconds)`.
    """
    runner = build_runner(stores)
    if stores.settings.actions_enabled:
        from collectors.runtime.actions import run_actions

        runner.attend(partial(run_actions, stores), "collectors-actions")
    runner.start()
    return runner
