"""Which alerts somebody is told of who may see some portfolios alone.

An alert of a portfolio is told to those who may see it. What a rule of the fund's own is called and says may name any
portfolio: without a label that says of which it is, it is told to those who may see every one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from core.alerts.rule_set import SHIPPED
from core.alerts.spec import FiringAlert
from portfolio.allowed import Limits, own_ids
from portfolio.rule_files import rule_set
from portfolio.withheld import WITHHELD, is_naming
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

PORTFOLIO, ORIGIN = "portfolio", "origin"
"""Labels of an alert that say which portfolio it is of."""
HIDDEN_BY = "hidden by "
"""What `muted_by` begins with where another alert is named."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may be told of alerts."""

    portfolios: frozenset[str] | None
    """Ids of the own ones that may be seen; None: every one."""
    shipped: frozenset[str] = frozenset()
    """Rules that are as they come with Fundwatch."""

    @property
    def is_whole(self) -> bool:
        """Whether everything may be told."""
        return self.portfolios is None

    def sees(self, rule: str, labels: Mapping[str, str]) -> bool:
        """Return whether an alert of a rule with these labels may be told."""
        if self.portfolios is None:
            return True
        portfolio = labels.get(PORTFOLIO)
        if not portfolio:
            return rule in self.shipped
        return labels.get(ORIGIN, OWN) != OWN or portfolio in self.portfolios

    def seen(self, firing: Sequence[FiringAlert]) -> list[FiringAlert]:
        """Return the alerts that may be told, as they may be."""
        if self.is_whole:
            return [*firing]
        found = [(each, orjson.loads(each.labels)) for each in firing]
        return [_told(each, labels) for each, labels in found if self.sees(each.rule, labels)]

    def sentence(self, labels: Mapping[str, str], text: str) -> str:
        """Return what is said of an alert that may be told, as it may be: of some components the state alone."""
        return text if self.is_whole or not _names_others(labels) else WITHHELD


def sight_of(stores: Stores, limits: Limits) -> Sight:
    """Return what somebody with these limits may be told. Raises StorageUnavailable."""
    if limits is None:
        return Sight(None)
    shipped = frozenset(each.rule.name for each in rule_set(stores.settings).rules if each.file == SHIPPED)
    return Sight(own_ids(list_portfolios(stores.state), limits), shipped)


def _told(alert: FiringAlert, labels: Mapping[str, str]) -> FiringAlert:
    text = WITHHELD if _names_others(labels) else alert.text
    muted_by = f"{HIDDEN_BY}another alert" if alert.muted_by.startswith(HIDDEN_BY) else alert.muted_by
    return replace(alert, text=text, muted_by=muted_by)


def _names_others(labels: Mapping[str, str]) -> bool:
    return any(is_naming(labels.get(name, "")) for name in ("component", "collector"))
