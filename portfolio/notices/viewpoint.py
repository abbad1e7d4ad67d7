"""Who reads notices: what may be told of alerts, and by which name and key portfolios are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.readiness import EVERY_PORTFOLIO
from portfolio.alerts import ORIGIN, PORTFOLIO, Sight, sight_of
from portfolio.allowed import Limits, seen
from storage.state.portfolios import OWN, list_known_names, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What one reader may be told of portfolios."""

    sight: Sight
    names: Mapping[str, str]
    """Of the portfolios that may be seen, by key: "own:alpha"."""
    became: Mapping[str, str]
    """The id of the own portfolio that each name of another time stands for."""

    @property
    def is_whole(self) -> bool:
        """Whether everything may be told."""
        return self.sight.is_whole

    @property
    def own_ids(self) -> frozenset[str]:
        """Ids of the fund's own portfolios that may be seen."""
        return frozenset(key.removeprefix(f"{OWN}:") for key in self.names if key.startswith(f"{OWN}:"))

    def key_of(self, id: str) -> str:
        """Return the key of an own portfolio, by the name that it had at some time; empty: of none."""
        now = self.became.get(id, id)
        return f"{OWN}:{now}" if now != EVERY_PORTFOLIO else ""

    def key_in(self, labels: Mapping[str, str]) -> str:
        """Return the key of the portfolio that the labels of an alert name; empty: they name none."""
        origin, _, id = labels.get(PORTFOLIO, "").rpartition(":")
        return f"{origin or labels.get(ORIGIN, OWN)}:{id}" if id else ""

    def name_of(self, key: str) -> str:
        """Return what a portfolio is called; its id where it is gone."""
        return self.names.get(key, key.rpartition(":")[2])


def viewpoint_of(stores: Stores, limits: Limits) -> Viewpoint:
    """Return what somebody with these limits may be told. Raises StorageUnavailable."""
    known = seen(list_portfolios(stores.state), limits)
    names = {f"{each.origin}:{each.id}": each.name for each in known}
    return Viewpoint(sight_of(stores, limits), names, list_known_names(stores.state))
