"""Tables that sections of feeds have in common: what is judged, and what each instance is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dash import html

from core.format import percent
from core.model import SEVERITY, Status
from dashboard.components.card import state_badge
from dashboard.sources.facts import Fact, about_table, told_by
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import Row

LONGEST_FACT = 26
"""Longer ones are cut: whole on hover, and in the table that they come from."""


def rows_id(name: str) -> str:
    """Return the id of a table's rows, by which its filter box finds it."""
    return f"pipeline-{name}-rows"


def checks(kind: str) -> Callable[[Shown], html.Div]:
    """Return what makes the table of everything that is judged, the worst first."""

    def table(shown: Shown) -> html.Div:
        fields = (
            words("name", "What"),
            Field("status", "State", _badge, numeric=False),
            words("why", "Why"),
            Field("share", "Of its limit", percent),
        )
        known = [each for each in shown.chosen if each.status not in (Status.UNKNOWN, Status.DOWN)]
        rows = sorted(source_rows(known, "checks"), key=lambda row: -SEVERITY[Status(row["status"])])
        nothing = "How it is, is not known now."
        return source_table(rows_id(f"{kind}-checks"), fields, rows, caption="Checks", nothing=nothing)

    return table


def about(kind: str, facts: Sequence[Fact]) -> Callable[[Shown], html.Div]:
    """Return what makes the table of the instances, a column each; lines that nobody has are left out."""

    def table(shown: Shown) -> html.Div:
        told = told_by(shown.chosen)
        return about_table(rows_id(f"{kind}-about"), facts, told, caption="Instances", longest=LONGEST_FACT)

    return table


def tone_of(key: str, tones: dict[str, str]) -> Callable[[Row], str]:
    """Return what colours a cell by one of the row's values."""
    return lambda row: tones.get(str(row[key]), "")


def _badge(status: str) -> html.Span:
    return state_badge(Status(status))
