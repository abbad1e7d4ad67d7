"""Where Fundwatch is put together.

`python app.py` runs everything in one place (web, collectors, in-process ClickHouse, bundled Valkey).
`gunicorn "app:create_server()"` runs the web alone against the stores that the settings name; with the
in-process ClickHouse it collects as well, since only one process can own that.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import FundwatchError
from core.log import configure
from core.memory import give_back, keep_what_is, share_heaps
from core.settings.load import load_settings
from core.settings.model import Settings

if TYPE_CHECKING:
    from flask import Flask

    from storage.stores import Stores

log = logging.getLogger(__name__)

STOP_SECONDS = 2.0
"""How long running collectors may take to finish when the embedded program stops."""

TURN_SECONDS = 0.001
"""How long a thread may hold the interpreter while another waits for it: an answer takes ten such turns, which Python's
own 5 ms make 50 ms while the alert engine works."""

_running: list[object] = []


def create_server() -> Flask:
    """Open the stores, start what runs in this process and return the WSGI application."""
    from gunicorn.errors import AppImportError

    reload = _hangup()
    try:
        return _create_server(load_settings(), reload)
    except FundwatchError as error:
        shut_down()
        raise AppImportError(f"fundwatch: {error}") from error
    except OSError as error:
        shut_down()
        raise AppImportError(f"fundwatch: {_told(error)}") from error


def _create_server(settings: Settings, reload: threading.Event) -> Flask:
    console = Console()
    configure(settings.log_level)
    share_heaps()
    sys.setswitchinterval(TURN_SECONDS)
    console.step("libraries")
    import api
    from access.first_start import first_link
    from dashboard.frame.newest import follow, renewable_app
    from portfolio.tree.configured import when_storage_answers
    from storage.stores import open_stores

    stores = open_stores(settings, step=console.step, may_wait=True)
    _running.append(stores)
    link = first_link(stores.state, settings, stores.clock.now())
    when_storage_answers(stores, partial(_fill, stores, console))
    console.step("pages")
    server, renew = renewable_app(stores, mounts=[api.install])
    if settings.is_embedded:
        from alerting.start import prepare_alerting, start_alerting
        from collectors.runtime.start import start_collectors

        console.step("collectors")
        alerting = prepare_alerting(stores)
        taken = (renew, alerting.take) if alerting else (renew,)
        give_back()  # before threads load libraries: what is mapped must not move meanwhile
        _running.append(start_collectors(stores, reload, *taken))
        if alerting:
            console.step("alerts")
            _running.append(start_alerting(stores, alerting))
    else:
        follow(stores, renew, reload)
    keep_what_is()
    console.line(f"Fundwatch is at {settings.address}")
    if link:
        console.line(f"Choose the password of the account admin, once, within a day: {settings.address}{link}")
    return server


def _fill(stores: Stores, console: Console) -> None:
    """Put the tree in order and load the sample."""
    from portfolio.tree.configured import prepare_tree

    prepare_tree(stores)
    if stores.settings.load_sample:
        from sample.load import load_sample_if_empty

        console.step("sample fund")
        load_sample_if_empty(stores, console.progress)


def _hangup() -> threading.Event:
    """Return what SIGHUP sets: changed sources are to be taken. gunicorn.conf.py hands it on to the workers."""
    asked = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, lambda *_: asked.set())
    return asked


def shut_down() -> None:
    """Stop what `create_server` started, last first: collectors, then stores."""
    while _running:
        running = _running.pop()
        stop = getattr(running, "stop", None)
        stop(STOP_SECONDS) if stop else running.close()  # type: ignore[attr-defined]


def main() -> int:
    """Run the embedded program until a signal ends it. Return the exit code: 2 when it cannot start."""
    from core.preflight import check_port
    from storage.folder import check_free

    try:
        settings = load_settings()
        check_port(settings.host, settings.port)
        check_free(settings.data_dir)
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2
    from dashboard.frame.serve import serve

    return serve(settings, create_server, shut_down)


def _told(error: OSError) -> str:
    """Return what failed, with the file where it is about one."""
    why = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {why}; look at what is there" if error.filename else why


if __name__ == "__main__":
    sys.exit(main())
