"""Pages of program files that only the start needed: taken out of this process, so that what it holds is what it uses.

Starting ClickHouse's engine touches 200 MiB of its code, running it half of that. Such pages are as the file has them:
the system reads them again, mostly from its cache, where one is needed after all.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

SMAPS = Path("/proc/self/smaps")
HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)")
DONTNEED = 4
"""MADV_DONTNEED of <asm-generic/mman-common.h>."""


def give_back() -> None:
    """Take the unchanged pages of all program files out of this process; nothing on systems other than Linux."""
    if sys.platform != "linux":
        return
    advise = ctypes.CDLL(None).madvise
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
