"""What programs sent: an entry an hour, sender and kind of rows, so that who sends each second floods no list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.format import count, number
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction, metadata

HOUR_SECONDS = 3_600
MOST_DOUBTED = 200
"""Doubted rows that are kept of each kind of doubt in an entry, the first."""
WHY_CHARACTERS = 500
WHAT = "rows sent"
"""What the audit calls it."""

sent_rows = sa.Table(
    "sent_rows",
    metadata,
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("who", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("batches", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("restated", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("last", sa.Float, nullable=False),
    sa.Column("why", sa.String(WHY_CHARACTERS), nullable=False, server_default=""),
    sa.Column("doubts", sa.Text, nullable=False, server_default="[]"),
    sa.Column("is_audited", sa.Boolean, nullable=False, server_default=sa.false()),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody sent of a kind, in an hour or at once."""

    who: str
    kind: str
    last: float
    """When the last batch came, epoch seconds."""
    batches: int = 1
    """Those refused among them."""
    rows: int = 0
    """That were taken."""
    added: int = 0
    restated: int = 0
    refused: int = 0
    """Batches of which nothing was taken."""
    why: str = ""
    """Why the last of those was refused."""
    doubts: str = "[]"
    """JSON of what was hard to believe and taken (portfolio.imports.doubts)."""

    @property
    def hour(self) -> int:
        """Return the beginning of its hour, epoch seconds."""
        return int(self.last) // HOUR_SECONDS * HOUR_SECONDS

    def told(self) -> str:
        """Return it in words."""
        first, end = (
            datetime.fromtimestamp(each, UTC).strftime("%H:%M") for each in (self.hour, self.hour + HOUR_SECONDS)
        )
        counts = {"new": self.added, "restated": self.restated}
        came = "".join(f", {number(many)} {what}" for what, many in counts.items() if many)
        said = f"{count(self.rows, 'row')} in {count(self.batches, 'batch', 'batches')}, {first} to {end} UTC{came}"
        return f"{said}; {number(self.refused)} refused, the last: {self.why}" if self.refused else said


_COLUMNS = tuple(sent_rows.c[each.name] for each in fields(Sent))
_SUMS = ("batches", "rows", "added", "restated", "refused")


def add_sent(state: State, sent: Sent) -> None:
    """Add what was sent to the entry of its hour; hours that are over go to the audit. Raises StorageUnavailable."""
    c = sent_rows.c
    key = {"hour": sent.hour, "who": sent.who[:80], "kind": sent.kind}
    is_it = sa.and_(*(c[name] == value for name, value in key.items()))
    with state.deciding() as connection:
        was = connection.execute(sa.select(c.doubts).where(is_it)).scalar()
        values: dict[str, Any] = {"last": sent.last}
        if sent.doubts != "[]":
            values["doubts"] = _together(was or "[]", sent.doubts)
        if sent.why:
            values["why"] = sent.why[:WHY_CHARACTERS]
        if was is None:
            connection.execute(
                sa.insert(sent_rows).values(**key, **{name: getattr(sent, name) for name in _SUMS}, **values)
            )
        else:
            sums = {name: c[name] + getattr(sent, name) for name in _SUMS}
            connection.execute(sa.update(sent_rows).where(is_it).values(**sums, **values))
        _audit_before(connection, sent.hour)


def audit_sent(state: State, now: float) -> None:
    """Tell the audit of the hours that are over and that it does not know of. Raises StorageUnavailable."""
    hour = int(now) // HOUR_SECONDS * HOUR_SECONDS
    is_due = (sent_rows.c.is_audited == sa.false()) & (sent_rows.c.hour < hour)
    with state.reading() as connection:
        if connection.execute(sa.select(sent_rows.c.hour).where(is_due).limit(1)).first() is None:
            return
    with state.deciding() as connection:
        _audit_before(connection, hour)


def list_sent(state: State, limit: int, who: str = "") -> list[Sent]:
    """Return the newest entries, newest first; `who`: of this sender alone. Raises StorageUnavailable."""
    c = sent_rows.c
    query = sa.select(*_COLUMNS).order_by(c.hour.desc(), c.last.desc(), c.who, c.kind).limit(limit)
    with state.reading() as connection:
        return [Sent(*row) for row in connection.execute(query.where(c.who == who) if who else query)]


def doubted_sent(state: State) -> list[Sent]:
    """Return the entries with values that were hard to believe, oldest first. Raises StorageUnavailable."""
    query = sa.select(*_COLUMNS).where(sent_rows.c.doubts != "[]").order_by(sent_rows.c.hour)
    with state.reading() as connection:
        return [Sent(*row) for row in connection.execute(query)]


def rename_in_sent(connection: Transaction, gone: str, into: str) -> None:
    """Let what is doubted of the portfolio `gone` be of `into`, of none when that is empty."""
    c = sent_rows.c
    query = sa.select(c.hour, c.who, c.kind, c.doubts).where(c.doubts != "[]")
    for hour, who, kind, doubts in connection.execute(query).fetchall():
        kept = json.loads(doubts)
        if not any(row["name"] == gone for each in kept for row in each["rows"]):
            continue
        for each in kept:
            renamed = [row | {"name": into} if row["name"] == gone else row for row in each["rows"]]
            each["rows"] = [row for row in renamed if row["name"]]
        text = json.dumps([each for each in kept if each["rows"]], ensure_ascii=False)
        is_it = (c.hour == hour) & (c.who == who) & (c.kind == kind)
        connection.execute(sa.update(sent_rows).where(is_it).values(doubts=text))


def _audit_before(connection: Transaction, hour: int) -> None:
    c = sent_rows.c
    is_due = (c.is_audited == sa.false()) & (c.hour < hour)
    for each in [Sent(*row) for row in connection.execute(sa.select(*_COLUMNS).where(is_due)).fetchall()]:
        came = "refused" if each.refused == each.batches else "done"
        # Of no request: what is sent now, from wherever, has nothing to do with it.
        entry = Entry(each.last, each.who or "Fundwatch", WHAT, each.kind, "-", outcome=came, detail=each.told())
        add_entry(connection, entry)
    connection.execute(sa.update(sent_rows).where(is_due).values(is_audited=True))


def _together(one: str, other: str) -> str:
    """Return two lists of doubts as one, each row once."""
    found: dict[str, dict[str, Any]] = {}
    for each in (*json.loads(one), *json.loads(other)):
        kept = found.setdefault(each["kind"], {"kind": each["kind"], "count": 0, "rows": []})
        fresh: Sequence[Any] = [row for row in each["rows"] if row not in kept["rows"]]
        kept["count"] += each["count"] if len(fresh) == len(each["rows"]) else len(fresh)
        kept["rows"] = [*kept["rows"], *fresh][:MOST_DOUBTED]
    return json.dumps([*found.values()], ensure_ascii=False)
