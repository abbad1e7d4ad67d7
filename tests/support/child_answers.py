"""A child of collectors/runtime/child.py whose questions make it misbehave."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass

from collectors.runtime.served import serve
from core.errors import SourceRejected


@dataclass(frozen=True, slots=True)
class Echo:
    """What was said, and who says it again."""

    text: str
    places: frozenset[tuple[str, int]]
    by_number: dict[int, str]
    pid: int


def echo(text: str) -> Echo:
    print("a library talks on stdout")
    return Echo(text, frozenset({("orders", 1)}), {7: text}, os.getpid())


def signal_itself(number: int) -> None:
    os.kill(os.getpid(), number)


def leave_once(file: str) -> Echo:
    """End instead of an answer, as one that had grown; answer when asked again."""
    if not os.path.exists(file):  # noqa: PTH110 - a child imports next to nothing
        with open(file, "w"):  # noqa: PTH123
            os._exit(0)
    return echo("again")


def leave() -> None:
    os._exit(0)


def hang() -> None:
    time.sleep(60)


def refuse() -> None:
    raise SourceRejected("wrong password")


def stumble() -> None:
    raise KeyError("no such thing")


def modules() -> list[str]:
    return sorted(sys.modules)


def grow(mebibytes: int) -> Echo:
    kept.append(b"x" * (mebibytes * 2**20))
    return echo(str(len(kept)))


def open_nothing() -> None:
    return None


kept: list[bytes] = []
if __name__ == "__main__":
    asked = (echo, signal_itself, leave_once, leave, hang, refuse, stumble, modules, grow)
    serve({each.__name__: each for each in asked} | {"open": open_nothing})
