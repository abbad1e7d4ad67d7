"""Up to where each person has seen the notices: a number of each kind of row that notices are made from."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass

import sqlalchemy as sa

from storage.state.database import State, Transaction, metadata

notices_seen = sa.Table(
    "notices_seen",
    metadata,
    sa.Column("account", sa.String(80), primary_key=True),
    sa.Column("alerts", sa.BigInteger, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("safe", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
_LARGEST_ROW, _LARGEST_TIME = 2**31 - 1, 2**53 - 1
"""Of what either database and a browser can hold."""


@dataclass(frozen=True, slots=True)
class UpTo:
    """A place among the rows that notices are made from: numbers, since what comes late may have an earlier time."""

    alerts: int = 0
    """Row of the history of alerts."""
    done: int = 0
    """Row of the audit."""
    safe: int = 0
    """Epoch seconds of when it became safe to trade, or not."""
    due: int = 0
    """Epoch milliseconds of what began or ended when its time had come."""

    @property
    def text(self) -> str:
        """The place as an address has it: "12.7.1700000000.0"."""
        return ".".join(map(str, astuple(self)))


BEGINNING = UpTo()
END = UpTo(_LARGEST_ROW, _LARGEST_ROW, _LARGEST_TIME, _LARGEST_TIME)
"""After everything."""


def up_to(text: str) -> UpTo | None:
    """Return the place that `UpTo.text` tells; None: the text is none."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() and len(part) <= 19 for part in parts):
        return None
    found = UpTo(*map(int, parts))
    is_place = all(number <= most for number, most in zip(astuple(found), astuple(END), strict=True))
    return found if is_place else None


def seen_by(connection: Transaction, account: str) -> tuple[UpTo, float] | None:
    """Return up to where somebody has seen the notices, and when that was (epoch seconds); None: never any."""
    of = notices_seen.c
    asked = sa.select(of.alerts, of.done, of.safe, of.due, of.at).where(of.account == account)
    row = connection.execute(asked).first()
    return (UpTo(*row[:4]), float(row[4])) if row is not None else None


def mark_seen(state: State, account: str, place: UpTo, at: float) -> None:
    """Remember that somebody has seen the notices up to a place, at `at` (epoch seconds); what was seen stays seen.

    Raises StorageUnavailable or StorageRejected.
    """
    new = asdict(place)
    with state.deciding_accounts() as connection:
        of = notices_seen.c
        known = seen_by(connection, account)
        if known is None:
            connection.execute(sa.insert(notices_seen).values(account=account, at=at, **new))
            return
        further = {name: max(number, getattr(known[0], name)) for name, number in new.items()}
        if further != asdict(known[0]):
            connection.execute(sa.update(notices_seen).where(of.account == account).values(at=at, **further))
