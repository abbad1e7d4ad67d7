"""The lists of collectors and importers, and the runner that runs those that are switched on.

A collector is a module with `make(context) -> Collector`, a switch of the same name in `settings.sources`,
and its line in MODULES. A kind of watched source is a module with `make(context, source) -> Collector`, its class
in core/watch, and its line in SOURCES; it has a collector for each instance, named "redis:main".
An importer is a module with `make(stores) -> Importer`, its switch in `settings.sources` and its line in IMPORTERS.
Modules are imported only when switched on or configured.
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
from core.lease import Lease
from core.model import Collector
from core.settings.model import Settings
from storage.live.leases import LeaseStore
from storage.stores import Stores

MODULES = {
    "system": "collectors.machine.system",
    "processes": "collectors.machine.processes",
    "replay": "collectors.replay",
    "pipeline": "collectors.pipeline",
}

IMPORTERS = {"inbox": "portfolio.imports.inbox"}

SOURCES = {
    "clickhouse": "collectors.kinds.clickhouse.collector",
    "postgresql": "collectors.kinds.postgresql.collector",
    "redis": "collectors.kinds.redis.collector",
    "iqfeed": "collectors.kinds.iqfeed.collector",
    "ib": "collectors.kinds.ib.collector",
    "freshness": "collectors.kinds.freshness.collector",
    "heartbeat": "collectors.kinds.heartbeat.collector",
    "kafka": "collectors.kinds.kafka.collector",
    "celery": "collectors.kinds.celery.collector",
    "rabbitmq": "collectors.kinds.rabbitmq.collector",
    "http": "collectors.kinds.http.collector",
    "tcp": "collectors.kinds.tcp.collector",
    "process": "collectors.kinds.process.collector",
    "systemd": "collectors.kinds.systemd.collector",
    "nginx": "collectors.kinds.nginx.collector",
    "peer": "collectors.kinds.peer.collector",
    "scrape": "collectors.kinds.scrape.collector",
}


def enabled(settings: Settings) -> list[str]:
    """Return the names of the collectors and importers that are switched on, in the order of the lists."""
    sources = [source.collector for source in configured(settings)]
    return [*(name for name in (*MODULES, *IMPORTERS) if getattr(settings.sources, name)), *sources]


def configured(settings: Settings) -> list[Source]:
    """Return the watched sources: those of the settings, then Fundwatch's own."""
    return [*(source for kind in SOURCES for source in settings.watch.of(kind)), *own_sources(settings)]


def source_of(settings: Settings, collector: str) -> Source:
    """Return the watched source of the collector of this name. Raises KeyError."""
    return {source.collector: source for source in configured(settings)}[collector]


def source_module(kind: str) -> ModuleType:
    """Return the module of a kind of source. Raises KeyError."""
    return import_module(SOURCES[kind])


def make(name: str, context: Context) -> Collector:
    """Return the collector `name`. Raises KeyError when there is none of that name."""
    collector: Collector
    if name in MODULES:
        collector = import_module(MODULES[name]).make(context)
    else:
        source = source_of(context.settings, name)
        collector = source_module(source.KIND).make(context, source)
    return collector


def build_runner(stores: Stores, names: Sequence[str] | None = None) -> Runner:
    """Return a runner, not yet started, with the collectors and importers `names` (by default those switched on).

    Embedded, one process owns the data and collects; else a lease picks the one that does.
    """
    settings = stores.settings
    lease = None if settings.is_embedded else Lease(LeaseStore(stores.live), _owner(settings), stores.clock)
    runner = Runner(settings.machine, stores.clock, stores.writer, stores.live, lease)
    context = Context(settings, stores, runner.views)
    for name in enabled(settings) if names is None else names:
        if name in IMPORTERS:
            runner.add_importer(import_module(IMPORTERS[name]).make(stores))
        else:
            runner.add(make(name, context))
    return runner


def _owner(settings: Settings) -> str:
    return f"{settings.machine}:{os.getpid()}:{os.urandom(4).hex()}"
