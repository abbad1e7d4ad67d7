"""Files of somebody who may see some portfolios alone: values of those are taken, nothing is told of others."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import Mistake
from core.format import first_of
from portfolio.allowed import Limits, is_import_seen, own_ids
from portfolio.imports.mapping import OF_INSTRUMENTS, Mapping
from portfolio.imports.points import Points
from portfolio.imports.understand import Recall, Understood
from portfolio.tree.names import ids_by_name
from storage.state.database import State
from storage.state.imports import Import
from storage.state.portfolios import OWN, list_portfolios

SHARED = "prices or rates, which all portfolios share"
_REMEDY = "Import values of portfolios that you may see, under their names."


@dataclass(frozen=True, slots=True)
class Within:
    """Whose values may be taken. Without limits: everybody's, and of instruments."""

    limits: Limits
    names: Dict[str, str]
    """The id that each known name means."""
    ids: frozenset[str]
    """Of the own portfolios that may be seen."""

    def shows(self, item: Import) -> bool:
        """Return whether an import may be seen."""
        return self.limits is None or is_import_seen(item, self.names, self.ids)

    def wrong(self, points: Points, kind: str) -> list[Mistake]:
        """Return why points may not be taken: a portfolio that may not be seen reads as one that there is not."""
        if self.limits is None:
            return []
        if kind in OF_INSTRUMENTS:
            return [Mistake(f"it has {SHARED}")]
        others = [name for name in points.names if not self._is_seen(name)]
        offered = f"you may import into {first_of(sorted(self.ids), 10)}" if self.ids else "you may import into none"
        return [Mistake(f"portfolio {first_of(others)} is none of yours: {offered}")] if others else []

    def checked(self, understood: Understood) -> Understood:
        """Return what a file says; with mistakes instead of points, doubts and notes where it may not be taken."""
        wrong = self.wrong(understood.points, understood.kind) if understood.points is not None else []
        if not wrong:
            return understood
        return replace(understood, points=None, notes=(), doubts=(), mistakes=tuple(wrong), remedy=_REMEDY)

    def recall(self, recall: Recall) -> Recall:
        """Return what is remembered of files without the portfolios that may not be seen."""
        if self.limits is None:
            return recall

        def found(header: Sequence[str], name: str) -> Mapping:
            remembered = recall(header, name)
            return remembered if self._is_seen(remembered.portfolio) else replace(remembered, portfolio="")

        return found

    def _is_seen(self, name: str) -> bool:
        return self.names.get(name, name) in self.ids


def within(state: State, limits: Limits) -> Within:
    """Return whose values may be taken by somebody with these limits."""
    return Within(limits, ids_by_name(state), own_ids(list_portfolios(state, OWN), limits))
