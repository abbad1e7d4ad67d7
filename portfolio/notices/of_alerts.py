"""Notices of alerts and incidents, from the history that the alert engine writes.

Many alerts of one rule that begin, get worse or end together are told together: a storm is a line, not thousands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import orjson

from core.alerts.labels import OWN as OF_EVERY_ALERT
from core.format import count
from portfolio.notices.notice import MOST_MEMBERS, Cut, Kind, Notice, Source, level_of
from portfolio.notices.viewpoint import Viewpoint
from storage.state.alert_log import read_happened
from storage.state.alerts import HistoryRow, NumberedRow
from storage.state.database import Transaction

TOGETHER_SECONDS = 60.0
"""Rows of one rule that say the same within such a time are one notice where there are more than FEW."""
FEW = 3
MOST_LOOKED_AT = 2_000
"""Rows of the history that one answer looks through."""
CHUNK = 200
OF_ALERTS = (Kind.FIRES, Kind.RAISED, Kind.RESOLVED)
OF_INCIDENTS = (
    Kind.ACKNOWLEDGED, Kind.SNOOZED, Kind.RESOLVED_BY_HAND, Kind.ESCALATED, Kind.EXHAUSTED, Kind.UNDELIVERED,
)  # fmt: skip
_WHAT = frozenset(map(str, (*OF_ALERTS, *OF_INCIDENTS)))
INCIDENTS, HISTORY, MESSAGES = "/alerts?incident=", "/alerts/history?rule=", "/alerts/messages"


def notices_of_alerts(connection: Transaction, before: int, of: Viewpoint) -> Iterator[Notice]:
    """Yield notices of rows before the one of a number, the newest first. Raises Cut after MOST_LOOKED_AT rows."""
    together: list[NumberedRow] = []
    last, looked_at = before, 0
    for number, row in _rows(connection, before):
        last, looked_at = number, looked_at + 1
        told = of.sight.history(row)
        if told is None:
            continue
        if together and not _belongs(told, together[0][1]):
            yield from _notices(together, of)
            together = []
        together.append((number, told))
    yield from _notices(together, of)
    if looked_at == MOST_LOOKED_AT:
        raise Cut(Source.ALERTS, last)


def _rows(connection: Transaction, before: int) -> Iterator[NumberedRow]:
    for _ in range(MOST_LOOKED_AT // CHUNK):
        found = read_happened(connection, _WHAT, CHUNK, before)
        yield from found
        if len(found) < CHUNK:
            return
        before = found[-1][0]


def _belongs(row: HistoryRow, first: HistoryRow) -> bool:
    is_same = (row.what, row.rule, row.severity) == (first.what, first.rule, first.severity)
    return row.is_of_alert and is_same and abs(first.at - row.at) <= TOGETHER_SECONDS


def _notices(rows: list[NumberedRow], of: Viewpoint) -> list[Notice]:
    if len(rows) <= FEW:
        return [_notice(number, row, of) for number, row in rows]
    newest = _notice(*rows[0], of)
    last = f", the last: {newest.sentence}" if newest.kind is not Kind.RESOLVED else ""
    return [
        replace(
            newest, sentence=f"{count(len(rows), 'alert')} of {newest.rule}{last}", portfolio="", name="",
            count=len(rows), oldest=rows[-1][0], members=tuple(row.labels for _, row in rows[:MOST_MEMBERS]),
        )
    ]  # fmt: skip


def _notice(number: int, row: HistoryRow, of: Viewpoint) -> Notice:
    kind, labels = Kind(row.what), orjson.loads(row.labels)
    key = of.key_in(labels)
    return Notice(
        Source.ALERTS, number, row.at, kind, level_of(kind, row.severity), _sentence(row, labels), _place(row, of),
        portfolio=key, name=of.name_of(key), who=row.who, rule=row.rule, members=(row.labels,),
    )  # fmt: skip


def _sentence(row: HistoryRow, labels: dict[str, str]) -> str:
    if row.is_of_alert:
        where = ", ".join(f"{name} {value}" for name, value in labels.items() if name not in OF_EVERY_ALERT)
        # What is said of an alert that is over held, and does no longer.
        said = "" if row.what == Kind.RESOLVED else row.detail
        return said or (f"{row.rule}: {where}" if where else row.rule)
    by = f" by {row.who}" if row.who else ""
    what = f"Incident {row.incident}{by}" if row.incident else f"A message{by}"
    return f"{what}: {row.detail}" if row.detail else what


def _place(row: HistoryRow, of: Viewpoint) -> str:
    if row.what == Kind.UNDELIVERED:
        return MESSAGES
    # Of an incident that is over those are told nothing who may see some portfolios alone.
    if row.incident and of.is_whole:
        return f"{INCIDENTS}{row.incident}"
    return f"{HISTORY}{quote(row.rule)}" if row.rule else "/alerts"
