"""Halting and resuming: who may halt what, and who is told of which halts.

Whoever may see a portfolio is told of its halts and of those of everything; whoever is limited to some portfolios
halts and resumes those alone. Every halt and resumption stands in the audit.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from core.readiness import EVERY_PORTFOLIO, READINESS
from portfolio.allowed import Limits, own_ids
from storage.state.halts import (
    NOT_HALTED,
    NOT_RESUMED,
    Halt,
    add_halt,
    end_halt,
    find_halt,
    halts_in_force,
    list_halts,
)
from storage.state.portfolios import OWN, list_portfolios, names_in

if TYPE_CHECKING:
    from storage.stores import Stores

OF_ALL = "everything is halted and resumed by somebody who may see every portfolio: give one of yours"


def halt(stores: Stores, portfolio: str, why: str, until: float | None, who: str, limits: Limits) -> Halt:
    """Halt a portfolio of the fund's own by id, with those below it; EVERY_PORTFOLIO: everything. It holds at once.

    until: epoch seconds; None: until somebody resumes. Raises ChangeRejected that names the field; StorageUnavailable
    or StorageRejected.
    """
    _check_portfolio(stores, portfolio, limits)
    made = add_halt(stores.state, Halt(portfolio, who, why.strip(), stores.clock.now(), until))
    stores.live.bump(READINESS)
    return made


def resume(stores: Stores, id: int, who: str, limits: Limits) -> Halt:
    """End a halt and return it. Raises ChangeRejected; StorageUnavailable or StorageRejected.

    It is safe again when every check was ready for long enough, as after any other cause.
    """
    known = seen_halt(stores, id, limits)
    if known is None:
        raise ChangeRejected(NOT_RESUMED, {"id": f"there is no halt {id} that is in force"})
    if known.portfolio == EVERY_PORTFOLIO and limits is not None:
        raise ChangeRejected(NOT_RESUMED, {"id": OF_ALL})
    ended = end_halt(stores.state, id, who, stores.clock.now())
    stores.live.bump(READINESS)
    return ended


def seen_halts(stores: Stores, limits: Limits, most: int, before: int | None = None) -> list[Halt]:
    """Return halts there were that may be told, the newest first, no more than `most`; before: with a lower number.

    Raises StorageUnavailable or StorageRejected.
    """
    ids = _ids(stores, limits)
    with stores.state.reading() as connection:
        names = names_in(connection)
        told = None if limits is None else _stored_as(ids, names)
        return [_as_now(each, names) for each in list_halts(connection, most, before, told)]


def seen_halts_in_force(stores: Stores, limits: Limits) -> list[Halt]:
    """Return the halts in force that may be told, the newest first. Raises StorageUnavailable or StorageRejected."""
    ids = _ids(stores, limits)
    with stores.state.reading() as connection:
        names = names_in(connection)
        found = [_as_now(each, names) for each in halts_in_force(connection, stores.clock.now())]
    return [each for each in reversed(found) if _is_seen(each, limits, ids)]


def seen_halt(stores: Stores, id: int, limits: Limits) -> Halt | None:
    """Return the halt of a number; None: there is none that may be told. Raises StorageUnavailable or …Rejected."""
    with stores.state.reading() as connection:
        found = find_halt(connection, id)
        known = _as_now(found, names_in(connection)) if found else None
    return known if known is not None and _is_seen(known, limits, _ids(stores, limits)) else None


def _stored_as(ids: frozenset[str], names: Mapping[str, str]) -> set[str]:
    """Return what halts of these portfolios, and of everything, may be stored as: also what has become part of one."""
    former = {name for name, id in names.items() if id in ids}
    return {EVERY_PORTFOLIO} | former | {id for id in ids if names.get(id, id) in ids}


def _as_now(halt: Halt, names: Mapping[str, str]) -> Halt:
    """Return a halt as of the portfolio that what it halts has become part of."""
    return replace(halt, portfolio=names.get(halt.portfolio, halt.portfolio))


def _check_portfolio(stores: Stores, portfolio: str, limits: Limits) -> None:
    if portfolio == EVERY_PORTFOLIO:
        if limits is not None:
            raise ChangeRejected(NOT_HALTED, {"portfolio": OF_ALL})
        return
    known = _ids(stores, limits)
    if portfolio not in known:
        near = difflib.get_close_matches(portfolio, sorted(known), n=1, cutoff=0.5)
        fix = f"; did you mean {near[0]}?" if near else ""
        raise ChangeRejected(NOT_HALTED, {"portfolio": f"there is no portfolio {portfolio[:64]!r} of the fund{fix}"})


def _ids(stores: Stores, limits: Limits) -> frozenset[str]:
    return own_ids(list_portfolios(stores.state, OWN), limits)


def _is_seen(halt: Halt, limits: Limits, ids: frozenset[str]) -> bool:
    return limits is None or halt.portfolio == EVERY_PORTFOLIO or halt.portfolio in ids
