"""Files of rows on the Import page: what they are, what is wrong with them, and what came of taking them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import ImportRejected, Mistake
from core.format import count
from core.model import Status
from dashboard.components.attributes import attributes
from dashboard.components.card import verdict
from dashboard.components.markup import markup
from dashboard.views.form import Said
from portfolio.allowed import Limits
from portfolio.ingest.files import check_rows_file, row_kind, take_rows_file
from portfolio.ingest.header import peeked

if TYPE_CHECKING:
    from core.ingest.kinds import Kind
    from storage.stores import Stores

WHOLE = "They are taken whole or not at all; sending them again changes nothing."


def kind_of(name: str, content: bytes | None) -> Kind | None:
    """Return the kind of rows that a file has; None: it is one of values to be understood, or fits several kinds."""
    try:
        return row_kind(name, peeked(name, io.BytesIO(content or b"")))
    except ImportRejected:
        return None


def looked_at(stores: Stores, name: str, content: bytes | None, kind: Kind, limits: Limits) -> Said:
    """Return what a file of rows is, and what is wrong with it. Nothing is stored."""
    try:
        rows = check_rows_file(stores, name, content, kind, limits)
    except ImportRejected as error:
        return _refused(error, kind)
    what = f"{count(rows, 'row')} of {kind.name}. {WHOLE}"
    take = html.Button(
        "Import", type="button", className="fw-button fw-import-take", **attributes(data_import="take")
    )  # fmt: skip
    leave = html.Button("Leave it", type="button", className="fw-button", **attributes(data_import="leave"))
    return _said(name, kind, verdict(Status.OK, what, word="rows"), [take, leave], f"{name}: {what}", is_done=False)


def taken(stores: Stores, name: str, content: bytes | None, kind: Kind, who: str, limits: Limits) -> Said:
    """Take a file of rows whole, and return what came of it."""
    try:
        found = take_rows_file(stores, name, content, kind, who, limits)
    except ImportRejected as error:
        return _refused(error, kind)
    told = str(found).removeprefix(f"{name}: ")
    another = html.Button("Import another", type="button", className="fw-button", **attributes(data_import="leave"))
    return _said(name, kind, verdict(Status.OK, f"{told}.", word="imported"), [another], str(found), is_done=True)


def _refused(error: ImportRejected, kind: Kind) -> Said:
    leave = html.Button("Leave it", type="button", className="fw-button", **attributes(data_import="leave"))
    many = count(len(error.mistakes), "thing is", "things are")
    line = verdict(Status.CRITICAL, f"It cannot be imported: {many} wrong. Nothing was taken.", word="refused")
    return _said(error.name, kind, line, [leave], str(error), is_done=False, mistakes=error.mistakes)


def _said(
    name: str, kind: Kind, line: Any, buttons: list[html.Button], sentence: str, *, is_done: bool,
    mistakes: tuple[Mistake, ...] = (),
) -> Said:  # fmt: skip
    """Return the answer as the page shows it, and as a screen reader hears it."""
    reasons = [html.Ul([html.Li(str(each)) for each in mistakes], className="fw-import-mistakes")] if mistakes else []
    section = html.Section(
        [
            html.H2(name, id="import-heading", className="fw-import-name", tabIndex=-1),
            html.P(f"Rows of {kind.name}, by the columns or the name of the file.", className="fw-import-seems"),
            line,
            *reasons,
            html.Div(buttons, className="fw-form-end"),
        ],
        className="fw-panel fw-import-answer",
        **attributes(aria_labelledby="import-heading"),
    )
    return Said(sentence, is_done=is_done, html=markup(section))
