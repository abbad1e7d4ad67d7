"""Tables of watched sources: how the rows of a reading are shown; a column tells the instance of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from core.format import UNIT_BEHIND
from core.tables import R, Row
from dashboard.components.table import LONGEST_TEXT, Cell, Column, cut_cell, data_table
from status.instances import Instance

if TYPE_CHECKING:
    from dashboard.sources.shown import Shown

MOST_ROWS = 60
INSTANCE = "source"
"""Id of the column with the instance."""
ACTIONS = "Actions"
"""What a column of buttons is called where it has no heading."""
NO_READING = "No reading yet."


@dataclass(frozen=True, slots=True)
class Field:
    """A column: the attribute of the row, its heading, how a value is shown, and what a row's state makes of it."""

    key: str
    """Id of the column, and the row's attribute unless there is `value` or `button`."""
    title: str
    show: Callable[[Any], Any] = str
    definition: str = ""
    tone: Callable[[Any], str] | None = None
    """From the row to warning, critical, muted or nothing."""
    numeric: bool = True
    value: Callable[[Any], Any] | None = None
    """Makes the value from the row where no attribute holds it."""
    button: Callable[..., Any] | None = None
    """Makes the cell from (shown, instance, row) instead: an action button, a link."""
    unit: str = ""
    """Of its numbers in a file, where `show` does not tell it."""

    @property
    def column(self) -> Column:
        """Return the column of a table that it is."""
        unit = self.unit or UNIT_BEHIND.get(self.show, "") if self.numeric else ""
        plain = ACTIONS if self.button else ""
        return Column(self.key, self.title, self.numeric, self.definition, plain, unit)


def words(
    key: str, title: str, definition: str = "", tone: Callable[[Any], str] | None = None,
    value: Callable[[Any], Any] | None = None,
) -> Field:  # fmt: skip
    """Return a column of text."""
    return Field(key, title, str, definition, tone, numeric=False, value=value)


@dataclass(frozen=True, slots=True)
class Rows:
    """How the rows of one table of a reading are shown: those of all instances, the first `most` of them."""

    row: type[Row]
    fields: tuple[Field, ...]
    nothing: str | Callable[[Shown], str]
    """What it means that there is no row."""
    sort: Callable[[Any], Any] | None = None
    """Key that puts rows of several instances in order; without it each instance's stay together."""
    keep: Callable[[Any], bool] | None = None
    above: Callable[[Shown], Any] | None = None
    """What stands above the table: buttons, a sentence."""
    known_only: bool = False
    """Whether instances are left out of which nothing is known now."""
    most: int = MOST_ROWS
    """Rows shown."""
    stack: bool = False
    """Whether its rows become cards on a narrow screen."""
    instance_title: str = ""
    """Heading of a first column with the instance's name, where that is what the table is about; empty: a column
    for the source only where there are several."""

    def draw(self, shown: Shown, id: str, caption: str) -> html.Div:
        """Return the table; `id` is that of its rows."""
        chosen = [each for each in shown.chosen if each.is_known or not self.known_only]
        found = [(each, row) for each in chosen for row in each.rows(self.row) if self.keep is None or self.keep(row)]
        if self.sort is not None:
            key = self.sort
            found.sort(key=lambda pair: key(pair[1]))
        nothing = self._nothing(shown)
        table = instance_table(
            shown, id, self.fields, found, caption=caption, nothing=nothing, stack=self.stack, most=self.most,
            instance_title=self.instance_title,
        )  # fmt: skip
        return html.Div([self.above(shown), table]) if self.above is not None else table

    def _nothing(self, shown: Shown) -> str:
        if shown.chosen and not any(each.reading and each.reading.tables for each in shown.chosen):
            return NO_READING
        return self.nothing if isinstance(self.nothing, str) else self.nothing(shown)


def instance_table(
    shown: Shown,
    id: str,
    fields: Sequence[Field],
    found: Sequence[tuple[Instance, Any]],
    *,
    caption: str,
    nothing: str,
    stack: bool = False,
    most: int = MOST_ROWS,
    instance_title: str = "",
) -> html.Div:
    """Return a table of the first rows of those found, each with its instance, that sorts."""
    columns = [each.column for each in fields]
    if instance_title:
        columns.insert(0, Column(INSTANCE, instance_title, numeric=False))
    elif len(shown.chosen) > 1:
        columns.insert(0, Column(INSTANCE, "Instance", numeric=False))
    cells = [
        {
            INSTANCE: instance.name if instance_title else _title(instance),
            **{each.key: _cell(each, shown, instance, row) for each in fields},
        }
        for instance, row in found[:most]
    ]
    table = data_table(id, columns, cells, caption=caption, nothing=nothing, stack=stack)
    if len(found) <= most:
        return table
    return html.Div([table, html.P(f"The first {most} of {len(found)}.", className="fw-nothing")])


def rows_by_instance(found: Sequence[Instance], row: type[R]) -> list[tuple[Instance, R]]:
    """Return the rows of a table of all the instances, each with its instance."""
    return [(instance, each) for instance in found for each in instance.rows(row)]


def _title(instance: Instance) -> str:
    """Return what an instance is called; beside the last rows of one that is down or unknown stands that it is."""
    return instance.title if instance.is_known else f"{instance.title} ({instance.status.value})"


def _cell(field: Field, shown: Shown, instance: Instance, row: Any) -> Any:
    if field.button is not None:
        return Cell(field.button(shown, instance, row), sort="")
    value = field.value(row) if field.value is not None else getattr(row, field.key)
    return _shown(field, value, field.tone(row) if field.tone else "")


def _shown(field: Field, value: Any, tone: str) -> Cell:
    sort = value if isinstance(value, (int, float, str)) else None
    if value is None or value == "":
        return Cell(None, sort=sort, tone=tone)
    shown = field.show(value)
    if isinstance(shown, str) and len(shown) > LONGEST_TEXT:
        return cut_cell(shown, tone=tone)
    return Cell(shown, sort=sort, tone=tone)
