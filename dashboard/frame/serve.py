"""Gunicorn as a library: one worker that holds the whole embedded program."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from core.addresses import host_and_port
from core.settings.model import Settings

if TYPE_CHECKING:
    from flask import Flask

CONFIG = Path(__file__).parents[2] / "gunicorn.conf.py"
SETTLED_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 4.0
"""A worker that crashes sooner is started with a pause, and not so long that a signal to stop would have to wait."""
NO_START_CODES = (3, 4)
"""Gunicorn's exit codes when its worker could not boot; the worker has printed why."""


class Restarts:
    """The starts of a worker: each within SETTLED_SECONDS of the one before waits twice as long as that did."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep):
        self._monotonic = monotonic
        self._sleep = sleep
        self._last: float | None = None
        self._quick = 0

    def pause(self) -> None:
        """Wait as long as the next start has to: the first, and one after a long life, not at all."""
        now = self._monotonic()
        is_quick = self._last is not None and now - self._last < SETTLED_SECONDS
        self._quick = self._quick + 1 if is_quick else 0
        if self._quick > 1:
            self._sleep(min(2.0 ** (self._quick - 2), LONGEST_PAUSE_SECONDS))
        self._last = self._monotonic()


class EmbeddedServer(BaseApplication):
    """Serves what `create_server` returns with the settings of gunicorn.conf.py, in one worker.

    Both callables are called in the worker: `create_server` once, when it has started, `shut_down` when it ends.
    """

    def __init__(self, settings: Settings, create_server: Callable[[], Flask], shut_down: Callable[[], None]) -> None:
        self._settings = settings
        self._create_server = create_server
        self._shut_down = shut_down
        self._restarts = Restarts()
        super().__init__()

    def load_config(self) -> None:
        """Take gunicorn.conf.py and what differs in the embedded program."""
        from runpy import run_path

        chosen = {name: value for name, value in run_path(str(CONFIG)).items() if name in self.cfg.settings}
        chosen |= {
            "bind": [host_and_port(self._settings.host, self._settings.port)],
            "workers": 1,
            "threads": self._settings.web_threads,
            "reuse_port": False,
            "timeout": 300,
            "graceful_timeout": 2,
            "loglevel": "critical",
            "proc_name": "fundwatch",
            "pre_fork": lambda _server, _worker: self._restarts.pause(),
            "worker_exit": lambda _server, _worker: self._shut_down(),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application, in the worker."""
        return self._create_server()


def serve(settings: Settings, create_server: Callable[[], Flask], shut_down: Callable[[], None]) -> int:
    """Serve what `create_server` returns until a signal, then `shut_down` what it started.

    Return the exit code: 2 when the program could not start.
    """
    master = os.getpid()
    try:
        EmbeddedServer(settings, create_server, shut_down).run()
    except SystemExit as stop:
        if os.getpid() != master:
            raise  # the worker runs on this stack too, and its code tells the master whether to try again
        code = int(stop.code or 0)
        return 2 if code in NO_START_CODES else code
    return 0
