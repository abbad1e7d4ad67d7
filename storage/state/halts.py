"""Halts: trading is not safe because a person said so, for everything or a portfolio, until it ends or is resumed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from core.errors import ChangeRejected
from core.readiness import EVERY_PORTFOLIO
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction, metadata

WHY_CHARACTERS, WHO_CHARACTERS = 500, 80
LONGEST_SECONDS = 366 * 86_400.0
NOT_HALTED, NOT_RESUMED = "Nothing was halted.", "Nothing was resumed."

halts = sa.Table(
    "halts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("portfolio", sa.String(64), nullable=False, server_default=""),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("why", sa.String(500), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=True),
    sa.Column("ended_at", sa.Float, nullable=True),
    sa.Column("ended_by", sa.String(80), nullable=False, server_default=""),
    sa.Index("halts_by_end", "ended_at"),
)


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt. Times are epoch seconds."""

    portfolio: str
    """Id of the portfolio of the fund's own that it halts, with those below it; EVERY_PORTFOLIO: everything."""
    who: str
    why: str
    made_at: float
    until: float | None = None
    """When it ends by itself; None: it holds until somebody resumes."""
    ended_at: float | None = None
    """When somebody resumed."""
    ended_by: str = ""
    id: int = 0

    def holds(self, now: float) -> bool:
        """Return whether it is in force. Whatever the clock says, one that was made holds."""
        return self.ended_at is None and (self.until is None or now < self.until)

    @property
    def sentence(self) -> str:
        """Who halted, until when and why. A portfolio is not named: those below it are told the same."""
        what = "everything halted" if self.portfolio == EVERY_PORTFOLIO else "halted"
        until = "" if self.until is None else f" until {_moment(self.until)}"
        return f"{what} by {self.who}{until}: {self.why}"


def add_halt(state: State, halt: Halt) -> Halt:
    """Keep a halt and return it with its number: it is in force. Raises ChangeRejected, StorageUnavailable."""
    _check(halt)
    row = {
        "portfolio": halt.portfolio, "who": halt.who[:WHO_CHARACTERS], "why": halt.why, "made_at": halt.made_at,
        "until": halt.until,
    }  # fmt: skip
    with state.begin() as connection:
        (id,) = connection.execute(sa.insert(halts).values(**row)).inserted_primary_key or (0,)
        add_entry(connection, Entry(halt.made_at, halt.who, "trading halted", _target(halt), detail=halt.sentence))
        return replace(halt, id=int(id), who=halt.who[:WHO_CHARACTERS])


def end_halt(state: State, id: int, who: str, now: float) -> Halt:
    """End a halt now and return it. Raises ChangeRejected: it is over; StorageUnavailable."""
    with state.begin() as connection:
        known = find_halt(connection, id)
        if known is None or not known.holds(now):
            raise ChangeRejected(NOT_RESUMED, {"id": f"there is no halt {id} that is in force"})
        ended = replace(known, ended_at=now, ended_by=who[:WHO_CHARACTERS])
        values = {"ended_at": ended.ended_at, "ended_by": ended.ended_by}
        connection.execute(sa.update(halts).where(halts.c.id == id).values(**values))
        add_entry(connection, Entry(now, who, "trading resumed", _target(known), detail=known.sentence))
        return ended


def halts_in_force(connection: Transaction, now: float) -> list[Halt]:
    """Return the halts that hold at `now` (epoch seconds), the oldest first."""
    of = halts.c
    is_open = sa.and_(of.ended_at.is_(None), sa.or_(of.until.is_(None), of.until > now))
    return [Halt(**row._mapping) for row in connection.execute(sa.select(halts).where(is_open).order_by(of.id))]


def list_halts(
    connection: Transaction, most: int, before: int | None = None, portfolios: Collection[str] | None = None
) -> list[Halt]:
    """Return halts there were, the newest first, and no more than `most`.

    before: those with a lower number alone. portfolios: those of these portfolios alone; None: of any.
    """
    query = sa.select(halts).order_by(halts.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(halts.c.id < before)
    if portfolios is not None:
        query = query.where(halts.c.portfolio.in_(sorted(portfolios)))
    return [Halt(**row._mapping) for row in connection.execute(query)]


def expired_halts(connection: Transaction, until: float, most: int) -> list[Halt]:
    """Return halts that nobody ended and whose time was over at `until` (epoch seconds), the last to end first."""
    of = halts.c
    asked = sa.select(halts).where(of.ended_at.is_(None), of.until <= until).order_by(of.until.desc()).limit(most)
    return [Halt(**row._mapping) for row in connection.execute(asked)]


def find_halt(connection: Transaction, id: int) -> Halt | None:
    """Return the halt of a number; None: there is none."""
    row = connection.execute(sa.select(halts).where(halts.c.id == id)).first()
    return Halt(**row._mapping) if row else None


def halt_of(portfolio: str, found: Sequence[Halt], parents: Mapping[str, str]) -> Halt | None:
    """Return the first of these halts that is of a portfolio or of what it is part of; else None.

    portfolio: EVERY_PORTFOLIO: of everything alone. parents: id of what each portfolio of the fund's own is part of.
    """
    above = {portfolio}
    while (portfolio := parents.get(portfolio, "")) and portfolio not in above:
        above.add(portfolio)
    return next((each for each in found if each.portfolio in above), None)


def _check(halt: Halt) -> None:
    wrong = {}
    if not halt.why.strip():
        wrong["why"] = "is empty; say why, others will ask"
    elif len(halt.why) > WHY_CHARACTERS or not halt.why.isprintable():
        wrong["why"] = f"has more than {WHY_CHARACTERS} characters, or more than one line; shorten it"
    if halt.until is not None and not 0 < halt.until - halt.made_at <= LONGEST_SECONDS:
        wrong["until"] = "is over, or more than a year away; give a time within a year, or leave it out"
    if wrong:
        raise ChangeRejected(NOT_HALTED, wrong)


def _target(halt: Halt) -> str:
    return halt.portfolio or "everything"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
