"""The table that says what instances are: a line a fact, a column an instance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from dashboard.components.table import Cell, Column, data_table
from status.instances import Instance, Row


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the table: the key in what an instance told, what it is called, how it is shown."""

    key: str
    title: str
    show: Callable[[Any], Any] = str


Told = Sequence[tuple[Instance, Row]]
"""Instances, and what each tells of itself."""


def told_by(found: Sequence[Instance]) -> Told:
    """Return what each instance tells of itself; those that tell nothing are left out."""
    return [(each, about) for each in found if (about := each.about)]


def about_table(
    id: str,
    facts: Sequence[Fact],
    told: Told,
    *,
    caption: str = "Servers",
    numeric: bool = True,
    longest: int | None = None,
) -> html.Div:
    """Return the table of what is `told`, a column an instance; lines that nobody has are left out.

    longest: longer texts are cut, whole on hover.
    """
    columns = [Column("name", "", numeric=False), *(Column(each.name, each.title, numeric=numeric) for each, _ in told)]
    rows = []
    for fact in facts:
        values = {each.name: about.get(fact.key) for each, about in told}
        if any(value not in (None, "") for value in values.values()):
            rows.append({"name": fact.title, **{name: _cell(fact, value, longest) for name, value in values.items()}})
    return data_table(id, columns, rows, caption=caption, sortable=False, stack=False, nothing="No reading yet.")


def _cell(fact: Fact, value: Any, longest: int | None) -> Cell:
    if value in (None, ""):
        return Cell(None)
    shown = fact.show(value)
    if longest and isinstance(shown, str) and len(shown) > longest:
        return Cell(f"{shown[: longest - 1]}…", hint=shown)
    return Cell(shown)
