"""Tables of up to some fifty rows: `data_table`, and `filter_box` to find rows in one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from core.format import NOT_AVAILABLE, cut
from dashboard.components.attributes import attributes
from dashboard.components.quick import quick

CENTS_FROM = 1e7
"""Numbers from here on are carried to the hundredth, smaller ones to ten digits: no cent is lost in a file."""

FEW_CARDS = 10
"""Rows of a page of many that show at first where they are cards, as assets/css/22-tables.css has them."""
LONGEST_TEXT = 64
"""Longer ones (commands, queries) are cut; whole on hover."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data table."""

    key: str
    title: str
    numeric: bool = True
    """Right-aligned."""
    definition: str = ""
    plain: str = ""
    """Heading in a file, where nothing beside it tells what `title` is short for; and what a screen reader says of a
    column whose `title` is empty."""
    unit: str = ""
    """Of its numbers as a file has them: a currency, "ratio" where percent shows, "s", "bytes"; empty: plain ones."""
    has_buttons: bool = False
    """Holds nothing but what can be pressed: no file has it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what shows, what it sorts by and, of a numeric column, stands for in a file; its tone (ok, warning,
    critical, gain, loss, muted)."""

    content: Any
    sort: float | str | None = None
    """Left out: sorted by the text shown. Numbers sort as numbers; None goes last."""
    tone: str = ""
    hint: str = ""
    mark: str = ""
    """A class of its own, such as a step of a heat table's colour."""
    style: Mapping[str, str] | None = None
    unit: str = ""
    """Of its number, where it is another than that of its column."""


def cut_cell(text: str, longest: int = LONGEST_TEXT, tone: str = "") -> Cell:
    """Return the cell of a text: a long one is cut, whole on hover."""
    return Cell(cut(text, longest), tone=tone, hint=text if len(text) > longest else "")


def whole_cell(text: str | None) -> Cell:
    """Return the cell of a sentence or of labels: whole, on as many lines as it takes."""
    return Cell(text, mark="fw-wraps")


def or_none(shown: str) -> str | None:
    """Return a formatted figure; None, an empty cell, for one that there is not."""
    return None if shown == NOT_AVAILABLE else shown


def data_table(
    id: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    caption: str = "",
    sortable: bool = True,
    stack: bool = True,
    nothing: str = "Nothing to show.",
    chosen: int | None = None,
    is_page: bool = False,
) -> html.Div:
    """Return a table; each row maps column keys to a Cell or a text. chosen: number of the row that is marked.

    A click on a heading sorts in the browser, and the order survives refreshes. With `stack`, rows become
    small cards on a narrow screen; without, the table scrolls sideways. is_page: the rows are a page of many: of the
    cards the first FEW_CARDS show, until somebody asks for more (assets/js/66-more-rows.js).
    """
    if not rows:
        return html.Div(html.P(nothing, className="fw-nothing"), className="fw-table-box")
    parts: list[Any] = [html.Caption(caption, className="visually-hidden")] if caption else []
    parts.append(html.Thead(html.Tr([_heading(column, sortable) for column in columns])))
    parts.append(html.Tbody([_row(row, columns, stack, is_chosen=at == chosen) for at, row in enumerate(rows)]))
    table = html.Table(parts, id=id, className="fw-table fw-stack" if stack else "fw-table")
    if is_page and len(rows) > FEW_CARDS:
        more = html.Button("Show more", type="button", className="fw-button fw-more-rows")
        return html.Div([table, more], className="fw-table-box fw-few-rows")
    if sortable:
        return html.Div(table, className="fw-table-box")
    group = attributes(role="group", aria_label=caption or id)
    return html.Div(table, className="fw-table-box", tabIndex=0, **group)  # a keyboard must reach what scrolls


def amounts_table(
    id: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    currency: str,
    amounts: Collection[str],
    *,
    caption: str,
    nothing: str = "Nothing to show.",
) -> html.Div:
    """Return a table of which the columns named in `amounts` hold amounts of a currency, as a file says.

    It has so many columns that it scrolls sideways on a narrow screen.
    """
    told = [replace(each, unit=currency) if each.key in amounts else each for each in columns]
    return data_table(id, told, rows, caption=caption, stack=False, nothing=nothing)


def scroll_box(content: Any, height: int, label: str) -> html.Div:
    """Return a box of at most `height` px in which a long table scrolls under its heading.

    It belongs in the layout, round the slot of the table: a refresh draws the table anew, and what stands in the
    layout keeps its place.
    """
    return html.Div(
        content,
        className="fw-table-tall",
        style={"maxHeight": f"{height}px"},
        tabIndex=0,
        role="group",
        **attributes(aria_label=label),
    )


def filter_box(table: str, label: str) -> html.Div:
    """Return a box that shows only the rows of the table `table` that hold every word typed (assets/js/63-filter.js).

    It belongs in the layout: what stands there outlives refreshes. Says how many rows are left of how many, and turns
    pages where there are more than a hundred.
    """
    words = dbc.Input(type="search", placeholder="filter", size="sm", autocomplete="off", class_name="fw-filter-words")
    return html.Div(
        [
            html.Label([html.Span(label, className="visually-hidden"), words]),
            html.Span(className="fw-filter-count", role="status"),
            html.Span(
                [_turn("‹", -1, "Rows before"), html.Span(role="status"), _turn("›", 1, "Rows after")],
                className="fw-pages",
                hidden=True,
            ),
        ],
        className="fw-filter",
        **attributes(data_filters=table),
    )


def _turn(sign: str, pages: int, label: str) -> html.Button:
    return html.Button(sign, type="button", title=label, **attributes(aria_label=label, data_turn=str(pages)))


def _sort_text(value: float | str | None) -> str | None:
    if not isinstance(value, float):
        return None if value is None else str(value)
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return f"{value:.10g}" if abs(value) < CENTS_FROM else f"{value:.2f}"


def _heading(column: Column, sortable: bool) -> html.Th:
    align = "fw-number" if column.numeric else "fw-text"
    in_file = attributes(
        data_plain=column.plain or None, data_unit=column.unit or None, data_buttons="" if column.has_buttons else None
    )
    if not column.title:
        name = html.Span(column.plain or column.definition, className="visually-hidden")
        return quick(html.Th, name, scope="col", className=align, **in_file)
    if not sortable:
        return quick(
            html.Th, column.title, scope="col", className=align, title=column.definition or None,
            **in_file,
        )  # fmt: skip
    button = quick(
        html.Button, column.title, type="button", className="fw-sort", title=column.definition or None,
        **attributes(data_sort_key=column.key),
    )  # fmt: skip
    return quick(html.Th, button, scope="col", className=align, **in_file)


def _row(row: Mapping[str, Any], columns: Sequence[Column], stack: bool, *, is_chosen: bool) -> html.Tr:
    marked = attributes(aria_current="true" if is_chosen else None)
    return quick(html.Tr, [_cell(row.get(each.key), each, stack) for each in columns], **marked)


def _cell(given: Any, column: Column, stack: bool) -> html.Td:
    cell = given if isinstance(given, Cell) else Cell(given)
    align = "fw-number" if column.numeric else "fw-text"
    data = attributes(
        data_label=column.title if stack else None, data_sort=_sort_text(cell.sort), data_unit=cell.unit or None
    )
    tone = f" fw-tone-{cell.tone}" if cell.tone else ""
    return quick(
        html.Td,
        "–" if cell.content is None else cell.content,
        className=f"{align}{tone}{' ' + cell.mark if cell.mark else ''}",
        title=cell.hint or None,
        style=dict(cell.style) if cell.style else None,
        **data,
    )
