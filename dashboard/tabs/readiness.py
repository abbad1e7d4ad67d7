"""Readiness: every check of whether trading may go on, and halting and resuming it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.readiness import EVERY_PORTFOLIO
from core.readiness import READINESS as DATASET
from dashboard.access.common import told_zone
from dashboard.components.panel import panels, slot
from dashboard.frame.places import READINESS
from dashboard.overview import safe
from dashboard.overview.halts import ID, MOST_OVER, forms, halt_form, in_force_table, over_table
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.halting import seen_halts
from portfolio.tree.misnamed import misnamed
from status.freshness import next_stale_at

if TYPE_CHECKING:
    from storage.stores import Stores

BANNER, ZONE = f"{ID}-safe", f"{ID}-zone"
HALT = Panel(
    f"{ID}-halt",
    "Halt trading",
    "From that moment on it is not safe: trading systems that ask are told so, with who and why.",
    TableBody(120),
    tools=(),
)
HALTS = Panel(
    f"{ID}-halts",
    "Halts in force",
    "After the last one is resumed every check must be ready for a while before it is safe again.",
    TableBody(60),
    subtitle_slot=ZONE,
    tools=("full",),
)
CHECKS = Panel(
    f"{ID}-checks",
    "Checks",
    "What must be well before it is safe, not ready first. Unknown is not ready; what is not watched does not count.",
    TableBody(380, 0, safe.ROWS),
    subtitle="not ready first",
    tools=("csv", "xlsx", "full"),
)
OVER = Panel(f"{ID}-over", "Halts that are over", "The newest hundred; the audit has every one.", TableBody(60))
PANELS = (HALTS, HALT, CHECKS, OVER)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div([slot(BANNER, 58, narrow_height=92), panels(*(each.element() for each in PANELS))],
                    className="fw-content")  # fmt: skip


def build(stores: Stores, _choices: Choices, viewer: Viewer) -> View:
    """Return what the page shows. Raises StorageUnavailable."""
    now, limits = stores.clock.now(), viewer.portfolios
    found, names = safe.seen_readiness(stores, now, limits)
    readings = stores.live.every_reading([DATASET])
    return View(
        slots={
            BANNER: safe.banner(found, names),
            ZONE: told_zone("who, why and until when", now),
            HALT.slot: _halt(names, viewer),
            HALTS.slot: in_force_table(found.halts, names, limits),
            CHECKS.slot: safe.check_table(found.checks_of(EVERY_PORTFOLIO), names),
            OVER.slot: over_table(seen_halts(stores, limits, MOST_OVER), names, now),
        },
        as_of={CHECKS.id: found.read_at},
        notes={CHECKS.id: " ".join([found.unknown, *_misnamed(stores, viewer)]).strip()},
        stale_after_seconds={CHECKS.id: safe.STALE_AFTER_SECONDS},
        stale_at=next_stale_at([*readings], now),
    )


def _misnamed(stores: Stores, viewer: Viewer) -> list[str]:
    """Return what the settings say of portfolios that there are not, a sentence each."""
    if viewer.portfolios is not None:
        return []
    return [
        f"{each.place} in the settings names {each.name!r}, which is no portfolio: what it says counts for nobody."
        for each in misnamed(stores)
    ]


def _halt(names: dict[str, str], viewer: Viewer) -> Any:
    if viewer.role < CHANGING_ROLE:
        return html.P(needs(CHANGING_ROLE, "halt and resume trading"), className="fw-nothing")
    return halt_form(names, viewer.portfolios)


PAGE = Page(
    id=ID,
    title="Readiness",
    path=READINESS,
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(DATASET, "portfolio"),
    panels=PANELS,
    slots=(BANNER, ZONE, *(each.slot for each in PANELS)),
    forms=forms,
)
