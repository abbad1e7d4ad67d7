"""Rows that pulls refused, told where their collectors are: these ran well all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.model import LiveReading, Status, worst
from core.pipeline.spec import CollectorRuns
from core.tables import rows_of, table_of
from status.freshness import is_stale


def with_refused_rows(reading: LiveReading, pulls: Iterable[LiveReading | None], now: float) -> LiveReading:
    """Return the pipeline's reading with what `pulls` of its host say in the rows of their collectors, where they run.

    A stale reading of a pull says nothing of `now` (epoch seconds).
    """
    fresh = {each.collector: each for each in pulls if each and each.host == reading.host and not is_stale(each, now)}
    if not fresh:
        return reading
    rows = [_row(row, fresh.get(row.collector)) for row in rows_of(reading.tables, CollectorRuns)]
    return replace(reading, tables={**reading.tables, CollectorRuns.TABLE: table_of(CollectorRuns, rows)})


def _row(row: CollectorRuns, pull: LiveReading | None) -> CollectorRuns:
    trouble = [part for part in pull.components if part.status is not Status.OK] if pull else []
    if not trouble or row.status != Status.OK:
        return row
    return replace(row, status=worst([part.status for part in trouble]).value, why=trouble[0].why)
