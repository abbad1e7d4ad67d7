"""What cards, charts and tables of watched sources are made from, and all that they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.rules import NO_RULES, RuleLines
from dashboard.views.span import Span
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries
from storage.state.actions import Action


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tab, or a section of it, shows: the instances, those chosen, their series and the actions done to them."""

    tab: str
    """Id of the tab, with which the ids of its elements begin."""
    kinds: tuple[str, ...]
    """Kinds of the tab."""
    all: Sequence[Instance]
    chosen: Sequence[Instance]
    series: SourceSeries
    span: Span
    actions: Sequence[Action]
    may_act: bool
    more: Any = None
    """What `SourceTab.more` read."""
    kind: str = ""
    """The kind that a section shows."""
    rules: RuleLines = NO_RULES
    """What rules compare metrics with."""

    @property
    def only(self) -> Instance | None:
        """The instance, when one alone is shown."""
        return self.chosen[0] if len(self.chosen) == 1 else None
