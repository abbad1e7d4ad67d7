"""Sentences about Fundwatch's own work that may name portfolios, for those who may see some portfolios alone.

What the inbox says names files, and what is wrong with settings names what stands in them. Such a reader is told the
state without the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.model import LiveReading, Run, Status
from core.pipeline.spec import Checks, CollectorRuns
from core.requests import SETTINGS
from core.tables import rows_of, table_of
from portfolio.allowed import Limits
from storage.clickhouse.reads.state_changes import StateChange
from storage.state.actions import Action

INBOX = "inbox"
NAMING = frozenset({INBOX, Checks.SETTINGS})
"""Components, and the collector of the first."""
WITHHELD = "told to those who may see every portfolio"


def reading_for(reading: LiveReading | None, limits: Limits) -> LiveReading | None:
    """Return a reading as somebody with these limits may read it."""
    if reading is None or limits is None:
        return reading
    components = [
        replace(part, why=WITHHELD, reasons=()) if part.name in NAMING and part.status is not Status.OK else part
        for part in reading.components
    ]
    rows = rows_of(reading.tables, CollectorRuns)
    if rows:
        told = [replace(row, why=_untold(row.why), error=_untold(row.error)) if _is_inbox(row) else row for row in rows]
        reading = replace(reading, tables={**reading.tables, CollectorRuns.TABLE: table_of(CollectorRuns, told)})
    return replace(reading, components=components)


def runs_for(runs: Sequence[Run], limits: Limits) -> list[Run]:
    """Return runs as somebody with these limits may read them."""
    if limits is None:
        return [*runs]
    return [replace(run, error=_untold(run.error)) if run.collector == INBOX else run for run in runs]


def changes_for(changes: Sequence[StateChange], limits: Limits) -> Sequence[StateChange]:
    """Return changes of state as somebody with these limits may read them."""
    if limits is None:
        return changes
    return [
        replace(each, why=_untold(each.why), before_why=_untold(each.before_why))
        if {each.id.source, each.id.name} & NAMING
        else each
        for each in changes
    ]


def actions_for(actions: Sequence[Action], limits: Limits) -> list[Action]:
    """Return actions as somebody with these limits may read them."""
    if limits is None:
        return [*actions]
    return [
        replace(each, result=_untold(each.result), detail="") if each.source == str(SETTINGS) else each
        for each in actions
    ]


def _is_inbox(row: CollectorRuns) -> bool:
    return row.collector == INBOX


def _untold(text: str) -> str:
    return WITHHELD if text else text
