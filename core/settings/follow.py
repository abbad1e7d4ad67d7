"""Following changed settings: taken when this process is asked to, and when another one has taken them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.errors import SettingsError

LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


def follow(
    asked: threading.Event,
    version: Callable[[], str | None],
    take: Callable[[bool], object],
    stopping: threading.Event,
) -> None:
    """Call `take(was_asked)` whenever `asked` is set or the version has moved, until told to stop.

    version: returns that of the data set RELOADED (core/requests.py), None while it is not known. take: may raise
    SettingsError, and has told of it then.
    """
    seen = version()
    while not stopping.is_set():
        was_asked = asked.wait(LOOK_SECONDS)
        if was_asked:  # else one that is set just now would be lost
            asked.clear()
        found = version()
        has_moved = found is not None and found != seen
        if has_moved:
            seen = found
        if not (was_asked or has_moved):
            continue
        try:
            take(was_asked)
        except SettingsError:
            continue
        except Exception:
            log.exception("changed settings could not be taken")
