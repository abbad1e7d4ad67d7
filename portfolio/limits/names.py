"""What limits may name: the instruments that are known, and the groups that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portfolio.histories import instruments
from portfolio.holdings import NOBODY_SAID
from storage.clickhouse.reads.book import instruments_held
from storage.state.portfolios import OWN, list_portfolios
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from core.portfolio_limits.limit import PortfolioLimit
    from storage.stores import Stores


def known_names(stores: Stores, limit: PortfolioLimit) -> set[str]:
    """Return what a limit may name: instruments, or groups of them. Raises StorageUnavailable or StorageRejected."""
    about = list_series(stores.state, OWN)
    cut = limit.about.cut
    if cut == "instrument":
        return {*(each.symbol for each in about), *instruments(stores, OWN), *instruments_held(stores.clickhouse, OWN)}
    if cut == "currency":
        return {*(each.currency for each in list_portfolios(stores.state, OWN)), *_said(about, cut)}
    return {*_said(about, cut), NOBODY_SAID}


def _said(about: Sequence[Series], cut: str) -> set[str]:
    return {str(getattr(each, cut)) for each in about if getattr(each, cut)}
