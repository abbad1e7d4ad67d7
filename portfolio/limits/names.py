"""What limits may name: the instruments that are known, and the groups that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.portfolio_limits.limit import EVERY_IN_SETTINGS, nearest
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


def unknown_named(stores: Stores) -> list[str]:
    """Return a sentence for each name in the limits of the settings that nobody has told of yet.

    Such a limit is not known until it comes, and one that is mistyped stays so. Raises StorageUnavailable or
    StorageRejected.
    """
    found: list[str] = []
    for limit in stores.settings.limits.limits():
        known = known_names(stores, limit) if limit.of else set()
        what = limit.about.cut.replace("_", " ")
        found += [
            f"limits.portfolios: {limit.figure} of {limit.portfolio or EVERY_IN_SETTINGS} names the {what} {name!r}, "
            f"which nobody has told of yet{nearest(name, known)}"
            for name in limit.of
            if name not in known
        ]
    return found


def _said(about: Sequence[Series], cut: str) -> set[str]:
    return {str(getattr(each, cut)) for each in about if getattr(each, cut)}
