"""What sections of several kinds have in common: panels of what is judged and what each instance is; cells."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from core.checks import Check
from core.format import percent
from core.model import SEVERITY, Status
from core.tables import Row
from dashboard.components.card import state_badge
from dashboard.sources.facts import Fact, Facts
from dashboard.sources.section import TablePanel
from dashboard.sources.table import Field, Rows, words

LONGEST_FACT = 26
"""Longer ones are cut: whole on hover, and in the table that they come from."""


def checks_panel(title: str, definition: str, span: int = 6) -> TablePanel:
    """Return the panel "checks" of everything that is judged, the worst first."""
    return TablePanel("checks", title, "worst first", span, definition, CHECKS)


def about_panel(
    title: str, definition: str, row: type[Row], facts: Sequence[Fact], span: int = 4, *, is_lazy: bool = False
) -> TablePanel:
    """Return the panel "about" that says what the instances are, a column each."""
    content = Facts(row, tuple(facts), longest=LONGEST_FACT)
    return TablePanel("about", title, "", span, definition, content, is_lazy=is_lazy)


def _badge(status: str) -> html.Span:
    return state_badge(Status(status))


def _worst_first(check: Check) -> int:
    return -SEVERITY[Status(check.status)]


CHECKS = Rows(
    Check,
    (
        words("name", "Check"),
        Field("status", "State", _badge, numeric=False),
        words("why", "Why"),
        Field("share", "Of its limit", percent),
    ),
    nothing="Status unknown: no recent reading.",
    known_only=True,
    sort=_worst_first,
)
