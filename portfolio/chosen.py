"""Which portfolio and which benchmark a query means, and the fund that a portfolio belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portfolio.query import NO_BENCHMARK
from portfolio.series.reference import catalogue
from portfolio.tree.names import ids_by_name
from storage.state.portfolios import OWN, Portfolio

if TYPE_CHECKING:
    from storage.stores import Stores

LONGEST_KEY = 80
"""Characters of a key that there is not which are told."""


def key_of(portfolio: Portfolio) -> str:
    """Return the key of a portfolio in a query."""
    return f"{portfolio.origin}:{portfolio.id}"


def find(known: Sequence[Portfolio], key: str) -> Portfolio | None:
    """Return the portfolio of this key, else the first that is no part of another; None when there is none at all."""
    tops = [each for each in known if not each.parent] or [*known]
    return next((each for each in known if key_of(each) == key), tops[0] if tops else None)


def key_now(stores: Stores, known: Sequence[Portfolio], key: str) -> str:
    """Return the key of the portfolio that an own one became part of when it was merged; any other key stays."""
    origin, _, id = key.partition(":")
    if origin != OWN or any(key_of(each) == key for each in known):
        return key
    return f"{OWN}:{ids_by_name(stores.state).get(id, id)}"


def chosen_portfolio(
    stores: Stores, known: Sequence[Portfolio], key: str
) -> tuple[Portfolio | None, tuple[str, ...]]:  # fmt: skip
    """Return the portfolio that a key means now, or what stands in for it, and what to tell who asked for another one.

    One that may not be seen reads as one that there is not.
    """
    now = key_now(stores, known, key)
    portfolio = find(known, now)
    if portfolio is None or key_of(portfolio) == now:
        return portfolio, ()
    # As it was asked for: what it is called now may be no business of who asks.
    return portfolio, not_known(key, portfolio)


def not_known(wanted: str, shown: Portfolio) -> tuple[str, ...]:
    """Return that there is no portfolio of a key, and which one is shown instead; nothing where it is that one."""
    if wanted in ("", key_of(shown)):
        return ()
    return (f"Portfolio: there is no “{wanted[:LONGEST_KEY]}”; {shown.name} is used.",)


def family(known: list[Portfolio], portfolio: Portfolio) -> list[Portfolio]:
    """Return the parts of a portfolio; of one that has none, those with the same parent, itself among them."""
    of_origin = [each for each in known if each.origin == portfolio.origin]
    parts = [each for each in of_origin if each.parent == portfolio.id]
    return parts or [each for each in of_origin if each.parent == portfolio.parent]


def is_head(portfolio: Portfolio, parts: list[Portfolio]) -> bool:
    """Return whether `parts` are those of a portfolio."""
    return (portfolio.origin, portfolio.id) == (parts[0].origin, parts[0].parent)


def benchmarks(stores: Stores, portfolio: Portfolio) -> dict[str, str]:
    """Return the name of every benchmark of the portfolio's origin by key, its own first.

    Raises StorageUnavailable or StorageRejected.
    """
    known = catalogue(stores, portfolio.origin)
    keys = sorted(known.benchmarks(), key=lambda key: (key != portfolio.benchmark, known.name(key)))
    return {key: known.name(key) for key in keys}


def default_benchmark(portfolio: Portfolio | None) -> str:
    """Return the benchmark that the portfolio was given."""
    return (portfolio.benchmark if portfolio else "") or NO_BENCHMARK
