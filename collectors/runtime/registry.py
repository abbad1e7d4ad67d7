"""Which collectors run, and the runner that runs them.

A collector of Fundwatch itself or its machine is a module with `make(context) -> Collector`, a switch of the same name
in `settings.sources`, and its line in MODULES. A kind of watched source (core/kinds/registry.py has the list) has
`make(context, source) -> Collector` in collectors/kinds/<kind>/collector.py, and a collector for each instance, named
"redis:main". An importer is a module with `make(stores) -> Importer`, its switch in `settings.sources` and its line in
IMPORTERS; a query of `settings.pull` is one too, named "pull-fills", and a topic of `settings.consume`. Modules are
imported only when switched on or configured.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from collectors.base import Context
from collectors.runtime.own import own_sources
from collectors.runtime.runner import Runner
from core.kinds.base import Source
from core.kinds.registry import KINDS
from core.lease import Lease
from core.model import Collector, SourceId
from core.settings.model import Settings
from status.state_log import StateLog, stored_states
from storage.live.leases import LeaseStore
from storage.stores import Stores

MODULES = {
    "system": "collectors.machine.system",
    "processes": "collectors.machine.processes",
    "replay": "collectors.replay",
    "pipeline": "collectors.pipeline",
    "requests": "collectors.requests",
    "health": "collectors.health",
}


IMPORTERS = {"inbox": "portfolio.imports.inbox", "audit": "access.mirror"}
PULL, CONSUME = "collectors.pull", "collectors.consume"
"""The modules of the importers that the settings list under `pull` and `consume`."""


def enabled(settings: Settings) -> list[str]:
    """Return the names of the collectors and importers that are switched on, in the order of the lists."""
    sources = [source.collector for source in configured(settings)]
    switched_on = [name for name in (*MODULES, *IMPORTERS) if getattr(settings.sources, name)]
    return [*switched_on, *settings.row_importers, *sources]


def configured(settings: Settings) -> list[Source]:
    """Return the watched sources: those of the settings, then Fundwatch's own."""
    return [*(source for kind in KINDS for source in settings.watch.of(kind)), *own_sources(settings)]


def source_of(settings: Settings, id: SourceId) -> Source:
    """Return the settings of a watched source. Raises KeyError."""
    return {source.id: source for source in configured(settings)}[id]


def source_module(kind: str, part: str = "collector") -> ModuleType:
    """Return a module of a kind of source. Raises KeyError."""
    if kind not in KINDS:
        raise KeyError(kind)
    return import_module(f"collectors.kinds.{kind}.{part}")


def build_runner(stores: Stores, names: Sequence[str] | None = None) -> Runner:
    """Return a runner, not yet started, with the collectors and importers `names` (by default those switched on).

    Embedded, one process owns the data and collects; else a lease picks the one that does. Raises KeyError for a name
    that there is not.
    """
    settings = stores.settings
    lease = None if settings.is_embedded else Lease(LeaseStore(stores.live), _owner(settings), stores.clock)
    chosen = enabled(settings) if names is None else names
    stored = stored_states(stores, settings.machine, lambda: runner.names)
    states = StateLog(settings.machine, stores.clock, stores.writer.put_facts, stored)
    runner = Runner(settings.machine, stores.clock, stores.writer, stores.live, lease, states)
    context = Context(settings, stores, runner.views, lambda: runner.settings_problem)
    sources = {source.collector: source for source in configured(settings)}
    pulls = {pull.collector: pull for pull in settings.pull}
    topics = {topic.collector: topic for topic in settings.consume}
    for name in chosen:
        if name in pulls:
            runner.add_importer(import_module(PULL).make(stores, pulls[name]))
        elif name in topics:
            runner.add_importer(import_module(CONSUME).make(stores, topics[name]))
        elif name in IMPORTERS:
            runner.add_importer(import_module(IMPORTERS[name]).make(stores))
        else:
            runner.add(*_made(name, context, sources.get(name)))
    return runner


def _made(name: str, context: Context, source: Source | None) -> tuple[Collector, SourceId | None]:
    if source is None:
        return module_collector(name, context), None
    return made(source, context)


def module_collector(name: str, context: Context) -> Collector:
    """Return a collector of Fundwatch or its machine. Raises KeyError."""
    collector: Collector = import_module(MODULES[name]).make(context)
    return collector


def made(source: Source, context: Context) -> tuple[Collector, SourceId]:
    """Return the collector of a watched source, and which source that is."""
    return source_module(source.KIND).make(context, source), source.id


def _owner(settings: Settings) -> str:
    return f"{settings.machine}:{os.getpid()}:{os.urandom(4).hex()}"
