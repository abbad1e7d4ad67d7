"""Sentences about Fundwatch's own work that may name portfolios, for those who may see some portfolios alone.

What the inbox says names files, what a pull or a topic says shows rows, and what is wrong with settings names what
stands in them. Such a reader is told the state without the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.alerts.spec import ENGINE
from core.model import LiveReading, Run, Status
from core.pipeline.spec import COLLECTOR, Checks, CollectorRuns
from core.readiness import COMPONENT, READINESS
from core.requests import SETTINGS
from core.settings.consume import PREFIX as CONSUME
from core.settings.pull import PREFIX as PULL
from core.tables import rows_of, table_of
from portfolio.allowed import Limits
from storage.clickhouse.reads.state_changes import StateChange
from storage.state.actions import Action

INBOX = "inbox"
NAMING = frozenset({INBOX, Checks.SETTINGS, ENGINE, COMPONENT, READINESS})
"""Components, and the collectors of the first and the last. Pulls and topics are too, by whatever name."""
WITHHELD = "told to those who may see every portfolio"


def reading_for(reading: LiveReading | None, limits: Limits) -> LiveReading | None:
    """Return a reading as somebody with these limits may read it."""
    if reading is None or limits is None:
        return reading
    components = [
        replace(part, why=WITHHELD, reasons=()) if is_naming(part.name) and part.status is not Status.OK else part
        for part in reading.components
    ]
    if reading.collector == READINESS:  # values and tables are of portfolios: who may see some asks status.readiness
        return replace(reading, components=components, samples={}, tables={})
    rows = rows_of(reading.tables, CollectorRuns)
    if rows:
        told = [
            replace(row, why=_untold(row.why), error=_untold(row.error)) if is_naming(row.collector) else row
            for row in rows
        ]
        reading = replace(reading, tables={**reading.tables, CollectorRuns.TABLE: table_of(CollectorRuns, told)})
    return replace(reading, components=components)


def runs_for(runs: Sequence[Run], limits: Limits) -> list[Run]:
    """Return runs as somebody with these limits may read them."""
    if limits is None:
        return [*runs]
    return [replace(run, error=_untold(run.error)) if is_naming(run.collector) else run for run in runs]


def changes_for(changes: Sequence[StateChange], limits: Limits) -> Sequence[StateChange]:
    """Return changes of state as somebody with these limits may read them."""
    if limits is None:
        return changes
    return [
        replace(each, why=_untold(each.why), before_why=_untold(each.before_why))
        if is_naming(each.id.source) or is_naming(each.id.name)
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


def is_naming(name: str) -> bool:
    """Return whether what is said of a collector, or of a component, may name portfolios."""
    of = name.removeprefix(COLLECTOR)
    return of in NAMING or of.startswith((PULL, CONSUME))


def _untold(text: str) -> str:
    return WITHHELD if text else text
