"""Refused rows: what queries and topics brought that could not be taken, why, and where it stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dash import html

from access.viewer import EXPORTING_ROLE, Viewer
from core.pipeline.spec import PIPELINE
from core.settings.model import Settings
from dashboard.access.common import told_zone
from dashboard.components.choices import choice_bar, plain_select
from dashboard.components.needing import needing
from dashboard.components.panel import panels
from dashboard.pipeline.refused import (
    ID,
    PAGE_ROWS,
    PATH,
    file_route,
    page_of,
    refused_table,
    turning,
)
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from storage.state.pulled import MOST_REFUSED, count_refused, read_refused

if TYPE_CHECKING:
    from storage.stores import Stores

PICKS = f"{ID}-picks"
ALL = Panel(
    f"{ID}-all",
    "Refused rows",
    f"Rows of the settings pull and consume that could not be taken: the newest {MOST_REFUSED:,} of each. "
    "Mended at their source they are taken like any other. What programs send is refused to them, and not kept.",
    TableBody(400),
    subtitle_slot=f"{ID}-zone",
    controls_slot=f"{ID}-turning",
    tools=("full",),
)
WITHHELD = "These rows may be of any portfolio: they are shown to those who may see every one."


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(html.Span(id=PICKS, className="fw-picks"))
    return html.Div([bar, html.Div(panels(ALL.element()), className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return a page of what the choices leave."""
    if viewer.portfolios is not None:
        return View(slots={ALL.slot: html.P(WITHHELD, className="fw-nothing")}, notes={ALL.id: ""})
    kept, kinds = count_refused(stores.state), stores.settings.kinds_of_rows
    chosen = choices.get("importer", "")
    total = kept.get(chosen, 0) if chosen else sum(kept.values())
    page = page_of(choices, total)
    rows = read_refused(stores.state, chosen, offset=page * PAGE_ROWS, limit=PAGE_ROWS)
    names = sorted({*kept, *kinds, *([chosen] if chosen else [])})
    options = [("", "any"), *((name, name) for name in names)]
    asked = f"?{urlencode({'importer': chosen})}" if chosen else ""
    file = html.A("CSV", href=f"{PATH}.csv{asked}", download="refused-rows.csv", className="fw-turning-file",
                  title="Every row that the choice leaves, as a file", **needing(EXPORTING_ROLE))  # fmt: skip
    pick = plain_select(ID, "importer", options, chosen=chosen, default="", label="Importer", key=str(len(options)))
    return View(
        slots={
            PICKS: [pick],
            f"{ID}-zone": told_zone("newest first", stores.clock.now()),
            ALL.slot: refused_table(rows, kinds),
            f"{ID}-turning": [turning(len(rows), total, page), file],
        },
        notes={ALL.id: ""},
    )


def _fitted(settings: Settings) -> Page:
    return replace(PAGE, datasets=settings.row_importers or (PIPELINE,))


PAGE = Page(
    id=ID,
    title="Refused rows",
    path=PATH,
    parent="pipeline",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    datasets=(PIPELINE,),
    panels=(ALL,),
    slots=(PICKS, f"{ID}-zone", ALL.slot, f"{ID}-turning"),
    routes=lambda stores: [file_route(stores)],
    fit=_fitted,
)
