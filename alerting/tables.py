"""Tables that go with a mail, as CSV: the course that its picture shows, and the alerts that its text leaves out. Pure.

Times are UTC and say so, values have the base unit of their column, and no text is one that a spreadsheet runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from alerting.notice import MOST_SHOWN, Alert, Attachment, Notice
from alerting.picture import Course
from core.csv_file import csv_file, harmless
from core.format import count, cut

MOST_ALERTS = 2_000
"""Rows; a mail server takes some megabytes."""
MOST_CHARACTERS = 200
"""Of a text in a cell."""
LONGEST_NAME = 80
_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")
COLUMNS = ("severity", "alert", "what", "labels", "since (UTC)", "value", "unit", "rule", "category", "runbook")


def course_table(alert: Alert, figure: str, course: Course) -> Attachment:
    """Return a course with its thresholds; figure: what its values are called."""
    limits = [f"threshold{f' {at}' if len(course.thresholds) > 1 else ''} ({course.unit})"
              for at in range(1, len(course.thresholds) + 1)]  # fmt: skip
    head = ("time (UTC)", f"{figure} ({course.unit})", *limits)
    rows = (
        (_time(at), value if value is not None and math.isfinite(value) else None, *course.thresholds)
        for at, value in zip(course.times, course.values, strict=True)
    )
    labels = (value for _, value in alert.labels)
    return Attachment(file_name(alert.rule, *labels, "course"), csv_file([head, *rows]))


def alerts_table(notice: Notice, alerts: Sequence[Alert], unit_of: Callable[[str], str]) -> Attachment | None:
    """Return all that fires of an incident, the gravest first; None: its text tells all.

    alerts: more of them than the message has, where they are known. unit_of: returns the unit of a rule's value.
    """
    many = max(len(notice.alerts) + notice.more, len(alerts))
    if many <= MOST_SHOWN:
        return None
    told = alerts if len(alerts) > len(notice.alerts) else notice.alerts
    rows: list[Iterable[str | float | None]] = [_row(each, unit_of(each.rule)) for each in told[:MOST_ALERTS]]
    if (left := many - len(rows)) > 0:
        rows.append(
            ("", f"And {count(left, 'more alert')}: {notice.link}" if notice.link else count(left, "more alert"))
        )
    return Attachment(f"incident-{notice.incident}-alerts.csv", csv_file([COLUMNS, *rows]))


def file_name(*parts: str) -> str:
    """Return a name of a CSV file made of texts, of letters that every system takes; the last of them stays whole."""
    *first, last = (_OTHER.sub("-", each).strip("-.") for each in parts)
    return f"{'-'.join(each for each in first if each)[:LONGEST_NAME].strip('-.') or 'alert'}-{last}.csv"


def _row(alert: Alert, unit: str) -> tuple[str | float | None, ...]:
    texts = (alert.title, alert.text, alert.where)
    return (
        alert.severity.word, *(harmless(cut(" ".join(each.split()), MOST_CHARACTERS)) for each in texts),
        _time(alert.since), alert.value, unit if alert.value is not None else "",
        alert.rule, alert.category, harmless(cut(alert.runbook, MOST_CHARACTERS)),
    )  # fmt: skip


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
