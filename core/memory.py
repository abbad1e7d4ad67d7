"""Memory that this process holds and does not use, given back to the system, where that has a way to take it.

Starting ClickHouse's engine touches 200 MiB of its code, running it half of that. Such pages are as the file has them:
the system reads them again, mostly from its cache, where one is needed after all. And glibc gives threads heaps of
their own, up to eight a processor, each with its own unused rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

SMAPS = Path("/proc/self/smaps")
HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)")
DONTNEED = 4
"""MADV_DONTNEED of <asm-generic/mman-common.h>."""
ARENA_MAX = -8
"""M_ARENA_MAX of glibc's <malloc.h>."""
HEAPS = 2
LOOK_AFTER = (5_000, 10, 100)
"""Python's collector looks at what is newest after so many more objects, at the next older part after so many such
looks, at all after so many of those: a full look for some five million objects that stay."""


def share_heaps() -> None:
    """Let all threads share a few heaps. It counts for those that have none yet: call it before threads start."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(ARENA_MAX, HEAPS)


def leave_pandas() -> None:
    """Let Arrow find no pandas, which it loads (32 MiB) to see that what it is handed is none. Call it before it is."""
    import pyarrow

    sys.meta_path.insert(0, _NO_PANDAS)
    try:
        pyarrow.array([None])  # it looks once, and keeps what it found
    finally:
        sys.meta_path.remove(_NO_PANDAS)


class _NoPandas:
    """Finds no pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raise ModuleNotFoundError for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not looked for", name=name)


_NO_PANDAS = _NoPandas()


def keep_what_is() -> None:
    """Let Python's collector look through no object that there is now: what a start made stays as long as the process.

    Looking through it all takes as long as reading a batch of ten thousand rows, and comes with every second of them.
    What is made later is looked through seldom: with ten thousand alerts each look stops every thread for 50 ms, and
    they came each second, as Python compares what is new with what is not kept out of the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*LOOK_AFTER)


def give_back() -> None:
    """Take the unchanged pages of all program files, and what is free at the ends of heaps, out of this process."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    advise = libc.madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    with contextlib.suppress(OSError), SMAPS.open(encoding="utf-8", errors="replace") as lines:
        for start, end in list(unchanged(lines)):
            advise(start, end - start, DONTNEED)


def unchanged(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield first address and end of each mapping of a file, as `smaps` tells them, that cannot be written and has no
    page of its own: what the loader wrote into a page would be lost with it."""
    place: tuple[int, int] | None = None
    for line in lines:
        if head := HEAD.match(line):
            start, end, rights, path = head.groups()
            place = (int(start, 16), int(end, 16)) if path.startswith("/") and "w" not in rights else None
        elif place and line.startswith("Anonymous:") and line.split()[1] == "0":
            yield place
