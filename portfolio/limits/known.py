"""Which limits there are, and which of them hold for a portfolio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.alerts.severity import Severity
from core.portfolio_limits.figures import RESTRICTED
from core.portfolio_limits.limit import AT_LEAST, EVERY, PortfolioLimit
from storage.state.portfolio_limits import limits_in
from storage.state.portfolios import OWN, Portfolio, list_portfolios, names_in

if TYPE_CHECKING:
    from storage.stores import Stores

OF_SAMPLE: Sequence[PortfolioLimit] = (
    PortfolioLimit("position", 0.25, "fund", severity=Severity.WARNING, id="sample-position"),
    PortfolioLimit("gross", 2.0, "fund", id="sample-gross"),
    PortfolioLimit("net", -0.2, "fund", AT_LEAST, id="sample-net"),
    PortfolioLimit("sector", 0.5, "fund", id="sample-sector"),
    PortfolioLimit("largest_5", 0.6, "fund", id="sample-largest"),
    PortfolioLimit("var_95", 0.02, "fund", id="sample-var"),
    PortfolioLimit("drawdown", 0.1, "fund", below=True, id="sample-drawdown"),
    PortfolioLimit("turnover", 0.5, "fund", below=True, severity=Severity.WARNING, id="sample-turnover"),
    PortfolioLimit("liquidate_days", 5.0, "fund", severity=Severity.WARNING, id="sample-liquidate"),
    PortfolioLimit("restricted", 0.0, "fund", of=("BAC", "GE"), below=True, severity=Severity.WARNING,
                   id="sample-restricted"),
)  # fmt: skip
"""Of the sample fund, as it has everything else: nobody is told of them, and nothing stops."""


def known_limits(stores: Stores, origin: str = OWN) -> list[PortfolioLimit]:
    """Return every limit of an origin: of the fund's own those of the settings, then those that people set here.

    A portfolio that was merged into another one has handed its limits on. Raises StorageUnavailable.
    """
    if origin != OWN:
        return [*OF_SAMPLE]
    with stores.state.reading() as connection:
        set_here, names = limits_in(connection), names_in(connection)
    there = (*stores.settings.limits.limits(), *set_here)
    return [replace(each, portfolio=names.get(each.portfolio, each.portfolio)) for each in there]


def parents_of(known: Sequence[Portfolio], origin: str) -> dict[str, str]:
    """Return the id of what each portfolio of an origin is part of."""
    return {each.id: each.parent for each in known if each.origin == origin}


def holding(limits: Sequence[PortfolioLimit], portfolio: str, parents: Mapping[str, str]) -> list[PortfolioLimit]:
    """Return the limits that hold for the portfolio of an id: its own, those above it that reach down, general ones.

    A general one gives way to another on the same thing, but one that stops trading only to another that does.
    parents: of every portfolio, whoever may see them.
    """
    higher = above(portfolio, parents)
    own = [each for each in limits if each.portfolio == portfolio or (each.below and each.portfolio in higher)]
    taken = {(each.replaces, stops) for each in own if each.figure != RESTRICTED for stops in {False, each.can_stop}}
    general = [each for each in limits if each.portfolio == EVERY and (each.replaces, each.can_stop) not in taken]
    return [*own, *general]


def drawdown_limits(stores: Stores) -> dict[str, float]:
    """Return the tightest limit on the drawdown of each own portfolio by id. Raises StorageUnavailable."""
    known, limits = list_portfolios(stores.state, OWN), known_limits(stores)
    parents = parents_of(known, OWN)
    found = {}
    for each in known:
        values = [one.value for one in holding(limits, each.id, parents) if one.figure == "drawdown"]
        if values and min(values) > 0:
            found[each.id] = min(values)
    return found


def above(portfolio: str, parents: Mapping[str, str]) -> list[str]:
    """Return the ids of what the portfolio of an id is part of, the nearest first."""
    found: list[str] = []
    at = parents.get(portfolio, "")
    while at and at not in found:
        found.append(at)
        at = parents.get(at, "")
    return found
