"""An application whose pages can be made anew while it serves: changed settings may want others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError
from core.requests import RELOADED
from core.settings.follow import follow as follow_settings
from core.settings.reload import reloaded
from core.web.tally import Tally
from dashboard.factory import create_app
from storage.live.requests import ToldRequests, keep_telling

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.factory import Mount
    from storage.stores import Stores

log = logging.getLogger(__name__)


def renewable_app(stores: Stores, mounts: Sequence[Mount] = ()) -> tuple[Flask, Callable[[Stores], None]]:
    """Return the WSGI application, and what makes its pages anew with the settings of the stores that it is given.

    mounts: what else it answers. The requests of this process are counted, and told to the process that collects.
    """
    tally = Tally()
    told = ToldRequests(stores.live, stores.settings.machine)
    counts = lambda: tally.told(stores.clock.now())  # noqa: E731
    keep_telling(told, counts, threading.Event())
    make = partial(create_app, mounts=mounts, tally=tally)
    server: Flask = make(stores).server
    newest: list[Any] = [server.wsgi_app]

    def renew(changed: Stores) -> None:
        newest[0] = make(changed).server.wsgi_app

    server.wsgi_app = lambda environ, start: newest[0](environ, start)  # type: ignore[assignment,method-assign]
    return server, renew


def follow(
    stores: Stores,
    renew: Callable[[Stores], None],
    asked: threading.Event,
    stopping: threading.Event | None = None,
) -> None:
    """Take changed sources into the pages of a process that does not collect, until told to stop if ever.

    They are taken when `asked` is set, and when the process that collects has taken them; wrong ones change nothing.
    """

    now = stores

    def take(_was_asked: bool) -> None:
        nonlocal now
        try:
            found = reloaded(now.settings)
        except SettingsError as error:
            log.warning("changed settings refused, those before stay in force: %s", error)
            raise
        if found.differs:
            now = replace(now, settings=found.settings)
            renew(now)

    def loop() -> None:
        follow_settings(asked, lambda: stores.live.known_version(RELOADED), take, stopping or threading.Event())

    threading.Thread(target=loop, name="settings", daemon=True).start()
