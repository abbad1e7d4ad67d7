"""Starting the collectors of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from collectors.runtime.actions import own_work, run_actions
from collectors.runtime.registry import build_runner
from collectors.runtime.reload import Reloading
from collectors.runtime.runner import Runner
from core.requests import RELOAD
from storage.stores import Stores


def start_collectors(stores: Stores, reload: threading.Event | None = None, *then: Callable[[Stores], None]) -> Runner:
    """Start the collectors that are switched on, and what does the requests of pages.

    reload: sources are taken anew from the settings whenever it is set. then: each called with the stores that have the
    new settings. Stop them, before the stores are closed, with `stop(seconds)`.
    """
    runner = build_runner(stores)
    reloading = Reloading(stores, runner, *then)
    actions = partial(run_actions, reloading, runner, own_work(runner, reloading))
    runner.attend(partial(actions, without=(RELOAD,)), "collectors-actions")
    # Apart: changed settings may be what mends the sources on which the others wait.
    runner.attend(partial(actions, only=(RELOAD,)), "collectors-reloads")
    runner.attend(partial(reloading.run, reload or threading.Event()), "collectors-reload")
    runner.start()
    return runner
