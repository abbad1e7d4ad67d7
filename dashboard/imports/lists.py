"""Every import that was, and the refused files of the inbox that nobody has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from core.format import bytes_, count, cut, first_of, number
from core.model import Status
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.card import state_badge
from dashboard.components.form import form, hidden
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.imports.taken import SAID, undo_form
from dashboard.imports.words import KINDS, on_page
from portfolio.imports.doubts import REASONS, doubts_from_json
from portfolio.imports.refused import RefusedFile, reasons
from portfolio.imports.understand import day
from portfolio.ingest.trace import NOT_UNDONE, is_of_rows
from storage.state import imports as kept
from storage.state.imports import Import
from storage.state.sent_rows import Sent

if TYPE_CHECKING:
    pass

MOST_REFUSED = 20
LONGEST_REASON = 60
"""Characters of a reason that are shown before it is unfolded."""
OUTCOMES = {
    kept.TAKEN: Status.OK,
    kept.REFUSED: Status.WARNING,
    kept.UNDONE: Status.NOT_CONFIGURED,
    kept.TAKING: Status.UNKNOWN,
    kept.UNDOING: Status.UNKNOWN,
}
COLUMNS = (
    Column("number", "No."),
    Column("at", "When", numeric=False),
    Column("who", "Who", numeric=False),
    Column("file", "File", numeric=False),
    Column("outcome", "Outcome", numeric=False),
    Column("names", "What", numeric=False),
    Column("span", "Span", numeric=False),
    Column("rows", "Rows"),
    Column("added", "New", definition="Rows that there was nothing of before."),
    Column("restated", "Restated", definition="Rows that replaced another value."),
    Column("doubts", "Doubts accepted", numeric=False),
    Column("undo", "", numeric=False, plain="Undo", has_buttons=True),
)


def imports_table(items: Sequence[Import], id: str, may_change: bool) -> html.Div:
    """Return the imports, each with the button that undoes it where that can be."""
    rows = [_row(item, may_change) for item in items]
    nothing = "Nothing was imported yet."
    return data_table(id, COLUMNS, rows, caption="Imports", nothing=nothing)


def _row(item: Import, may_change: bool) -> dict[str, Any]:
    is_refused = item.outcome == kept.REFUSED
    is_there = item.version and item.names and item.outcome in (kept.TAKEN, kept.TAKING, kept.UNDOING)
    return {
        "number": Cell(str(item.id), float(item.id)),
        "at": Cell(local_time(item.imported), item.imported),
        "who": item.who or None,
        "file": cut_cell(item.name, 48),
        "outcome": Cell(_outcome(item), item.outcome),
        "names": _why(item) if is_refused else _names(item),
        "span": f"{day(item.first)} – {day(item.last)}" if item.names and item.last else None,
        "rows": Cell(number(item.rows), float(item.rows)) if item.rows else None,
        "added": Cell(number(item.added), float(item.added)) if item.kind else None,
        "restated": Cell(number(item.restated), float(item.restated)) if item.kind else None,
        "doubts": _doubts(item),
        "undo": undo_form(item.id, item.name, f"import-undo-{item.id}") if may_change and is_there else _no_undo(item),
    }


def _no_undo(item: Import) -> Cell:
    return Cell("send it anew", hint=f"Cannot be undone: {NOT_UNDONE}") if is_of_rows(item) else Cell(None)


def sent_table(items: Sequence[Sent], id: str) -> html.Div:
    """Return what programs sent, a row an hour, sender and kind."""
    columns = (
        Column("at", "Last", numeric=False, definition="When the last batch of the hour came"),
        Column("who", "Who", numeric=False),
        Column("kind", "Rows of", numeric=False),
        Column("outcome", "Outcome", numeric=False),
        Column("batches", "Batches", definition="Of this hour (UTC), those refused among them"),
        Column("rows", "Rows", definition="That were taken"),
        Column("added", "New", definition="Rows that there was nothing of before"),
        Column("restated", "Restated", definition="Rows that replaced what was told before"),
        Column("doubts", "Doubted", numeric=False, definition="Values that are hard to believe, and were taken"),
    )
    return data_table(
        id, columns, [_sent(each) for each in items], caption="Sent by programs", nothing="No program sent rows yet."
    )


def _sent(each: Sent) -> dict[str, Any]:
    word = "taken" if not each.refused else "refused" if each.refused == each.batches else "refused in part"
    status = Status.WARNING if each.refused else Status.OK
    why = f"{count(each.refused, 'batch', 'batches')} refused, the last: {each.why}" if each.refused else ""
    return {
        "at": Cell(local_time(each.last), each.last),
        "who": each.who or None,
        "kind": each.kind,
        "outcome": Cell(html.Span(state_badge(status, word), title=why or None), word, hint=why),
        "batches": Cell(number(each.batches), float(each.batches)),
        "rows": Cell(number(each.rows), float(each.rows)),
        "added": Cell(number(each.added), float(each.added)),
        "restated": Cell(number(each.restated), float(each.restated)),
        "doubts": _told_doubts(each.doubts),
    }


def _outcome(item: Import) -> Any:
    badge = state_badge(OUTCOMES.get(item.outcome, Status.UNKNOWN), item.outcome)
    if item.outcome != kept.UNDONE:
        return badge
    by = f" by {item.undone_by}" if item.undone_by else ""
    return html.Span([badge, " ", local_time(item.undone), by])


def _names(item: Import) -> Cell:
    names = first_of(item.names)
    kind = KINDS.get(item.kind, item.kind)
    said = f"rows of {kind}" if is_of_rows(item) else f"{kind} of {names}" if names else item.detail or None
    return Cell(said, hint=", ".join(item.names[:100]))


def _why(item: Import) -> Cell:
    lines = [line.strip() for line in item.detail.splitlines() if line.strip()]
    told = [on_page(line) for line in lines[1:] or lines]
    if not told:
        return Cell(None)
    first = cut(told[0], LONGEST_REASON)
    rest = told[1:] if first == told[0] else told
    why = html.Details([html.Summary(first), *(html.P(line) for line in rest)]) if rest else first
    return Cell(html.Div(why, className="fw-import-why"), told[0])


def _doubts(item: Import) -> Cell:
    return Cell(None) if item.outcome == kept.REFUSED else _told_doubts(item.doubts)


def _told_doubts(kept_doubts: str) -> Cell:
    if kept_doubts in ("", "[]"):
        return Cell(None)
    doubts = doubts_from_json(kept_doubts)
    told = ", ".join(f"{number(doubt.count)} {doubt.kind}" for doubt in doubts)
    return Cell(told, hint="; ".join(REASONS.get(doubt.kind, doubt.kind) for doubt in doubts))


def refused_list(files: Sequence[RefusedFile], may_change: bool) -> html.Section | None:
    """Return the refused files that nobody has looked at, with their reasons; None: there are none."""
    if not files:
        return None
    left = len(files) - MOST_REFUSED
    return html.Section(
        [
            html.H2(
                [state_badge(Status.WARNING), f" {count(len(files), 'file')} of the inbox refused"],
                id="import-refused-title",
                className="fw-import-name",
            ),
            html.Ul([_refused(file, may_change) for file in files[:MOST_REFUSED]]),
            *([html.P(f"And {number(left)} more in inbox/refused.")] if left > 0 else []),
            *([_dismiss("", "all", "Dismiss all")] if may_change and len(files) > 1 else []),
        ],
        className="fw-panel fw-import-refused",
        **attributes(aria_labelledby="import-refused-title"),
    )


def _refused(file: RefusedFile, may_change: bool) -> html.Li:
    told = [on_page(line) for line in reasons(file)]
    look = html.Button("Look at it", type="button", className="fw-button", **attributes(data_import_refused=file.name))
    buttons = [*([look] if file.is_table else []), _dismiss(file.name, file.stamp, "Dismiss")] if may_change else []
    return html.Li(
        [
            html.P([html.B(file.name), f" · {bytes_(file.size_bytes)} · ", local_time(file.refused)]),
            *(html.P(line, className="fw-import-note") for line in told),
            html.Div(buttons, className="fw-form-end"),
        ],
        id=f"import-refused-{file.stamp}",
    )


def _dismiss(name: str, which: str, does: str) -> html.Form:
    return form("/import/dismiss", hidden("name", name), id=f"import-dismiss-{which}", does=does, into=SAID)
