"""Silences and maintenance windows as tables, and what a silence of some matchers would hide now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.alerts.expression import Matcher
from core.alerts.matchers import written
from core.alerts.silence import Silence, When, Window
from core.alerts.spec import FiringAlert, hidden_by
from core.format import coarse_duration, count
from dashboard.alerts.known import Known, labels_of, severity_of
from dashboard.alerts.parts import ahead, labels_text, severity_badge
from dashboard.alerts.silence_forms import ID, end_form, end_window_form
from dashboard.components.age import local_time
from dashboard.components.table import Cell, Column, data_table, whole_cell

MOST_NAMED = 5
"""Alerts that a preview names."""
STATES = {When.ACTIVE: ("● active", "ok"), When.PENDING: ("○ to come", "muted"), When.EXPIRED: ("✓ over", "muted")}
_SILENCES = (
    Column("id", "Silence", numeric=False),
    Column("state", "State", numeric=False),
    Column("matchers", "Which alerts", numeric=False),
    Column("hides", "Hides now"),
    Column("ends", "Ends", numeric=False),
    Column("who", "Who", numeric=False),
    Column("why", "Why", numeric=False),
    Column("does", "", numeric=False, plain="End it", has_buttons=True),
)
_WINDOWS = (
    Column("name", "Maintenance", numeric=False),
    Column("state", "State", numeric=False),
    Column("matchers", "Which alerts", numeric=False),
    Column("hides", "Hides now"),
    Column("when", "When", numeric=False),
    Column("ends", "Closes", numeric=False),
    Column("next", "Opens next", numeric=False),
    Column("who", "Who", numeric=False),
    Column("why", "Why", numeric=False),
    Column("does", "", numeric=False, plain="End it", has_buttons=True),
)


def silences_table(silences: Sequence[Silence], known: Known) -> html.Div:
    """Return a row a silence: those that are active first, those that are over last."""
    rows = sorted(silences, key=lambda each: (_place(each, known), -each.id))
    nothing = "No silence. One keeps alerts from being told that its matchers mean, until it ends."
    return data_table(
        f"{ID}-rows", _SILENCES, [_silence(each, known) for each in rows], caption="Silences", nothing=nothing
    )


def windows_table(windows: Sequence[Window], known: Known) -> html.Div:
    """Return a row a maintenance window, in the same order."""
    rows = sorted(windows, key=lambda each: (_place(each, known), -each.id))
    nothing = "No maintenance is planned."
    return data_table(
        f"{ID}-windows-rows", _WINDOWS, [_window(each, known) for each in rows], caption="Maintenance", nothing=nothing
    )


def preview(matchers: Sequence[Matcher], known: Known) -> html.Div | html.P:
    """Return what a silence of these matchers would hide of what fires now."""
    hidden = hidden_by(matchers, known.firing)
    if not hidden:
        return html.P("Nothing that fires now would be hidden.", className="fw-hides")
    named = [
        html.Li(
            [
                severity_badge(severity_of(each.severity)),
                " ",
                each.text,
                html.Span(f" · {each.rule}: {labels_text(labels_of(each))}", className="fw-hides-labels"),
            ],
            key=each.key,
        )
        for each in hidden[:MOST_NAMED]
    ]
    more = [html.Li(f"and {count(len(hidden) - MOST_NAMED, 'more alert')}")] if len(hidden) > MOST_NAMED else []
    told = f"It would hide {count(len(hidden), 'alert')} of {len(known.firing)} that fire now:"
    return html.Div([html.P(told), html.Ul([*named, *more])], className="fw-hides")


def _place(each: Silence | Window, known: Known) -> int:
    return (When.ACTIVE, When.PENDING, When.EXPIRED).index(each.when(known.now))


def _silence(silence: Silence, known: Known) -> dict[str, Any]:
    when = silence.when(known.now)
    is_over = when is When.EXPIRED
    return {
        "id": f"{silence.id}",
        "state": _state(when, silence.ended_by),
        "matchers": _matchers(silence),
        "hides": _hides(silence, when, known.firing),
        "ends": _ends(silence.ends, known.now),
        "who": silence.who,
        "why": whole_cell(silence.why),
        "does": None if is_over else end_form(silence),
    }


def _window(window: Window, known: Known) -> dict[str, Any]:
    when, now = window.when(known.now), known.now
    opened, coming = window.open_at(now), window.opens_after(now)
    again = f"{window.cron} {window.zone}, {coarse_duration(window.lasts_seconds)} each" if window.cron else "once"
    return {
        "name": Cell(f"{window.name} ({window.id})", mark="fw-wraps"),
        "state": _state(when, window.ended_by),
        "matchers": _matchers(window),
        "hides": _hides(window, when, known.firing),
        "when": whole_cell(again),
        "ends": _ends(opened.ends, now) if opened else None,
        "next": Cell(local_time(coming.begins), sort=coming.begins) if coming and when is not When.EXPIRED else None,
        "who": window.who,
        "why": whole_cell(window.why),
        "does": None if when is When.EXPIRED else end_window_form(window),
    }


def _state(when: When, ended_by: str) -> Cell:
    word, tone = STATES[when]
    return Cell(f"{word}, ended by {ended_by}" if ended_by else word, tone=tone)


def _matchers(each: Silence | Window) -> Cell:
    return whole_cell(written(each.matchers) or "every alert")


def _hides(each: Silence | Window, when: When, firing: Sequence[FiringAlert]) -> Cell | None:
    if when is When.EXPIRED:
        return None
    hidden = len(hidden_by(each.matchers, firing))
    return Cell(str(hidden), sort=float(hidden), hint="" if when is When.ACTIVE else "It would, were it active")


def _ends(ends: float, now: float) -> Cell:
    if ends <= now:
        return Cell(local_time(ends, "span"), sort=ends)
    return Cell([ahead(ends, now), ", ", local_time(ends, "span")], sort=ends)
