"""Tables of watched sources: rows of a reading, a column for the instance where there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from core.kinds.registry import component_name
from dashboard.components.table import Cell, Column, data_table
from status.instances import Instance, Row

MOST_ROWS = 60
LONGEST_TEXT = 64
"""Longer ones (commands, queries) are cut; whole on hover."""
Tone = Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Field:
    """A column: the key in the row, its heading, how a value is shown, and what a row's state makes of it."""

    key: str
    title: str
    show: Callable[[Any], Any] = str
    definition: str = ""
    tone: Tone | None = None
    numeric: bool = True
    button: Callable[[Row], Any] | None = None
    """Makes the cell from the row instead: an action button, a link."""


def words(key: str, title: str, definition: str = "", tone: Tone | None = None) -> Field:
    """Return a column of text."""
    return Field(key, title, str, definition, tone, numeric=False)


def source_rows(found: Sequence[Instance], table: str) -> list[Row]:
    """Return the rows of a table of all the instances."""
    return [row for instance in found for row in instance.rows(table)]


def source_table(
    id: str, fields: Sequence[Field], rows: Sequence[Row], *, caption: str, nothing: str, stack: bool = False
) -> html.Div:
    """Return a table of the first MOST_ROWS rows that sorts; `nothing` says what it means that there is no row."""
    sources = {row["source"] for row in rows}
    columns = [Column("source", "Instance", numeric=False)] if len(sources) > 1 else []
    columns += [Column(each.key, each.title, numeric=each.numeric, definition=each.definition) for each in fields]
    cells = [
        {"source": component_name(row["source"]), **{each.key: _cell(each, row) for each in fields}}
        for row in rows[:MOST_ROWS]
    ]
    table = data_table(id, columns, cells, caption=caption, nothing=nothing, stack=stack)
    if len(rows) <= MOST_ROWS:
        return table
    return html.Div([table, html.P(f"The first {MOST_ROWS} of {len(rows)}.", className="fw-nothing")])


def _cell(field: Field, row: Row) -> Any:
    if field.button is not None:
        return Cell(field.button(row), sort="")
    value = row.get(field.key)
    tone = field.tone(row) if field.tone else ""
    sort = value if isinstance(value, (int, float, str)) else None
    if value is None or value == "":
        return Cell(None, sort=sort, tone=tone)
    shown = field.show(value)
    if isinstance(shown, str) and len(shown) > LONGEST_TEXT:
        return Cell(f"{shown[: LONGEST_TEXT - 1]}…", tone=tone, hint=shown)
    return Cell(shown, sort=sort, tone=tone)
