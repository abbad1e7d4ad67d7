"""What the pages of people and programs share: answers of their forms, what is shown once, lists of portfolios."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import ChangeRejected
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.markup import markup
from dashboard.components.table import Cell, cut_cell
from dashboard.views.form import Said, Sent
from portfolio.allowed import Limits, seen
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores

EVERY_PORTFOLIO = "every one"
Do = Callable[[Sent, "Viewer"], Said]


def told(stores: Stores, dataset: str, do: Do) -> Do:
    """Return `do`, with what it refuses told in the form, and what it does shown on the pages of `dataset`."""

    def answered(sent: Sent, viewer: Viewer) -> Said:
        try:
            said = do(sent, viewer)
        except ChangeRejected as error:
            beside = [text for name, text in error.fields.items() if name not in sent.fields]
            return Said(" ".join([error.reason, *beside]), is_done=False, fields=error.fields)
        if said.is_done:
            stores.live.bump(dataset)
        return said

    return answered


def shown_once(what: str, secret: str) -> str:
    """Return the HTML of a secret that is shown now and never again; a button copies it (assets/js/73-once.js)."""
    return markup(
        html.Div(
            [
                html.P(what),
                html.Div(
                    [
                        html.Code(secret, className="fw-once-secret", tabIndex=0),
                        html.Button("Copy", type="button", className="fw-button", **attributes(data_copies="")),
                    ],
                    className="fw-once-line",
                ),
            ],
            className="fw-once",
        )
    )


def once_place(id: str) -> html.Div:
    """Return the place below a form that shows what is shown once; 68-forms.js leads the reader to it."""
    return html.Div(id=id, className="fw-once-place")


def told_zone(text: str, now: float) -> list[Any]:
    """Return a subtitle that says in which zone the times of its table are."""
    return [text, " · times in ", local_time(now, "zone")]


def listed(text: str) -> list[str]:
    """Return the items of a text with commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def own_portfolios(stores: Stores, limits: Limits = None) -> list[str]:
    """Return the ids of the fund's own portfolios that may be seen."""
    return [each.id for each in seen(list_portfolios(stores.state, OWN), limits)]


def portfolios_cell(ids: Collection[str]) -> Cell:
    """Return the cell of the portfolios that somebody or something is limited to."""
    return cut_cell(", ".join(sorted(ids))) if ids else Cell(EVERY_PORTFOLIO, tone="muted")


def portfolios_hint(offered: Collection[str]) -> Any:
    """Return what may be given as portfolios."""
    some = ", ".join(list(offered)[:3])
    return f"Ids with commas between them, those below included; empty: every one. Such as {some}." if some else (
        "Ids with commas between them; empty: every one."
    )  # fmt: skip
