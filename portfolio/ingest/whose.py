"""Whose rows these are: portfolios found by the names that files use, or made where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from core.currency import ASSUMED_CURRENCY
from portfolio.allowed import own_ids
from portfolio.ingest.body import nearest
from portfolio.ingest.faults import Faults, shown
from portfolio.ingest.request import Asked
from portfolio.ingest.shared_texts import places_of
from portfolio.tree.names import ids_of
from portfolio.tree.settings import CURRENCY_NOT_TOLD
from storage.state.changes import Change, record_change, unfinished_in
from storage.state.portfolios import (
    OWN,
    Portfolio,
    add_missing_portfolios,
    names_in,
    portfolios_in,
    remove_unused,
)

if TYPE_CHECKING:
    from storage.stores import Stores

API_ORIGIN = f"{OWN}:"
"""What ids begin with in the reading API."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The portfolio of each row, and those to be made before anything is stored."""

    ids: pa.Array
    missing: tuple[Portfolio, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """The rows that name one portfolio, and where it is told what is wrong with it."""

    sent: pa.Array
    places: list[int]
    faults: Faults

    def __call__(self, reason: str, fix: str, *, is_passing: bool = False) -> None:
        """Note that of each of the rows."""
        self.faults.add_many(
            self.places, "portfolio", lambda at: self.sent[at].as_py(), reason, fix, is_passing=is_passing
        )


def whose(stores: Stores, asked: Asked, columns: Mapping[str, Any], faults: Faults) -> Whose:
    """Return the ids of the portfolios that rows name. What cannot be is noted in `faults`.

    A portfolio that may not be seen reads as one that there is not.
    """
    with stores.state.reading() as connection:
        there = portfolios_in(connection, OWN)
        names = ids_of(there, names_in(connection))
        busy = {id for each in unfinished_in(connection) for id in (each.portfolio, each.into)}
    seen = own_ids(there, asked.limits)
    by_id = {each.id: each for each in there}
    sent = columns["portfolio"]
    codes = pc.replace_substring_regex(sent, f"^{API_ORIGIN}", "").dictionary_encode()
    places = places_of(codes)
    found: list[str] = []
    missing: list[Portfolio] = []
    known = sorted(name for name, id in names.items() if id in seen)
    for name, at in zip(codes.dictionary.to_pylist(), places, strict=True):
        id = names.get(name, name)
        found.append(id)
        telling = Telling(sent, at.tolist(), faults)
        if id in seen:
            if id in busy:
                telling("is being merged or deleted", "send it again when that is done", is_passing=True)
            _check_currency(by_id[id], columns, telling.places, faults)
        elif asked.may_create and asked.limits is None:
            position = 1 + max((each.position for each in there), default=-1) + len(missing)
            missing += _new(id, columns, position, telling)
        else:
            telling("there is no such portfolio", "" if faults.is_full else _instead(name, known, asked))
    ids = pa.DictionaryArray.from_arrays(codes.indices, pa.array(found, pa.string())).dictionary_decode()
    return Whose(ids, tuple(missing))


def create(stores: Stores, missing: tuple[Portfolio, ...], who: str) -> tuple[str, ...]:
    """Make the portfolios that there are none of yet, and return which were made."""
    if not missing:
        return ()
    made = add_missing_portfolios(stores.state, missing)
    with stores.state.begin() as connection:
        for each in made:
            record_change(connection, Change(stores.clock.now(), who, each.id, "add", "made for rows that name it"))
    return tuple(each.id for each in made)


def uncreate(stores: Stores, made: tuple[str, ...], who: str) -> None:
    """Remove portfolios that were made for rows of which nothing could be kept."""
    if not made:
        return
    gone = remove_unused(stores.state, OWN, made)
    with stores.state.begin() as connection:
        for id in gone:
            record_change(connection, Change(stores.clock.now(), who, id, "delete", "its rows could not be kept"))


def _instead(name: str, known: list[str], asked: Asked) -> str:
    """Return what to do about rows of a portfolio that there is none of. A file cannot ask to have it made."""
    near = nearest(name, known)
    if asked.limits is not None:
        return near
    if not asked.source:
        return f"{near}; or send create=true to make it"
    add = f"add {shown(name)} on Portfolios, or send its NAV first"
    return f"{near}; or {add}" if known else add


def _told_currencies(columns: Mapping[str, Any], places: list[int]) -> list[str]:
    """Return the currencies that rows of NAV tell, without repeats."""
    told = columns["currency"].take(pa.array(places)) if "currency" in columns and "nav" in columns else None
    return [] if told is None else [each for each in pc.unique(told).to_pylist() if each]


def _check_currency(portfolio: Portfolio, columns: Mapping[str, Any], places: list[int], faults: Faults) -> None:
    if any(each != portfolio.currency for each in _told_currencies(columns, places)):
        of = columns["currency"]
        wrong = [at for at in places if of[at].as_py() not in (None, portfolio.currency)]
        reason = f"is not the currency of {portfolio.id}, which is {portfolio.currency}"
        faults.add_many(wrong, "currency", lambda at: of[at].as_py(), reason, "send it in that one")


def _new(id: str, columns: Mapping[str, Any], position: int, telling: Telling) -> list[Portfolio]:
    """Return the portfolio to be made; none for a name that cannot be one."""
    told = _told_currencies(columns, telling.places)
    note = "" if told else CURRENCY_NOT_TOLD
    try:
        return [Portfolio(OWN, id, id, currency=told[0] if told else ASSUMED_CURRENCY, note=note, position=position)]
    except ValueError as error:
        telling("cannot be made", str(error))
        return []
