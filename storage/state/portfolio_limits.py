"""Limits of portfolios that people set: every version of each is kept, the newest counts; and when they were broken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.errors import ChangeRejected
from core.portfolio_limits.limit import AT_LEAST, NOT_SAVED, LimitState, PortfolioLimit, from_body
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction, metadata

WHO_CHARACTERS, WHAT_CHARACTERS = 80, 500
NOT_DELETED = "Nothing was deleted."
GONE = ""
"""Body of the version that deletes a limit."""
KEPT_AGAIN, CHANGED, REMOVED = "it is kept again", "the limit was changed", "the limit holds for it no more"
"""Why a breach is over."""

portfolio_limits = sa.Table(
    "portfolio_limits",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

limit_breaches = sa.Table(
    "limit_breaches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("limit_id", sa.String(24), nullable=False),
    sa.Column("portfolio", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("what", sa.String(500), nullable=False, server_default=""),
    sa.Column("began_at", sa.Float, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("worst", sa.Float, nullable=False),
    sa.Column("worst_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float, nullable=True),
    sa.Column("ended_why", sa.String(200), nullable=False, server_default=""),
    sa.Index("limit_breaches_by_portfolio", "portfolio", "began_at"),
    sa.Index("limit_breaches_by_end", "ended_at"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A version of a limit: what it was before and is from then on; None: there is none."""

    id: str
    version: int
    who: str
    at: float
    """Epoch seconds."""
    was: PortfolioLimit | None
    now: PortfolioLimit | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A time in which a limit was broken. Times are epoch seconds."""

    portfolio: str
    """Id of the portfolio whose figure it was."""
    limit: PortfolioLimit
    """As it was when the breach began."""
    what: str
    """What was found, in a sentence, when it was at its worst."""
    began_at: float
    value: float
    """With which it began."""
    worst: float
    worst_at: float
    ended_at: float | None = None
    """None: it goes on."""
    ended_why: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Stands:
    """How a limit of a portfolio stands now."""

    portfolio: str
    limit: PortfolioLimit
    value: float | None
    """None: it is not known."""
    what: str
    """In a sentence."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it from others: the limit, and whose figure it is."""
        return self.limit.id, self.portfolio

    @property
    def is_broken(self) -> bool:
        """Whether it is known to be broken."""
        return self.value is not None and self.limit.state(self.value) is LimitState.BREACHED


def limits_in(connection: Transaction) -> list[PortfolioLimit]:
    """Return the limits that people set, as they are now, by number."""
    return [found for found in _newest(connection) if found is not None]


def changes_in(connection: Transaction, most: int) -> list[Change]:
    """Return the newest versions of limits, the newest first."""
    rows = connection.execute(sa.select(portfolio_limits).order_by(portfolio_limits.c.id, portfolio_limits.c.version))
    found: list[Change] = []
    before: PortfolioLimit | None = None
    for row in rows:
        now = _limit(row)
        was = before if row.version > 1 else None
        found.append(Change(str(row.id), row.version, row.who, row.at, was, now))
        before = now
    return sorted(found, key=lambda each: (-each.at, -int(each.id), -each.version))[:most]


def add_limit(state: State, limit: PortfolioLimit, who: str, now: float) -> PortfolioLimit:
    """Keep a new limit. Raises ChangeRejected: the same one is kept already, StorageUnavailable."""
    with state.begin() as connection:
        _check_new(connection, limit)
        last = connection.execute(sa.select(sa.func.max(portfolio_limits.c.id))).scalar() or 0
        return _put(connection, limit, int(last) + 1, 1, who, now, "limit made")


def change_limit(state: State, id: str, version: int, limit: PortfolioLimit, who: str, now: float) -> PortfolioLimit:
    """Keep another version of a limit; version: the one that was seen.

    Raises ChangeRejected: it was changed or deleted meanwhile, or another one says the same; StorageUnavailable.
    """
    with state.begin() as connection:
        known = _of(connection, id, NOT_SAVED)
        if known.version != version:
            raise ChangeRejected(NOT_SAVED, {"version": f"{known.who} changed it meanwhile; load the page anew"})
        _check_new(connection, limit, id)
        return _put(connection, limit, int(id), version + 1, who, now, "limit changed")


def delete_limit(state: State, id: str, who: str, now: float) -> PortfolioLimit:
    """Delete a limit and return it; its versions are kept. Raises ChangeRejected: there is none; StorageUnavailable."""
    with state.begin() as connection:
        known = _of(connection, id, NOT_DELETED)
        _put_gone(connection, known, who, now)
        add_entry(connection, Entry(now, who, "limit deleted", known.portfolio, detail=known.body()))
        return known


def forget_limits(connection: Transaction, portfolios: Collection[str], who: str, now: float) -> None:
    """Delete limits and breaches of portfolios that are gone: another one may get such an id later."""
    for each in limits_in(connection):
        if each.portfolio in portfolios:
            _put_gone(connection, each, who, now)
    connection.execute(sa.delete(limit_breaches).where(limit_breaches.c.portfolio.in_(list(portfolios))))


def hand_on_breaches(connection: Transaction, gone: str, into: str, now: float) -> None:
    """Let the breaches of a portfolio that was merged into another one be the other's; those that went on are over."""
    of = limit_breaches.c
    those = sa.update(limit_breaches).where(of.portfolio == gone)
    connection.execute(those.where(of.ended_at.is_(None)).values(ended_at=now, ended_why=REMOVED))
    connection.execute(those.values(portfolio=into))


def breaches_in(connection: Transaction, portfolios: Collection[str], most: int, before: int = 0) -> list[Breach]:
    """Return breaches of portfolios by id: those that go on first, then the newest.

    before: number of a breach; only those that are over and began before it.
    """
    of = limit_breaches.c
    query = sa.select(limit_breaches).where(of.portfolio.in_(list(portfolios)))
    if before:
        query = query.where(of.id < before)
    order = (of.id.desc(),) if before else (of.ended_at.is_not(None), of.id.desc())
    return [_breach(row) for row in connection.execute(query.order_by(*order).limit(most))]


def settle_breaches(state: State, found: Sequence[Stands], now: float) -> bool:
    """Write down which breaches began, became worse and are over, and return whether any did.

    found: how every limit stands. What is not known now goes on as it was. Raises StorageUnavailable.
    """
    with state.reading() as connection:
        if not _steps(connection, found, now):
            return False
    with state.begin() as connection:
        for step in _steps(connection, found, now):
            connection.execute(step)
    return True


def _steps(connection: Transaction, found: Sequence[Stands], now: float) -> list[sa.Insert | sa.Update]:
    of = limit_breaches.c
    rows = connection.execute(sa.select(limit_breaches).where(of.ended_at.is_(None)))
    known = {(row.limit_id, row.portfolio): _breach(row) for row in rows}
    steps: list[sa.Insert | sa.Update] = []
    for each in found:
        there = known.pop(each.key, None)
        if there is not None and there.limit.replaces != each.limit.replaces:
            steps.append(_ended(there, now, CHANGED))
            there = None
        if each.value is None:
            continue
        what = each.what[:WHAT_CHARACTERS]
        if each.is_broken and there is None:
            row = {
                "limit_id": each.limit.id, "portfolio": each.portfolio, "body": each.limit.body(), "what": what,
                "began_at": now, "value": each.value, "worst": each.value, "worst_at": now,
            }  # fmt: skip
            steps.append(sa.insert(limit_breaches).values(**row))
        elif each.is_broken and there is not None and _is_worse(each.limit, each.value, there.worst):
            worse = {"worst": each.value, "worst_at": now, "what": what}
            steps.append(sa.update(limit_breaches).where(of.id == there.id).values(**worse))
        elif there is not None and not each.is_broken:
            is_beyond_old = there.limit.state(each.value) is LimitState.BREACHED
            steps.append(_ended(there, now, CHANGED if is_beyond_old else KEPT_AGAIN))
    return steps + [_ended(each, now, REMOVED) for each in known.values()]


def _ended(breach: Breach, now: float, why: str) -> sa.Update:
    return sa.update(limit_breaches).where(limit_breaches.c.id == breach.id).values(ended_at=now, ended_why=why)


def _is_worse(limit: PortfolioLimit, value: float, worst: float) -> bool:
    return value < worst if limit.operator == AT_LEAST else value > worst


def _put(
    connection: Transaction, limit: PortfolioLimit, id: int, version: int, who: str, now: float, what: str
) -> PortfolioLimit:
    who = who[:WHO_CHARACTERS]
    row = {"id": id, "version": version, "body": limit.body(), "who": who, "at": now}
    connection.execute(sa.insert(portfolio_limits).values(**row))
    add_entry(connection, Entry(now, who, what, limit.portfolio, detail=limit.body()))
    return replace(limit, id=str(id), version=version, who=who, at=now)


def _put_gone(connection: Transaction, limit: PortfolioLimit, who: str, now: float) -> None:
    row = {"id": int(limit.id), "version": limit.version + 1, "body": GONE, "who": who[:WHO_CHARACTERS], "at": now}
    connection.execute(sa.insert(portfolio_limits).values(**row))


def _check_new(connection: Transaction, limit: PortfolioLimit, id: str = "") -> None:
    for each in limits_in(connection):
        is_same = (each.portfolio, each.replaces, each.severity) == (limit.portfolio, limit.replaces, limit.severity)
        if is_same and each.id != id:
            raise ChangeRejected(NOT_SAVED, {"figure": f"{each.who} set a limit on the same thing; change that one"})


def _of(connection: Transaction, id: str, what: str) -> PortfolioLimit:
    found = next((each for each in limits_in(connection) if each.id == id), None)
    if found is None:
        raise ChangeRejected(what, {"id": f"there is no limit {id[:24]!r} that was set here"})
    return found


def _newest(connection: Transaction) -> list[PortfolioLimit | None]:
    of = portfolio_limits.c
    newest = sa.select(of.id, sa.func.max(of.version).label("version")).group_by(of.id).subquery()
    is_newest = sa.and_(of.id == newest.c.id, of.version == newest.c.version)
    query = sa.select(portfolio_limits).join(newest, is_newest).order_by(of.id)
    return [_limit(row) for row in connection.execute(query)]


def _limit(row: sa.Row[tuple[object, ...]]) -> PortfolioLimit | None:
    of = row._mapping
    if of["body"] == GONE:
        return None
    return from_body(of["body"], id=str(of["id"]), version=of["version"], who=of["who"], at=of["at"])


def _breach(row: sa.Row[tuple[object, ...]]) -> Breach:
    of = row._mapping
    names = ("portfolio", "what", "began_at", "value", "worst", "worst_at", "ended_at", "ended_why", "id")
    return Breach(limit=from_body(of["body"], id=of["limit_id"]), **{name: of[name] for name in names})
