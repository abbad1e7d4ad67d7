"""What importers of rows have in common: how rows are asked for, and how those that were refused are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from core.errors import Fault
from core.format import count, duration, number
from core.ingest.kinds import Kind
from core.model import Component, Status
from portfolio.ingest.request import Asked
from storage.state.pulled import Mark

if TYPE_CHECKING:
    from storage.stores import Stores

TROUBLED_SECONDS = 86_400.0
"""So long a row that was refused is told of."""


def asked_by(stores: Stores, kind: Kind, name: str) -> Asked:
    """Return how rows that an importer brings are taken: the last of a key counts, and replaces what stands there."""
    may_create = stores.settings.ingest.create_portfolios
    return Asked(kind, may_create=may_create, last_counts=True, who=name, source=name)


def content_of(row: Mapping[str, Any]) -> str:
    """Return a row as JSON, as it is kept."""
    try:
        return orjson.dumps(row).decode()
    except orjson.JSONEncodeError:
        return "(nested too deeply to be kept)"


def why_refused(fault: Fault) -> str:
    """Return what is wrong with a row, in a sentence."""
    field = f"{fault.field}: " if fault.field else ""
    shown = f" ({fault.value})" if fault.value else ""
    return f"{field}{fault.reason}{shown}; {fault.fix}"


def component(name: str, found: Mark, before: Mark, last: str, now: float) -> Component:
    """Return how an importer is after a look.

    found, before: how far it came, and how far it was. last: what was wrong with the row that was refused last.
    """
    told = f"{count(found.rows - before.rows, 'row')} read now, {number(found.rows)} in all"
    if not found.refused_at or now - found.refused_at > TROUBLED_SECONDS:
        return Component(name, Status.OK, told)
    since = duration(max(now - found.refused_at, 0.0))
    last = f": {last}" if last else ""
    why = f"{count(found.refused, 'row')} refused, the last {since} ago{last}; kept under Refused rows"
    return Component(name, Status.WARNING, f"{why}. {told}")
