"""Small shared memories: of built views, each built once however many ask at once, and of what was looked up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from core.errors import OutOfPatience
from core.patience import seconds_left

if TYPE_CHECKING:
    from core.clock import Clock

KNOWN_SECONDS = 2.0
"""How long what was looked up is believed: after it a change that another process made is noticed."""
MOST_KNOWN = 10_000
Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Keeps the `size` values used last. Safe to share between threads."""

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Future[Value]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of `key`, made by `make` when it is not kept.

        Callers that arrive while it is being made wait for that one result, or for its exception. An
        exception is not kept: the next caller tries again, and so does one who has more patience than
        whoever made it. Raises OutOfPatience where the result is waited for in vain.
        """
        while True:
            future, mine = self._future(key)
            if mine:
                self._fill(key, future, make)
                return future.result()
            try:
                return future.result(seconds_left())
            except TimeoutError:
                if future.done():
                    raise
                raise OutOfPatience("what is needed is being read, and that takes too long") from None
            except OutOfPatience:
                if seconds_left() is not None:
                    raise

    def _future(self, key: Hashable) -> tuple[Future[Value], bool]:
        """Return the future of a key, and whether it is the caller's to fill."""
        with self._lock:
            future = self._kept.get(key)
            if future is None:
                future = self._kept[key] = Future()
                mine = True
            else:
                mine = False
                self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return future, mine

    def kept(self, key: Hashable) -> Value | None:
        """Return the value of `key` if it is there; nothing is made or waited for."""
        with self._lock:
            future = self._kept.get(key)
        return future.result() if future is not None and future.done() and future.exception() is None else None

    def _fill(self, key: Hashable, future: Future[Value], make: Callable[[], Value]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 - handed to every waiting caller
            with self._lock:
                self._kept.pop(key, None)
            future.set_exception(error)


class Believed(Generic[Value]):
    """Believes what was looked up for some seconds from when the look-up began. Safe to share between threads.

    That there is nothing is not believed: it is looked up each time.
    """

    def __init__(self, clock: Clock, seconds: float = KNOWN_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Value, float]] = {}
        """By key, and until when it is believed, in monotonic seconds."""

    def get(self, key: str, look_up: Callable[[], Value | None]) -> Value | None:
        """Return what is believed of `key`, else what `look_up` returns. An exception of it changes nothing."""
        now, kept = self._clock.monotonic(), self.kept(key)
        if kept is not None:
            return kept
        found = look_up()
        with self._lock:
            if found is None:
                self._known.pop(key, None)
                return None
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = found, now + self._seconds
        return found

    def kept(self, key: str) -> Value | None:
        """Return what is believed of `key`; None: nothing. Nothing is looked up."""
        known = self._known.get(key)
        return known[0] if known is not None and self._clock.monotonic() < known[1] else None

    def forget(self, key: str) -> None:
        """Look it up when it is asked for next."""
        with self._lock:
            self._known.pop(key, None)
