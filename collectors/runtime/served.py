"""The child's side of collectors/runtime/child.py: answers questions until nobody listens any more.

Imports next to nothing, so that a child is as small as the library that it is there for.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from core.errors import SourceRejected, SourceUnavailable

MOST_DATA_BYTES = 2**30
"""Hard limit of the memory that a child may ask for, of which each thread's stack counts 8 MiB."""
MOST_RESIDENT_BYTES = 256 * 2**20
"""A child that has grown beyond this ends after its answer: the next question starts a fresh one."""

Questions = Mapping[str, Callable[..., Any]]
"""Functions by question; called with its parameters by name, they return what orjson can write: data classes, lists."""


def serve(questions: Questions, may_leave: Callable[[], bool] = lambda: True) -> None:
    """Answer `questions`, one after the other, until the parent closes the socket or ends. Never returns.

    A function may raise SourceUnavailable or SourceRejected, which the parent raises in turn. may_leave: whether a
    fresh child may take the place of this one now.
    """
    _bound_memory()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(asked,), name="questions", daemon=True).start()
    while True:
        answers.write(_answer(questions, asked.get()) + b"\n")
        answers.flush()
        if _resident_bytes() > MOST_RESIDENT_BYTES and may_leave():
            os._exit(0)


def _read(asked: queue.SimpleQueue[bytes]) -> None:
    """Pass questions on; end the process with its parent, also in the middle of an answer."""
    for line in sys.stdin.buffer:
        asked.put(line)
    os._exit(0)


def _answer(questions: Questions, line: bytes) -> bytes:
    asked = orjson.loads(line)
    try:
        found = {"answer": questions[asked["question"]](**asked["parameters"])}
    except SourceRejected as error:
        found = {"rejected": str(error)}
    except SourceUnavailable as error:
        found = {"unavailable": str(error)}
    except Exception as error:  # noqa: BLE001 - told by the parent, whose log it belongs to
        found = {"failed": f"{type(error).__name__}: {error}"}
    return orjson.dumps(found, default=list, option=orjson.OPT_NON_STR_KEYS)  # sets travel as lists


def _bound_memory() -> None:
    if sys.platform != "linux":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = MOST_DATA_BYTES if hard == resource.RLIM_INFINITY else min(hard, MOST_DATA_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _resident_bytes() -> int:
    if sys.platform != "linux":
        return 0
    with open("/proc/self/statm", "rb") as pages:  # noqa: PTH123 - small and often
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
