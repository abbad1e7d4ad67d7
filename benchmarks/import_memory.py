"""A NAV file of 490,000 rows (14 MB) taken twice by a process that has its stores open: memory above idle, and time.

python -m benchmarks.import_memory
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import Figure, show
from core.settings.model import Settings
from portfolio.imports.take import import_file
from storage.stores import open_stores

FUNDS, DAYS = 50, 9_800
FIRST_DAY = date(1990, 1, 1)
MOST_MIB = 150.0
LOOKED_AT_EVERY_SECONDS = 0.005


def main() -> None:
    """Run it and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "funds.csv")
        stores = open_stores(Settings(data_dir=Path(folder) / "data"))
        try:
            idle = psutil.Process().memory_info().rss
            for name in ("first", "second"):
                began = time.monotonic()
                with highest() as seen:
                    import_file(stores, path, accept=True)
                seconds = time.monotonic() - began
                show(
                    Figure(f"{name} import, memory above idle", (seen[0] - idle) / 2**20, "MiB", MOST_MIB),
                    Figure(f"{name} import, time", seconds, "s"),
                )
        finally:
            stores.close()


def write(path: Path) -> Path:
    """Write seeded random walks, a row a fund and day."""
    moves = np.random.default_rng(1).normal(0, 0.01, (FUNDS, DAYS))
    navs = 1e6 * np.exp(np.cumsum(moves, axis=1))
    days = [(FIRST_DAY + timedelta(number)).isoformat() for number in range(DAYS)]
    with path.open("w") as file:
        file.write("date,portfolio,nav,flow\n")
        for number, of in enumerate(navs.tolist()):
            file.writelines(f"{day},fund{number:02d},{nav:.2f},0\n" for day, nav in zip(days, of, strict=True))
    return path


@contextlib.contextmanager
def highest() -> Iterator[list[int]]:
    """Give a list whose one number becomes the highest resident memory (bytes) seen meanwhile."""
    process, seen, ends = psutil.Process(), [0], threading.Event()

    def look() -> None:
        while not ends.wait(LOOKED_AT_EVERY_SECONDS):
            seen[0] = max(seen[0], process.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield seen
    finally:
        ends.set()
        watching.join()


if __name__ == "__main__":
    main()
