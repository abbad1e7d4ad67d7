"""All figures of one and of many portfolios, against the released packages: one run, one machine, turn by turn.

Each side works in a process of its own with one thread, on the same ten years of daily returns (see portfolios.py), and
no two work at once. The first round warms up and does not count; figures are medians of the others.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import portfolios
from benchmarks.quiet import wait_until_quiet
from benchmarks.report import Figure, show
from benchmarks.worker import ROOT, Worker

PEERS = ROOT / ".venv-bench" / "bin" / "python"
YEARS, LONG_YEARS = 10, 30
MANY, MOST = 200, 1_000
SIZES = (250, 500, 1_000)
ROUNDS_ONE, ROUNDS_MANY, ROUNDS_SIZES = 15, 7, 9
TOLERANCE = 1e-9
"""Of the 13 figures beside pyfolio's, relative."""


@dataclass(frozen=True)
class Peer:
    """A released package: its jobs' name, what they do, and what share of the 200 portfolios its loop does."""

    job: str
    title: str
    share: float = 1.0
    at_least: float | None = None
    """How many times faster we are to be on 200 portfolios."""


PACKAGES = (
    Peer("quantstats", "QuantStats", 4 / MANY, 1_000),
    Peer("quantstats_benchmark", "QuantStats with benchmark", 4 / MANY, 1_000),
    Peer("ffn", "ffn"),
    Peer("pyfolio", "pyfolio, 13 figures"),
    Peer("empyrical", "empyrical, 18 figures"),
)


def main() -> None:
    """Measure beside the packages, then our own growth and memory."""
    wait_until_quiet()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portfolios.write(folder, MANY, YEARS * portfolios.DAYS_A_YEAR)
        with Worker(sys.executable, "benchmarks.ours", folder) as ours:
            if PEERS.exists():
                with Worker(PEERS, "benchmarks.peers", folder) as peers:
                    beside(folder, ours, peers)
            else:
                print("  the packages are not installed (make .venv-bench/.installed): ours alone")
                alone(ours)
        portfolios.write(folder, MOST, YEARS * portfolios.DAYS_A_YEAR)
        growth(folder)
        portfolios.write(folder, MOST, LONG_YEARS * portfolios.DAYS_A_YEAR)
        memory(folder)


def beside(folder: Path, ours: Worker, peers: Worker) -> None:
    """Print our times and each package's, for one portfolio and for 200."""
    for name, version in peers.versions.items():
        if ours.versions.get(name, version) != version:
            print(f"  {name} differs: {ours.versions[name]} here, {version} there")
    print("  " + ", ".join(f"{name} {version}" for name, version in peers.versions.items()), flush=True)
    sizes = {peer.job: peers.ask(f"{peer.job}_one").figures for peer in PACKAGES}
    count = ours.ask("one").figures
    one = in_turns([(ours, "one"), (ours, "one_alone"), *((peers, f"{peer.job}_one") for peer in PACKAGES)], ROUNDS_ONE)
    show(Figure(f"1 portfolio, {YEARS} years, benchmark: our {count} figures", one["one"], "ms", 3))
    show(Figure("1 portfolio, no benchmark", one["one_alone"], "ms"))
    for peer in PACKAGES:
        taken = one[f"{peer.job}_one"]
        show(Figure(f"1 portfolio: {peer.title} ({sizes[peer.job]} rows)", taken, "ms"))
    mine = [(ours, job) for job in (f"first_{MANY}", "thirteen", "rolling")]
    theirs = [(peers, job) for job in (*(f"{peer.job}_many" for peer in PACKAGES), "pandas_rolling")]
    many = in_turns(mine + theirs, ROUNDS_MANY)
    show(Figure(f"{MANY} portfolios, benchmark: our {count} figures", many[f"first_{MANY}"], "ms", 60))
    for peer in PACKAGES:
        taken = many[f"{peer.job}_many"] / peer.share
        scaled = "" if peer.share == 1 else f", {MANY * peer.share:.0f} measured"
        show(Figure(f"{MANY} portfolios: {peer.title}{scaled}", taken, "ms"))
        times = taken / many[f"first_{MANY}"]
        show(Figure(f"{MANY} portfolios: times faster than {peer.title}", times, "×", peer.at_least, at_most=False))
    thirteen(folder, many["thirteen"], many["pyfolio_many"])
    show(Figure(f"{MANY} portfolios: rolling 63-day Sharpe, volatility, beta", many["rolling"], "ms", 25))
    show(Figure(f"{MANY} portfolios: the same with pandas alone", many["pandas_rolling"], "ms"))


def thirteen(folder: Path, taken: float, pyfolio: float) -> None:
    """Print how our time for pyfolio's own figures compares, once they are the same figures."""
    mine, theirs = np.load(folder / "ours-thirteen.npy"), np.load(folder / "peers-pyfolio_many.npy")
    apart = float((np.abs(mine - theirs) / np.maximum(np.abs(theirs), 1e-6)).max())
    show(
        Figure(f"{MANY} portfolios: our time for pyfolio's 13 figures", taken, "ms"),
        Figure(f"{MANY} portfolios: times faster than pyfolio, same 13", pyfolio / taken, "×", 15, at_most=False),
        Figure("largest relative difference from pyfolio's 13 figures", apart, "", TOLERANCE),
    )


def alone(ours: Worker) -> None:
    """Print our times where the packages are not installed."""
    one = in_turns([(ours, "one")], ROUNDS_ONE)
    many = in_turns([(ours, f"first_{MANY}"), (ours, "rolling")], ROUNDS_MANY)
    show(
        Figure(f"1 portfolio, {YEARS} years, benchmark", one["one"], "ms", 3),
        Figure(f"{MANY} portfolios, benchmark", many[f"first_{MANY}"], "ms", 60),
        Figure(f"{MANY} portfolios: rolling 63-day Sharpe, volatility, beta", many["rolling"], "ms", 25),
    )


def growth(folder: Path) -> None:
    """Print our times for ever more portfolios."""
    with Worker(sys.executable, "benchmarks.ours", folder) as ours:
        taken = in_turns([(ours, f"first_{size}") for size in SIZES], ROUNDS_SIZES)
    for size in SIZES:
        show(Figure(f"{size:,} portfolios, benchmark", taken[f"first_{size}"], "ms", 400 if size == MOST else None))
    share = taken[f"first_{MOST}"] / taken[f"first_{SIZES[0]}"] / (MOST / SIZES[0])
    show(Figure(f"time a portfolio at {MOST:,} against {SIZES[0]}: 1 is linear", share, "×", 1.15))


def memory(folder: Path) -> None:
    """Print what the largest table takes at most, in a process that did nothing else."""
    with Worker(sys.executable, "benchmarks.ours", folder) as ours:
        answer = ours.ask(f"first_{MOST}")
    mib = 2.0**20
    size = (folder / "returns.npy").stat().st_size
    show(
        Figure(f"{MOST:,} portfolios, {LONG_YEARS} years: once, from cold", answer.seconds * 1000, "ms"),
        Figure("peak resident memory of that process", answer.peak_bytes / mib, "MiB"),
        Figure("of it before the call: interpreter, packages, returns", answer.resident_bytes / mib, "MiB"),
        Figure("of that the returns themselves", size / mib, "MiB"),
    )


def in_turns(jobs: Sequence[tuple[Worker, str]], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each job, by name."""
    taken: dict[str, list[float]] = {job: [] for _, job in jobs}
    for number in range(rounds + 1):
        for worker, job in jobs:
            taken[job].append(worker.ask(job, number).seconds)
    return {name: statistics.median(seconds[1:]) * 1000 for name, seconds in taken.items()}


if __name__ == "__main__":
    main()
