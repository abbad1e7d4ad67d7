"""Which own portfolio a name means: its id, its name, and what it was called before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.state.database import State
from storage.state.portfolios import OWN, Portfolio, list_known_names, list_portfolios


def ids_by_name(state: State) -> dict[str, str]:
    """Return the id of the own portfolio that each known name means."""
    return ids_of(list_portfolios(state, OWN), list_known_names(state))


def ids_of(portfolios: Sequence[Portfolio], known_names: Mapping[str, str]) -> dict[str, str]:
    """Return the id that each name means. A name of another time comes first: it may be that of a merged portfolio."""
    names = {each.name: each.id for each in portfolios}
    return names | {each.id: each.id for each in portfolios} | dict(known_names)


def known_as(known_names: Mapping[str, str], portfolio: Portfolio) -> list[str]:
    """Return what else files may call a portfolio."""
    others = {name for name, id in known_names.items() if id == portfolio.id}
    return sorted((others | {portfolio.id}) - {portfolio.name})
