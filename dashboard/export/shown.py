"""Tables as a page shows them, as an Excel workbook: the browser sends what stands in a panel, and gets the file.

It is what the reader has before him: filtered, sorted and in his zone, which the server knows nothing of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, FailFast, Field, StringConstraints, ValidationError, model_validator

from access.viewer import EXPORTING_ROLE
from core.web.bodies import BODY_LIMITS
from dashboard.export import xlsx
from dashboard.frame.viewer import current_viewer
from dashboard.views.rights import declare, needs
from dashboard.views.route import TEXT

RULE = "/table.xlsx"
MOST_BYTES = 4_194_304
MOST_TABLES, MOST_COLUMNS, MOST_ROWS, MOST_CELLS = 20, 500, 50_000, 300_000
TITLE_CHARACTERS = 31
"""Excel's own limit of a sheet's name."""
_NO_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
Text = Annotated[str, StringConstraints(max_length=32_000)]


class Share(BaseModel):
    """A ratio that is shown in percent."""

    model_config = _STRICT
    kind: Literal["percent"]
    ratio: float


class Table(BaseModel):
    """A table: headings, and rows of as many cells."""

    model_config = _STRICT
    name: Text
    columns: list[Text] = Field(min_length=1, max_length=MOST_COLUMNS, fail_fast=True)
    rows: list[Annotated[list[Text | float | Share | None], FailFast()]] = Field(max_length=MOST_ROWS, fail_fast=True)

    @model_validator(mode="after")
    def _is_square(self) -> Table:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has another number of cells than there are columns")
        return self


class Tables(BaseModel):
    """What a panel shows."""

    model_config = _STRICT
    tables: list[Table] = Field(min_length=1, max_length=MOST_TABLES, fail_fast=True)

    @model_validator(mode="after")
    def _is_small(self) -> Tables:
        if sum(len(each.columns) * len(each.rows) for each in self.tables) > MOST_CELLS:
            raise ValueError(f"more than {MOST_CELLS:,} cells: filter the table, or take the CSV")
        return self


def install(server: Flask) -> None:
    """Let `server` make workbooks of what is sent, for those who may take data out."""
    server.extensions.setdefault(BODY_LIMITS, {})[RULE] = MOST_BYTES

    def table_workbook() -> Response:
        if current_viewer().role < EXPORTING_ROLE:
            return Response(needs(EXPORTING_ROLE, "take data out"), 403, mimetype=TEXT)
        request.max_content_length = MOST_BYTES
        try:
            sent = Tables.model_validate_json(request.get_data(cache=False))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            return Response(f"Not understood: {where}: {first['msg']}.", 400, mimetype=TEXT)
        return Response(xlsx.workbook(_sheets(sent)), mimetype=xlsx.MIME)

    declare(server, EXPORTING_ROLE, ["table-workbook"])
    server.add_url_rule(RULE, "table-workbook", table_workbook, methods=["POST"])


def _sheets(sent: Tables) -> Mapping[str, xlsx.Rows]:
    found: dict[str, xlsx.Rows] = {}
    for each in sent.tables:
        found[_title(each.name, {name.casefold() for name in found})] = [
            each.columns, *([_value(cell) for cell in row] for row in each.rows)
        ]  # fmt: skip
    return found


def _title(name: str, taken: set[str]) -> str:
    """Return a name that a sheet may have, and no other one has."""
    base = _NO_TITLE.sub(" ", name).strip(" '")[:TITLE_CHARACTERS].rstrip(" '") or "Table"
    title, number = base, 1
    while title.casefold() in taken or title.casefold() == "history":  # which Excel keeps for itself
        number += 1
        title = f"{base[: TITLE_CHARACTERS - len(f' {number}')]} {number}"
    return title


def _value(cell: str | float | Share | None) -> xlsx.Value:
    if isinstance(cell, Share):
        return xlsx.Percent(cell.ratio)
    if isinstance(cell, float):
        return xlsx.Exact(cell) if math.isfinite(cell) else None
    return cell
