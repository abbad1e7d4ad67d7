"""Takes changed sources while the program runs: those that did not change go on undisturbed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from collectors.base import Context
from collectors.runtime.registry import made
from collectors.runtime.runner import Runner
from core.errors import SettingsError
from core.requests import RELOADED
from core.settings.follow import follow
from core.settings.reload import Reloaded, reloaded, sources_of
from storage.stores import Stores

log = logging.getLogger(__name__)


class Reloading:
    """The settings that the collectors of this process run by, and how changed ones are taken."""

    def __init__(self, stores: Stores, runner: Runner, *then: Callable[[Stores], None]) -> None:
        """Return it for the runner of `stores`. Each of `then` is given the stores with the new settings."""
        self._stores = stores
        self._runner = runner
        self._then = then
        self._lock = threading.Lock()

    @property
    def stores(self) -> Stores:
        """The stores with the settings of now."""
        return self._stores

    def reload(self, is_first: bool = True) -> Reloaded:
        """Take the sources as the settings name them now. Raises SettingsError: then nothing was changed.

        is_first: other processes are told to take them as well; False: this one was told so.
        """
        with self._lock:
            try:
                found = reloaded(self._stores.settings)
            except SettingsError as error:
                if str(error) != self._runner.settings_problem:
                    log.warning("changed settings refused, those before stay in force: %s", error)
                self._runner.settings_problem = str(error)
                raise
            self._runner.settings_problem = ""
            if is_first or found.differs:
                self._take(found)
                log.info("%s", found)
            if is_first:
                self._stores.live.bump(RELOADED)
            return found

    def _take(self, found: Reloaded) -> None:
        stores = replace(self._stores, settings=found.settings)
        context = Context(found.settings, stores, self._runner.views, lambda: self._runner.settings_problem)
        sources = sources_of(found.settings)
        # Made first: a module that cannot be loaded leaves everything as it was.
        new = [made(sources[id], context) for id in (*found.changed, *found.added)]
        for id in (*found.removed, *found.changed):
            self._runner.remove(str(id))
        for collector, source in new:
            self._runner.add(collector, source)
        self._stores = stores
        for tell in self._then:
            tell(stores)
        for kind in sorted({id.kind for id in (*found.added, *found.changed, *found.removed)}):
            stores.live.bump(kind)

    def run(self, asked: threading.Event, stopping: threading.Event) -> None:
        """Reload whenever `asked` is set or another process has reloaded, until told to stop.

        One that stands by follows too: it may be the next that collects.
        """
        follow(asked, lambda: self._stores.live.known_version(RELOADED), self.reload, stopping)
