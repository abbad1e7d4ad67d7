"""Whether ClickHouse answers, for whoever asks from outside and must not hang with it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from core.errors import StorageError
from core.format import duration

WITHIN_SECONDS = 3.0
"""How long an answer may take."""
FRESH_SECONDS = 1.0
"""An answer is good for so long, however many ask."""

log = logging.getLogger(__name__)


class _Ask:
    """One ping."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.done = threading.Event()
        self.problem = ""


class Pulse:
    """Pings from a thread of its own, one ping at a time. Safe to ask from any thread."""

    def __init__(self, ping: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Return the pulse of what `ping` asks; it raises when there is no answer."""
        self._ping = ping
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asks: queue.SimpleQueue[_Ask] = queue.SimpleQueue()
        self._newest: _Ask | None = None

    def problem(self) -> str:
        """Return that ClickHouse is of no use now, in words; empty when it answers. Waits WITHIN_SECONDS at most.

        Anybody may read it: what the error says stands in the log, once an outage.
        """
        ask = self._asked()
        ask.done.wait(max(0.0, ask.began + WITHIN_SECONDS - self._monotonic()))
        if ask.done.is_set():
            return ask.problem
        return f"ClickHouse has not answered for {duration(self._monotonic() - ask.began)}"

    def _asked(self) -> _Ask:
        """Return the ping under way, or a fresh one."""
        now = self._monotonic()
        with self._lock:
            newest = self._newest
            if newest is not None and (not newest.done.is_set() or now - newest.began < FRESH_SECONDS):
                return newest
            if newest is None:
                threading.Thread(target=self._serve, name="pulse", daemon=True).start()
            self._newest = newest = _Ask(now)
            self._asks.put(newest)
            return newest

    def _serve(self) -> None:
        is_told = False
        while True:
            ask = self._asks.get()
            try:
                self._ping()
                is_told = False
            except Exception as error:  # whatever it is: without this thread nobody would learn that it is over
                ask.problem = "ClickHouse does not answer"
                if not is_told:
                    log.warning("%s: %s", ask.problem, error, exc_info=not isinstance(error, StorageError))
                is_told = True
            finally:
                ask.done.set()
