"""All figures of one and of many portfolios, against the released packages: one run, one machine, turn by turn.

Each side works in a process of its own with one thread, on the same ten years of daily returns (see portfolios.py), and
no two work at once. In a turn a job is repeated for a quarter of a second, once at least. The first round warms up and
does not count; figures are medians of the other rounds' medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import portfolios
from benchmarks.quiet import show_quiet
from benchmarks.report import Figure
from benchmarks.worker import ROOT, Answer, Worker

PEERS = ROOT / ".venv-bench" / "bin" / "python"
YEARS, LONG_YEARS = 10, 30
MANY, MOST = 200, 1_000
SIZES = (250, 500, 1_000)
ROUNDS_ONE, ROUNDS_MANY, ROUNDS_SIZES = 9, 7, 7
SAME = 1e-9
"""Figures that both sides give differ no more than this, relative."""
LINEAR = 1.15
"""What a portfolio may take among 1,000, in multiples of its time among 250."""
TURN_SECONDS = 0.25
MIB = 2.0**20


@dataclass(frozen=True)
class Peer:
    """A released package: its jobs' name, what they do, and what share of the 200 portfolios its loop does."""

    job: str
    title: str
    share: float = 1.0
    at_least: float | None = None
    """How many times faster we are to be on 200 portfolios."""


@dataclass(frozen=True)
class Taken:
    """Milliseconds of a job, medians of its turns."""

    median: float
    """Of a turn's runs, their median."""
    first: float
    """A turn's first run: the caches are cold."""
    processor: float
    """The processor's time a run: what other work on the machine touches least."""


PACKAGES = (
    Peer("quantstats", "QuantStats", 4 / MANY, 1_000),
    Peer("quantstats_benchmark", "QuantStats with benchmark", 4 / MANY, 1_000),
    Peer("ffn", "ffn"),
    Peer("pyfolio", "pyfolio"),
    Peer("empyrical", "empyrical"),
)


def main() -> None:
    """Measure beside the packages, then our own growth and memory; say which targets are missed."""
    show_quiet(measured)


def measured() -> Iterator[Figure]:
    """Yield every figure as soon as it is known."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portfolios.write(folder, MANY, YEARS * portfolios.DAYS_A_YEAR)
        with Worker(sys.executable, "benchmarks.ours", folder) as ours:
            if PEERS.exists():
                with Worker(PEERS, "benchmarks.peers", folder) as peers:
                    say_versions(ours, peers)
                    yield from one_portfolio(ours, peers)
                    yield from many_portfolios(folder, ours, peers)
            else:
                print("  the packages are not there (make .venv-bench/.installed): ours alone", flush=True)
                yield from alone(ours)
        portfolios.write(folder, MOST, YEARS * portfolios.DAYS_A_YEAR)
        yield from growth(folder)
        portfolios.write(folder, MOST, LONG_YEARS * portfolios.DAYS_A_YEAR)
        yield from memory(folder)


def say_versions(ours: Worker, peers: Worker) -> None:
    """Print what is compared, and where both sides do not stand on the same."""
    print("  " + ", ".join(f"{name} {version}" for name, version in peers.versions.items()), flush=True)
    for name, version in ours.versions.items():
        if peers.versions[name] != version:
            print(f"  not the same: {name} {version} here, {peers.versions[name]} there", flush=True)


def one_portfolio(ours: Worker, peers: Worker) -> Iterator[Figure]:
    """Yield the times of one portfolio."""
    rows = {peer.job: peers.ask(f"{peer.job}_one").figures for peer in PACKAGES}
    count = ours.ask("one").figures
    theirs = [(peers, f"{peer.job}_one") for peer in PACKAGES]
    taken = in_turns([(ours, "one"), (ours, "one_alone"), *theirs], ROUNDS_ONE)
    yield Figure(f"1 portfolio, {YEARS} years, benchmark: our {count} figures", taken["one"].median, "ms", 3)
    yield from beneath(taken["one"])
    yield Figure("1 portfolio, no benchmark", taken["one_alone"].median, "ms")
    for peer in PACKAGES:
        yield Figure(f"1 portfolio: {peer.title}, {rows[peer.job]} figures", taken[f"{peer.job}_one"].median, "ms")


def many_portfolios(folder: Path, ours: Worker, peers: Worker) -> Iterator[Figure]:
    """Yield the times of 200 portfolios, and how many times faster than each package we are."""
    mine = [(ours, job) for job in (f"first_{MANY}", "thirteen", "rolling")]
    theirs = [(peers, job) for job in (*(f"{peer.job}_many" for peer in PACKAGES), "pandas_rolling")]
    taken = in_turns(mine + theirs, ROUNDS_MANY)
    own = taken[f"first_{MANY}"].median
    yield Figure(f"{MANY} portfolios, benchmark", own, "ms", 60)
    yield from beneath(taken[f"first_{MANY}"])
    for peer in PACKAGES:
        milliseconds = taken[f"{peer.job}_many"].median / peer.share
        scaled = "" if peer.share == 1 else f" (from {MANY * peer.share:.0f})"
        yield Figure(f"{MANY} portfolios: {peer.title}{scaled}", milliseconds / 1000, "s")
        yield Figure(f"  times faster than {peer.title}", milliseconds / own, "×", peer.at_least, at_most=False)
    yield Figure(f"{MANY} portfolios: our time for pyfolio's 13 figures", taken["thirteen"].median, "ms")
    times = taken["pyfolio_many"].median / taken["thirteen"].median
    yield Figure("  times faster than pyfolio on its 13 figures", times, "×", 15, at_most=False)
    yield Figure("  largest relative difference from pyfolio", apart(folder, "thirteen", "pyfolio_many"), "", SAME)
    yield Figure(f"{MANY} portfolios: rolling 63-day Sharpe, volatility, beta", taken["rolling"].median, "ms", 25)
    yield from beneath(taken["rolling"])
    yield Figure("  the same with pandas alone", taken["pandas_rolling"].median, "ms")
    yield Figure("  largest relative difference from pandas", apart(folder, "rolling", "pandas_rolling"), "", SAME)


def beneath(taken: Taken) -> Iterator[Figure]:
    """Yield how a time differs with cold caches, and without other work."""
    yield Figure("  first run of a turn, caches cold", taken.first, "ms")
    yield Figure("  the processor's time", taken.processor, "ms")


def apart(folder: Path, job: str, other: str) -> float:
    """Return the largest relative difference of what both sides found last; infinite where only one found anything."""
    mine, theirs = np.load(folder / f"ours-{job}.npy"), np.load(folder / f"peers-{other}.npy")
    if not (np.isnan(mine) == np.isnan(theirs)).all():
        return float("inf")
    return float(np.nanmax(np.abs(mine - theirs) / np.abs(theirs)))


def alone(ours: Worker) -> Iterator[Figure]:
    """Yield our times where the packages are not installed."""
    one = in_turns([(ours, "one")], ROUNDS_ONE)
    many = in_turns([(ours, f"first_{MANY}"), (ours, "rolling")], ROUNDS_MANY)
    yield Figure(f"1 portfolio, {YEARS} years, benchmark", one["one"].median, "ms", 3)
    yield Figure(f"{MANY} portfolios, benchmark", many[f"first_{MANY}"].median, "ms", 60)
    yield Figure(f"{MANY} portfolios: rolling 63-day Sharpe, volatility, beta", many["rolling"].median, "ms", 25)


def growth(folder: Path) -> Iterator[Figure]:
    """Yield our times for ever more portfolios."""
    with Worker(sys.executable, "benchmarks.ours", folder) as ours:
        taken = in_turns([(ours, f"first_{size}") for size in SIZES], ROUNDS_SIZES)
    for size in SIZES:
        yield Figure(
            f"{size:,} portfolios, benchmark", taken[f"first_{size}"].median, "ms", 400 if size == MOST else None
        )
        yield Figure("  the processor's time", taken[f"first_{size}"].processor, "ms")
    share = taken[f"first_{MOST}"].processor / taken[f"first_{SIZES[0]}"].processor / (MOST / SIZES[0])
    yield Figure(f"  time a portfolio at {MOST:,} against {SIZES[0]}", share, "×", LINEAR)


def memory(folder: Path) -> Iterator[Figure]:
    """Yield what the largest table takes at most, in a process that did nothing else."""
    with Worker(sys.executable, "benchmarks.ours", folder) as ours:
        answer = ours.ask(f"first_{MOST}")
    size = (folder / "returns.npy").stat().st_size
    yield Figure(f"{MOST:,} portfolios, {LONG_YEARS} years: once, from cold", answer.seconds[0] * 1000, "ms")
    yield Figure("  peak resident memory of that process", answer.peak_bytes / MIB, "MiB")
    yield Figure("  before the call: interpreter, packages, returns", answer.resident_bytes / MIB, "MiB")
    yield Figure("  the returns themselves", size / MIB, "MiB")


def in_turns(jobs: Sequence[tuple[Worker, str]], rounds: int) -> dict[str, Taken]:
    """Return what each job took, by name."""
    turns: dict[str, list[Answer]] = {job: [] for _, job in jobs}
    for number in range(rounds + 1):
        for worker, job in jobs:
            turns[job].append(worker.ask(job, number, TURN_SECONDS))
    return {job: _taken(found[1:]) for job, found in turns.items()}


def _taken(turns: Sequence[Answer]) -> Taken:
    return Taken(
        statistics.median(statistics.median(turn.seconds) for turn in turns) * 1000,
        statistics.median(turn.seconds[0] for turn in turns) * 1000,
        statistics.median(turn.processor_seconds / len(turn.seconds) for turn in turns) * 1000,
    )


if __name__ == "__main__":
    main()
