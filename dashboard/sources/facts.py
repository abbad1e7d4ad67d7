"""The table that says what instances are: a line a fact, a column an instance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from core.tables import Row
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.sources.table import NO_READING
from status.instances import Instance

if TYPE_CHECKING:
    from dashboard.sources.shown import Shown


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the table: the attribute of what an instance told, what it is called, how it is shown."""

    key: str
    title: str
    show: Callable[[Any], Any] = str
    none: str = ""
    """What it means that there is none; empty: it is not known."""


@dataclass(frozen=True, slots=True)
class Facts:
    """How the one row that says what an instance is is shown."""

    row: type[Row]
    facts: tuple[Fact, ...]
    numeric: bool = True
    longest: int | None = None
    """Longer texts are cut, whole on hover."""
    above: Callable[[Shown], Any] | None = None
    """What stands above the table: a sentence."""

    def draw(self, shown: Shown, id: str, caption: str) -> html.Div:
        """Return the table; `id` is that of its rows."""
        told = [(each, row) for each in shown.chosen if (row := each.first(self.row)) is not None]
        table = _table(id, self.facts, told, caption=caption, numeric=self.numeric, longest=self.longest)
        return html.Div([self.above(shown), table]) if self.above is not None else table


def _table(
    id: str,
    facts: Sequence[Fact],
    told: Sequence[tuple[Instance, Any]],
    *,
    caption: str = "Servers",
    numeric: bool = True,
    longest: int | None = None,
) -> html.Div:
    """Return the table of what is `told`, a column an instance; lines that nobody has are left out."""
    columns = [
        Column("name", "", numeric=False, plain="Fact"),
        *(Column(each.name, each.title, numeric=numeric) for each, _ in told),
    ]
    rows = []
    for fact in facts:
        values = {each.name: getattr(about, fact.key) for each, about in told}
        if fact.none or any(value not in (None, "") for value in values.values()):
            rows.append({"name": fact.title, **{name: _cell(fact, value, longest) for name, value in values.items()}})
    return data_table(id, columns, rows, caption=caption, sortable=False, stack=False, nothing=NO_READING)


def _cell(fact: Fact, value: Any, longest: int | None) -> Cell:
    if value in (None, ""):
        return Cell(fact.none or None)
    shown = fact.show(value)
    if longest and isinstance(shown, str) and len(shown) > longest:
        return cut_cell(shown, longest)
    return Cell(shown)
