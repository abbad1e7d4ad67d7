"""What a section says instead of charts and tables while nothing is known of any of its sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.format import cut
from core.model import Status
from dashboard.components.age import local_time
from status.instances import Instance, worst_first

LONGEST_WHY = 160


def is_silent(found: Sequence[Instance]) -> bool:
    """Return whether there are sources, and of none is known how it is now."""
    return bool(found) and not any(each.is_known for each in found)


def is_unread(found: Sequence[Instance]) -> bool:
    """Return whether none of the sources has been read since the collectors started."""
    return not any(each.reading and each.reading.tables for each in found)


def why_silent(found: Sequence[Instance]) -> str:
    """Return why nothing is known of the sources: that of the one in most trouble, and how many others there are."""
    first, *others = worst_first(found)
    more = f" So are {len(others)} more." if others else ""
    return f"{_told(first)}.{more}"


def silent_line(found: Sequence[Instance]) -> html.P:
    """Return why nothing is known of the sources, and since when where they were read before."""
    read_at = max((each.reading.tables_ts for each in found if each.reading and each.reading.tables), default=None)
    since: list[Any] = ["Last read ", local_time(read_at, "span"), ". "] if read_at else []
    left_out = "Charts and tables are left out" if is_unread(found) else "Charts without data are left out"
    return html.P([f"{why_silent(found)} ", *since, f"{left_out} until one answers."], className="fw-silent-why")


def _told(instance: Instance) -> str:
    why = cut(instance.component.why, LONGEST_WHY).rstrip(".")
    return f"{instance.title} is down: {why}" if instance.status is Status.DOWN else f"{instance.title}: {why}"
