"""A small shared memory of built views: each is built once however many viewers ask at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

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
        exception is not kept: the next caller tries again.
        """
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
        if mine:
            self._fill(key, future, make)
        return future.result()

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
