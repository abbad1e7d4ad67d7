"""What the data say of each portfolio of the tree: from when to when it has values, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import FEWEST_SPACES, Cadence, cadence_of
from core.format import count
from portfolio.allowed import Limits, seen
from portfolio.given import RHYTHMS, has_ended, said_of
from portfolio.histories import fund
from portfolio.series.reference import Catalogue, catalogue
from portfolio.tree.listing import in_order
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A portfolio of the tree and its values."""

    depth: int
    """0: part of no other."""
    portfolio: Portfolio
    values: int
    """Days with a value, those left out not counted."""
    left_out: int
    """Values before its inception and after its end."""
    first: np.datetime64 | None
    last: np.datetime64 | None
    last_value: float
    newest: float
    """Epoch seconds of the newest value, 0 when there is none."""
    found: Cadence
    """What its dates tell."""
    counts: Cadence
    """What figures use: what is set, else what is found."""
    benchmark: str
    """What it is called; empty: it has none."""
    made_of: int
    """How many parts it is the sum of; 0: its values are its own."""
    built: int
    """How many, itself or parts of it, have values that are built from trades."""
    has_ended: bool
    """Whether its last day is over."""
    told: tuple[str, ...]
    """What could not be converted or added, and is left out."""

    @property
    def rhythm(self) -> str:
        """Return how often it has a value, and how that is known."""
        wanted = RHYTHMS.get(self.portfolio.frequency)
        if wanted and wanted == self.counts.rhythm:
            return f"{wanted}, set"
        if self.values <= FEWEST_SPACES:
            return "too few values to tell" if self.values else ""
        return f"{self.found.rhythm}, found from {count(self.values, 'value')}"


def nodes(stores: Stores, limits: Limits) -> list[Node]:
    """Return the tree as far as it may be seen, each portfolio before its parts.

    Raises StorageUnavailable or StorageRejected.
    """
    known = seen(list_portfolios(stores.state), limits)
    catalogues = {origin: catalogue(stores, origin) for origin in {each.origin for each in known}}
    return [_node(stores, depth, each, catalogues[each.origin]) for depth, each in in_order(known)]


def _node(stores: Stores, depth: int, portfolio: Portfolio, listed: Catalogue) -> Node:
    history = fund(stores, portfolio.origin).history(portfolio.id, said_of(portfolio))
    nav, has_values = history.nav, bool(len(history.nav))
    return Node(
        depth,
        portfolio,
        len(nav),
        history.left_out,
        nav.dates[0] if has_values else None,
        nav.dates[-1] if has_values else None,
        float(nav.value[-1]) if has_values else np.nan,
        float(nav.newest),
        cadence_of(nav.dates),
        history.cadence,
        listed.name(portfolio.benchmark) if portfolio.benchmark else "",
        len(history.made_of),
        len(history.built),
        has_ended(portfolio, stores.clock.now()),
        history.told,
    )
