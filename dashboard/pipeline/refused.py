"""Rows that importers were refused, as a table, a page of it at a time, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import EXPORTING_ROLE, Viewer
from core.csv_file import csv_file, harmless
from core.format import number
from dashboard.components.age import local_time
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table, whole_cell
from dashboard.views.route import CSV, Answer, Route
from dashboard.views.tab import Choices
from storage.state.pulled import KeptRow, read_refused

if TYPE_CHECKING:
    from storage.stores import Stores

ID, PATH = "refused-rows", "/refused-rows"
PAGE_ROWS = 100
MOST_FILE_ROWS = 100_000
FILE_COLUMNS = ("time (UTC)", "importer", "rows are", "reason", "row")
_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("importer", "Importer", numeric=False),
    Column("kind", "Rows are", numeric=False),
    Column("reason", "Why", numeric=False),
    Column("row", "Row", numeric=False, definition="As it came; of a message that could not be read its beginning."),
)


def refused_table(rows: Sequence[KeptRow], kinds: Mapping[str, str]) -> html.Div:
    """Return a row a refused row, in the order given."""
    nothing = "None: rows of the settings pull and consume that cannot be taken come here."
    found = [_row(each, kinds) for each in rows]
    return data_table(f"{ID}-rows", _COLUMNS, found, caption="Refused rows", nothing=nothing, is_page=True)


def turning(shown: int, total: int, page: int) -> html.Div:
    """Return how much is shown, and the buttons that turn to newer and older rows. page: from 0."""
    has_older = (page + 1) * PAGE_ROWS < total
    newer = str(page - 1) if page > 1 else None
    return html.Div(
        [
            html.Span(f"{number(shown)} of {number(total)}"),
            choice_button(ID, {"page": newer}, "‹ Newer", off="" if page else "These are the newest."),
            choice_button(ID, {"page": str(page + 1)}, "Older ›", off="" if has_older else "These are the oldest."),
        ],
        className="fw-turning",
    )


def page_of(choices: Choices, total: int) -> int:
    """Return the number of the page that the choices want, from 0; the last one for a number past it."""
    text = choices.get("page", "")
    wanted = int(text) if text.isdecimal() and len(text) < 9 else 0
    return min(wanted, max(total - 1, 0) // PAGE_ROWS)


def file_route(stores: Stores) -> Route:
    """Return the route of the file of every row, for those who may see every portfolio."""

    def file(choices: Choices, viewer: Viewer) -> Answer | None:
        if viewer.portfolios is not None:
            return None
        kinds = stores.settings.kinds_of_rows
        rows = read_refused(stores.state, choices.get("importer", ""), limit=MOST_FILE_ROWS)
        lines = ([_utc(each.at), *map(harmless, _texts(each, kinds))] for each in rows)
        return Answer(csv_file([FILE_COLUMNS, *lines]), CSV, "refused-rows.csv")

    return Route(f"{PATH}.csv", file, EXPORTING_ROLE)


def _texts(row: KeptRow, kinds: Mapping[str, str]) -> tuple[str, ...]:
    return row.source, kinds.get(row.source, ""), row.reason, row.content


def _row(row: KeptRow, kinds: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": Cell(local_time(row.at), sort=row.at, hint=_utc(row.at)),
        "importer": row.source,
        "kind": kinds.get(row.source) or None,
        "reason": whole_cell(row.reason),
        "row": whole_cell(row.content or None),
    }


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
