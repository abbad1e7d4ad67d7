"""What came of an import, with the ways on: to the portfolio, and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import html

from core.format import count
from core.model import Status
from dashboard.components.attributes import attributes
from dashboard.components.card import verdict
from dashboard.components.form import form, hidden
from dashboard.imports.words import KINDS
from portfolio.imports.mapping import OF_INSTRUMENTS
from portfolio.imports.take import ImportResult
from portfolio.imports.understand import day
from storage.state.portfolios import OWN

MOST_LINKS = 10
SAID = "import-said"
"""Where what came of undoing is told: it outlives the row that asked for it."""


def result(taken: ImportResult) -> html.Section:
    """Return what was taken, in words, with links."""
    return html.Section(
        [
            html.H2(taken.name, id="import-heading", className="fw-import-name", tabIndex=-1),
            verdict(Status.OK, _sentence(taken), word="nothing changed" if taken.is_nothing_new else "imported"),
            *[html.P(f"{note[:1].upper()}{note[1:]}.", className="fw-import-note") for note in taken.notes],
            html.P(_links(taken), className="fw-import-links"),
            html.Div([*_undo(taken), _another()], className="fw-form-end"),
        ],
        className="fw-panel fw-import-answer",
        **attributes(aria_labelledby="import-heading"),
    )


def open_link(name: str) -> html.A:
    """Return the link to a portfolio of one's own."""
    return html.A(f"Open {name}", href=f"/portfolio?{urlencode({'portfolio': f'{OWN}:{name}'})}")


def undo_form(number: int, name: str, id: str, into: str = SAID) -> html.Form:
    """Return the button that undoes an import after asking."""
    question = f"Undo import {number} ({name})? What it added goes, what it replaced comes back."
    return form(
        "/import/undo", hidden("number", str(number)), id=id, does="Undo", question=question, into=into,
    )  # fmt: skip


def _sentence(taken: ImportResult) -> str:
    if taken.is_nothing_new:
        before = ""
        if taken.again is not None:
            before = f" The same file was imported on {day(int(taken.again.imported))} as import {taken.again.id}."
        return f"Its {count(taken.rows, 'row')} are there already, as they are.{before}"
    parts = [count(taken.added, "new row")]
    if taken.restated:
        parts.append(f"{count(taken.restated, 'value')} restated")
    same = taken.rows - taken.added - taken.restated
    if same > 0:
        parts.append(f"{count(same, 'row')} there already")
    nouns = ("instrument", "instruments") if taken.kind in OF_INSTRUMENTS else ("portfolio", "portfolios")
    made = f" New {nouns[len(taken.created) > 1]}: {', '.join(taken.created)}." if taken.created else ""
    what = KINDS[taken.kind][:1].upper() + KINDS[taken.kind][1:]
    return f"{what} from {day(taken.first)} to {day(taken.last)}: {', '.join(parts)}.{made}"


def _links(taken: ImportResult) -> list[Any]:
    if taken.kind in OF_INSTRUMENTS:
        return [
            "Choose it on the page ", html.A("Portfolio", href="/portfolio"), " as what to compare with (vs). ",
            "What it is and what it is used for stands under ", html.A("Benchmarks and rates", href="/benchmarks"), ".",
        ]  # fmt: skip
    links: list[Any] = []
    for name in taken.portfolios[:MOST_LINKS]:
        links += [open_link(name), " "]
    return links


def _undo(taken: ImportResult) -> list[html.Form]:
    return [undo_form(taken.number, taken.name, "import-undo-taken")] if taken.number else []


def _another() -> html.Button:
    return html.Button("Import another", type="button", className="fw-button", **attributes(data_import="leave"))
