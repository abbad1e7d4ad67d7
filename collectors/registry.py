"""The list of collectors, and the runner that runs those that are switched on.

A collector is a module with `make(context) -> Collector`, a switch of the same name in `settings.sources`,
and its line here. Modules are imported only when switched on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

from collectors.base import Context
from collectors.lease import Lease
from collectors.runner import Runner
from core.model import Collector
from core.settings import Settings
from storage.lease_store import LeaseStore
from storage.stores import Stores

MODULES = {
    "system": "collectors.system",
    "processes": "collectors.processes",
    "inbox": "collectors.inbox",
    "replay": "collectors.replay",
    "pipeline": "collectors.pipeline",
}


def enabled(settings: Settings) -> list[str]:
    """Return the names of the collectors that are switched on, in the order of the list."""
    return [name for name in MODULES if getattr(settings.sources, name)]


def make(name: str, context: Context) -> Collector:
    """Return the collector `name`. Raises KeyError when there is none of that name."""
    collector: Collector = import_module(MODULES[name]).make(context)
    return collector


def build_runner(stores: Stores, names: Sequence[str] | None = None) -> Runner:
    """Return a runner, not yet started, with the collectors `names` (by default those switched on).

    Embedded, one process owns the data and collects; else a lease picks the one that does.
    """
    settings = stores.settings
    lease = None if settings.is_embedded else Lease(LeaseStore(stores.live), _owner(settings), stores.clock)
    runner = Runner(settings.machine, stores.clock, stores.writer, stores.live, lease)
    context = Context(settings, stores, runner.views)
    for name in enabled(settings) if names is None else names:
        runner.add(make(name, context))
    return runner


def _owner(settings: Settings) -> str:
    return f"{settings.machine}:{os.getpid()}:{os.urandom(4).hex()}"
