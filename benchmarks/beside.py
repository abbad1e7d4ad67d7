"""Figures of holdings and trades beside the released packages that do the same work: one run, turn by turn.

Each side works in a process of its own with one thread, on the same book (see books.py), and no two work at once. What
both found is compared. Times are the processor's, medians of turns; how many times faster is of these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import books
from benchmarks.analytics import PEERS, in_turns, say_versions
from benchmarks.quiet import show_quiet
from benchmarks.report import Figure
from benchmarks.worker import Worker

ROUNDS = 2
SAME = 1e-9
SAME_BY_DIFFERENCES = 1e-6
"""Where the other side works with differences of a ten-millionth: it is no more exact than that."""


@dataclass(frozen=True)
class Work:
    """What both sides do."""

    job: str
    title: str
    package: str
    same: float | None
    """How far apart they may be, of the largest figure; None: the figures are not the same ones."""


WORKS = (
    Work("deviation_parts", "component of deviation, 1,000 × 2,500", "riskfolio-lib", SAME_BY_DIFFERENCES),
    Work("shortfall_parts", "component of historical ES, 1,000 × 2,500", "riskfolio-lib", SAME_BY_DIFFERENCES),
    Work("exposures", "long, short, net, gross, 1,000 × 2,520", "pyfolio", SAME),
    Work("sectors", "net by sector, 1,000 × 2,520", "pyfolio", SAME),
    Work("concentrated", "concentration, 1,000 × 2,520", "pyfolio", None),
    Work("turnover", "turnover of 20,000 fills", "pyfolio", SAME),
    Work("trips", "round trips of 20,000 fills", "pyfolio", SAME),
    Work("index", "50 weights restored daily, 2,520 days", "bt", SAME),
    Work("brinson", "Brinson effects, 120 months, 11 sectors", "riskfolio-lib", SAME),
    Work("rolled", "rolling figures, 63 days, 10 series", "empyrical", SAME),
)


def main() -> None:
    """Measure; say which targets are missed."""
    show_quiet(measured)


def measured() -> Iterator[Figure]:
    """Yield every figure as soon as it is known."""
    if not PEERS.exists():
        print("  the packages are not there (make .venv-bench/.installed)", flush=True)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        books.write(folder)
        with (
            Worker(sys.executable, "benchmarks.book_ours", folder) as ours,
            Worker(PEERS, "benchmarks.book_peers", folder) as peers,
        ):
            say_versions(ours, peers)
            for work in WORKS:
                yield from beside(work, folder, ours, peers)


def beside(work: Work, folder: Path, ours: Worker, peers: Worker) -> Iterator[Figure]:
    """Yield the times of both sides, and how far apart their figures are."""
    mine = in_turns([(ours, work.job)], ROUNDS)[work.job].processor
    theirs = in_turns([(peers, work.job)], ROUNDS)[work.job].processor
    yield Figure(f"{work.title}: ours", mine, "ms")
    yield Figure(f"  {work.package}", theirs, "ms")
    yield Figure("  times faster", theirs / mine, "×")
    if work.same is not None:
        yield Figure("  largest difference, of the largest figure", apart(folder, work.job), "", work.same)


def apart(folder: Path, job: str) -> float:
    """Return how far both sides are apart at most, of the largest figure by row; infinite where shapes differ."""
    mine, theirs = np.load(folder / f"ours-{job}.npy"), np.load(folder / f"peers-{job}.npy")
    if mine.shape != theirs.shape or (np.isnan(mine) != np.isnan(theirs)).any():
        return float("inf")
    rows = np.abs(theirs).reshape(len(theirs), -1) if theirs.ndim > 1 else np.abs(theirs)[None]
    away = np.abs(mine - theirs).reshape(rows.shape)
    return float((np.nanmax(away, axis=1) / np.nanmax(rows, axis=1)).max())


if __name__ == "__main__":
    main()
