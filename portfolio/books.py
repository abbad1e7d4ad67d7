"""Whether the books of own portfolios agree with what they report, as of their newest reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.format import count, first_of, noun
from portfolio.given import has_ended
from portfolio.histories import kept
from portfolio.holdings import LAST_SECOND
from portfolio.reconciliation import Compared, Reconciliation, reconciliation
from storage.clickhouse.reads.book import report_days
from storage.clickhouse.reads.booked import first_booked
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Books:
    """What the book of one portfolio is beside its newest report."""

    portfolio: str
    """Its id."""
    newest: int
    """Epoch seconds of the report."""
    differ: int
    """Positions, cash and values beyond tolerance."""
    why: str
    """One sentence."""
    is_built: bool = True
    """Whether there is a book; else `why` says why not."""


def read_books(stores: Stores) -> tuple[Books, ...]:
    """Return those of every own portfolio that goes on and tells positions and trades.

    Kept for the version of the data. Raises StorageUnavailable or StorageRejected.
    """
    now = stores.clock.now()
    own = [each for each in list_portfolios(stores.state, OWN) if not has_ended(each, now)]

    def read() -> tuple[Books, ...]:
        ids = [each.id for each in own]
        told = report_days(stores.clickhouse, OWN, ids, LAST_SECOND) if ids else {}
        traded = first_booked(stores.clickhouse, OWN, [*told]) if told else {}
        found = []
        for each in own:
            compared = reconciliation(stores, each, None, looks_back=False) if each.id in traded else None
            if compared is not None:
                beyond, problem = compared.beyond, compared.not_built.get(each.id, "")
                why = f"no book: {problem}" if problem else _said(compared)
                found.append(Books(each.id, compared.newest, len(beyond), why, not problem))
        return tuple(found)

    return kept(stores, ("books", *(each.id for each in own)), read)


def _said(found: Reconciliation) -> str:
    beyond = found.beyond
    if not beyond:
        agreed = f"{count(len(found.compared), 'position and value', 'positions and values')} agree with the trades"
        old = [f"{_name(each)} as of {each.day}" for each in found.of("nav") if found.days_old(each)]
        return f"{agreed}, {first_of(old, MOST_NAMED)}" if old else agreed
    names = first_of([_name(each) for each in beyond], MOST_NAMED)
    return f"{names} {noun(len(beyond), 'differs', 'differ')} from what the trades come to"


def _name(each: Compared) -> str:
    return {"cash": f"cash in {each.name}", "nav": "the net asset value"}.get(each.what, each.name)
