"""Tables: `data_table` for up to some fifty rows, `grid` (dash-ag-grid) for long ones with filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from dashboard.components.attributes import attributes


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data table."""

    key: str
    title: str
    numeric: bool = True
    """Right-aligned."""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what shows, what it sorts by, and its tone (ok, warning, critical, gain, loss, muted)."""

    content: Any
    sort: float | str | None = None
    """Left out: sorted by the text shown. Numbers sort as numbers; None goes last."""
    tone: str = ""
    hint: str = ""
    style: Mapping[str, str] | None = None


def data_table(
    id: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    caption: str = "",
    sortable: bool = True,
    stack: bool = True,
    nothing: str = "Nothing to show.",
) -> html.Div:
    """Return a table; each row maps column keys to a Cell or a text.

    A click on a heading sorts in the browser, and the order survives refreshes. With `stack`, rows become
    small cards on a narrow screen; without, the table scrolls sideways.
    """
    if not rows:
        return html.Div(html.P(nothing, className="fw-nothing"), className="fw-table-box")
    parts: list[Any] = [html.Caption(caption, className="visually-hidden")] if caption else []
    parts.append(html.Thead(html.Tr([_heading(column, sortable) for column in columns])))
    parts.append(html.Tbody([html.Tr([_cell(row.get(c.key), c) for c in columns]) for row in rows]))
    table = html.Table(parts, id=id, className="fw-table fw-stack" if stack else "fw-table")
    if sortable:
        return html.Div(table, className="fw-table-box")
    region = attributes(role="region", aria_label=caption or id)
    return html.Div(table, className="fw-table-box", tabIndex=0, **region)  # a keyboard must reach what scrolls


def grid(id: str, columns: Sequence[Mapping[str, Any]], *, row_id: str, height: int = 320, label: str = "") -> html.Div:
    """Return a long table with sorting and filters in each heading; its rows come from View.rows[id].

    columns: column definitions of AG Grid (`field`, `headerName`, `type` "rightAligned", `valueFormatter`
    {"function": "…"} …). row_id: the field that identifies a row, so that order, filters, selection and
    scroll survive refreshes.
    """
    from dash_ag_grid import AgGrid

    return html.Div(
        AgGrid(
            id=id,
            columnDefs=[dict(column) for column in columns],
            rowData=None,
            getRowId=f"params.data.{row_id} + ''",
            defaultColDef={"sortable": True, "filter": True, "resizable": True, "flex": 1, "minWidth": 70},
            columnSize=None,
            dashGridOptions={
                "animateRows": False,
                "headerHeight": 30,
                "rowHeight": 28,
                "suppressColumnMoveAnimation": True,
                "suppressCellFocus": False,
                "theme": {"function": "fundwatchGrid(themeQuartz)"},
                "localeText": {"noRowsToShow": "Nothing to show."},
            },
            style={"height": f"{height}px", "width": "100%"},
        ),
        className="fw-grid",
        **attributes(aria_label=label or id),
    )


def _heading(column: Column, sortable: bool) -> html.Th:
    align = "fw-number" if column.numeric else "fw-text"
    if not sortable:
        return html.Th(column.title, scope="col", className=align, title=column.definition or None)
    button = html.Button(
        column.title, type="button", className="fw-sort", title=column.definition or None,
        **attributes(data_sort_key=column.key),
    )  # fmt: skip
    return html.Th(button, scope="col", className=align)


def _cell(given: Any, column: Column) -> html.Td:
    cell = given if isinstance(given, Cell) else Cell(given)
    align = "fw-number" if column.numeric else "fw-text"
    data = attributes(data_label=column.title, data_sort=None if cell.sort is None else str(cell.sort))
    tone = f" fw-tone-{cell.tone}" if cell.tone else ""
    return html.Td(
        "–" if cell.content is None else cell.content,
        className=f"{align}{tone}",
        title=cell.hint or None,
        style=dict(cell.style) if cell.style else None,
        **data,
    )
