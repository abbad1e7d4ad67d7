"""Figures of holdings and trades: 1,000 positions over ten years, turn by turn, from cold.

Each run gets arrays of its own, so that nothing of the run before is in the processor's caches. Beside the clock stands
the processor's time of the whole process, which other work on the machine touches least; of one thread, as in a web
worker beside others, it is what the clock would say on a quiet machine.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator

# Before numpy is loaded: the threads of its algebra are counted together otherwise.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np

from analytics import (
    attribution,
    book,
    concentration,
    contribution,
    execution,
    exposure,
    holdings_risk,
    linking,
    modified_risk,
    orders,
    past_risk,
    round_trips,
)
from analytics.block import Floats
from analytics.performance import track
from analytics.transactions import Transaction
from benchmarks.quiet import show_quiet
from benchmarks.report import Figure
from portfolio import attribution as of_book
from portfolio.book_history import BookHistory, Place
from portfolio.history import Nav
from portfolio.series.exchange import Exchange
from storage.state.portfolios import Portfolio
from storage.state.series import Series

POSITIONS, DAYS, RISK_DAYS = 1_000, 2_520, 2_500
PAST_DAYS = 250
SECTORS, STRATEGIES = 11, 6
FILLS, TRANSACTIONS = 1_000_000, 100_000
ROUNDS = 7
SAME = 1e-9
Job = Callable[[], object]


def main() -> None:
    """Measure; say which targets are missed."""
    show_quiet(measured)


def measured() -> Iterator[Figure]:
    """Yield every figure as soon as it is known."""
    draw = np.random.default_rng(7)
    values = draw.normal(0.0, 1e6, (DAYS, POSITIONS)) * (draw.random((DAYS, POSITIONS)) < 0.7)
    nav = np.full(DAYS, 5e8)
    sectors = [f"sector {at % SECTORS}" for at in range(POSITIONS)]
    strategies = [f"strategy {at % STRATEGIES}" for at in range(POSITIONS)]
    size = f"{POSITIONS:,} positions, 10 years"
    yield from timed(f"{size}: exposure and concentration", lambda: exposures(values.copy(), nav, sectors), 300)
    returns = draw.normal(0.0003, 0.02, (DAYS, POSITIONS))
    weights, passive = values / 5e8, draw.dirichlet(np.ones(POSITIONS), DAYS)
    yield from timed(
        f"{size}: attribution by sector and strategy",
        lambda: attributed(weights.copy(), passive, returns.copy(), (sectors, strategies)),
        400,
    )
    yield from timed(
        f"{size}: contribution by position and month",
        lambda: contribution.contributions(values * returns, nav, [str(at) for at in range(POSITIONS)], months()),
    )
    yield from timed(f"{size}: contribution as Attribution has it", worked_out(draw))
    yield from risk(draw)
    yield from trades(draw)


def exposures(values: Floats, nav: Floats, sectors: list[str]) -> None:
    """Work out gross, net, long, short and leverage, whole and by sector, to the market, and concentration."""
    whole = exposure.exposure(values, nav)
    parts = exposure.exposure_by_group(values, nav, sectors).exposure
    exposure.beta_adjusted(values, nav, np.ones(POSITIONS))
    concentration.concentration(values)
    assert np.allclose(parts.gross.sum(axis=1), whole.gross, rtol=SAME)


def attributed(weights: Floats, passive: Floats, returns: Floats, labels: tuple[list[str], list[str]]) -> None:
    """Work out linked Brinson effects by both labels; they add up to the active return."""
    for groups in labels:
        own = contribution.segments(weights, returns, groups)
        other = contribution.segments(passive, returns, groups)
        effects = attribution.brinson(own.weights, other.weights, own.returns, other.returns)
        whole, benchmark = (weights * returns).sum(axis=1), (passive * returns).sum(axis=1)
        # The book is not fully invested: what BF sets against the benchmark's mean is cash then.
        cash = -(own.weights.sum(axis=1) - 1.0) * benchmark
        linked = linking.linked(np.column_stack([effects.total, -cash]), whole, benchmark, "menchero")
        assert abs(linked.sum() - (np.prod(1 + whole) - np.prod(1 + benchmark))) < SAME


def worked_out(draw: np.random.Generator) -> Job:
    """Return what works out a book's contribution by position, sector, strategy, currency and month; it adds up."""
    days = np.datetime64("2015-01-01") + np.arange(DAYS)
    values = np.abs(draw.normal(1e5, 3e4, (DAYS, POSITIONS)))
    pnl, costs = draw.normal(20.0, 1e3, (DAYS, POSITIONS)), np.full((DAYS, POSITIONS), 1.0)
    nav = 1e8 + np.cumsum(pnl.sum(axis=1))
    places = tuple(
        Place(
            f"strategy {at % STRATEGIES}", f"S{at}", Series("own", f"S{at}", f"S{at}", sector=f"sector {at % SECTORS}"),
            "USD",
        )
        for at in range(POSITIONS)
    )  # fmt: skip
    fund = Portfolio("own", "fund", "Fund", currency="USD")
    nothing = np.zeros_like(pnl)
    book = BookHistory(
        fund, days, places, nothing, nothing, values, pnl, costs, nothing, nav, np.zeros(DAYS),
        nav - values.sum(axis=1), {}, days.astype("datetime64[s]").astype(np.int64),
    )  # fmt: skip
    whole = Nav(days, nav, np.zeros(DAYS), 0)
    course = track(days, nav)

    def work() -> None:
        found = of_book.attributed(fund, course, whole, book, Exchange)
        assert found is not None
        for cut in ("position", "sector", "portfolio"):
            parts = found.parts(cut)
            assert abs(sum(part.added for part in parts) / found.total_return - 1.0) < SAME
        found.by_period("sector", "month")
        found.course("sector")
        found.currencies()

    return work


def risk(draw: np.random.Generator) -> Iterator[Figure]:
    """Yield the times of risk from holdings."""
    days = draw.normal(0.0, 0.015, (RISK_DAYS, POSITIONS)) + draw.normal(0.0, 0.008, (RISK_DAYS, 1))
    held = draw.normal(0.0, 1e6, POSITIONS)
    size = f"{POSITIONS:,} instruments, {RISK_DAYS:,} days"
    yield from timed(
        f"{size}: component VaR, Ledoit-Wolf", lambda: holdings_risk.parametric_risk(held, days.copy(), 0.99), 500
    )
    yield from timed(
        f"{size}: component VaR, historical", lambda: holdings_risk.historical_risk(held, days.copy(), 0.99), 500
    )
    yield from timed(
        f"{size}: component VaR, Cornish-Fisher", lambda: modified_risk.modified_risk(held, days.copy(), 0.99), None
    )
    books, places = held * draw.random((PAST_DAYS, POSITIONS)), np.arange(RISK_DAYS - PAST_DAYS, RISK_DAYS)
    yield from timed(
        f"{POSITIONS:,} instruments: VaR of each of {PAST_DAYS} past days from the {PAST_DAYS} before it",
        lambda: past_risk.past_var(books.copy(), days[-2 * PAST_DAYS :], places - RISK_DAYS + 2 * PAST_DAYS, 0.99),
        None,
    )
    found = holdings_risk.historical_risk(held, days, 0.99)
    apart = abs(found.component_var.sum() / found.value_at_risk - 1.0)
    yield Figure("  components against the whole, relative difference", apart, "", SAME)


def trades(draw: np.random.Generator) -> Iterator[Figure]:
    """Yield the times of execution, of the book and of round trips."""
    side = np.where(draw.random(FILLS) < 0.5, 1.0, -1.0)
    arrival = draw.lognormal(4.0, 0.2, FILLS)
    paid, quantity = arrival * (1 + draw.normal(0.0, 0.001, FILLS)), draw.lognormal(4.0, 1.0, FILLS)
    stamps = np.cumsum(draw.exponential(0.01, (FILLS, 5)), axis=1)

    def filled() -> None:
        execution.mean_slippage(side, paid, arrival, quantity)
        execution.implementation_shortfall(quantity, quantity * 0.9, arrival, arrival, paid, paid, 1.0, side)
        orders.latencies(stamps.copy())

    yield from timed(f"{FILLS:,} fills: slippage, shortfall, latencies", filled)
    rows = [
        Transaction(
            float(at), "buy" if side[at] > 0 else "sell", f"S{at % POSITIONS}", float(quantity[at]), float(paid[at])
        )
        for at in range(TRANSACTIONS)
    ]
    yield from timed(
        f"{TRANSACTIONS:,} transactions: book and round trips",
        lambda: round_trips.figures(round_trips.round_trips(book.build(rows).closed)),
    )


def months() -> list[str]:
    """Return a month a day."""
    return [f"{2015 + at // 252}-{at % 252 // 21 + 1:02d}" for at in range(DAYS)]


def timed(name: str, job: Job, target: float | None = None) -> Iterator[Figure]:
    """Yield the median by the clock and by the processor, and the first run."""
    clocks, processor = [], []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        job()
        clocks.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - used) * 1000)
    yield Figure(name, statistics.median(clocks), "ms", target)
    yield Figure("  first run", clocks[0], "ms")
    yield Figure("  the processor's time", statistics.median(processor), "ms", target)


if __name__ == "__main__":
    main()
