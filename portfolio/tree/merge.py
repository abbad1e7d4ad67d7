"""Making one portfolio of two: the values, files and names of the one become those of the other.

Each step may be repeated, and the next one is known: a merge that was cut off goes on with the same call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from core.format import count, first_of
from portfolio.tree.alone import alone
from portfolio.tree.settings import WHERE_SET, check_idle, own_portfolio, set_in_file
from storage.clickhouse.moved_rows import common_days, copy_rows, delete_rows, drop_common, values_of
from storage.state.changes import (
    CLEARING,
    DONE,
    DROPPING,
    MOVING,
    Change,
    record_change,
    set_stage,
    unfinished_in,
)
from storage.state.database import Transaction
from storage.state.imports import names_being_changed, newest_import, rename_in_imports
from storage.state.portfolio_limits import hand_on_breaches
from storage.state.portfolios import OWN, Portfolio, forget_portfolio, know_as, names_in, portfolios_in, put_into

if TYPE_CHECKING:
    from storage.stores import Stores


def merge(stores: Stores, id: str, into: str, wins: str = "", who: str = "") -> str:
    """Merge the own portfolio `id` into the one of id `into`, and return what was done, a sentence.

    `wins` is the id of the one whose values stay on days that both have. Files that name the merged one are taken for
    the other from now on, its parts become those of the other, and imports of it are undone there. Raises
    ChangeRejected, when nothing was changed; StorageUnavailable or StorageRejected: call it again.
    """
    with alone(stores):
        return carry_on(stores, _begun(stores, id, into, wins, who))


def carry_on(stores: Stores, change: Change) -> str:
    """Do what is left of a merge, and return what was done. Only where nothing else changes the tree meanwhile."""
    state, clickhouse, stage = stores.state, stores.clickhouse, change.stage
    if stage == DROPPING:
        drop_common(clickhouse, OWN, _loser(change), change.wins)
        stage = _reached(stores, change, MOVING)
    if stage == MOVING:
        copy_rows(clickhouse, OWN, change.portfolio, change.into)
        stage = _reached(stores, change, CLEARING)
    if stage == CLEARING:
        delete_rows(clickhouse, OWN, change.portfolio)
        with state.deciding() as connection:
            _forget(connection, change)
            set_stage(connection, change.id, DONE)
    stores.live.bump("portfolio")
    return f"{change.detail}."


def _begun(stores: Stores, id: str, into: str, wins: str, who: str) -> Change:
    """Return the merge that begins, or the same one that was cut off."""
    # Read before the transaction, which keeps every other one waiting; files that came meanwhile are found by `newest`.
    with stores.state.begin() as connection:
        newest, busy = newest_import(connection), set(names_being_changed(connection))
    common = common_days(stores.clickhouse, OWN, id, into)
    values = values_of(stores.clickhouse, OWN, id)
    with stores.state.deciding() as connection:
        going = next((each for each in unfinished_in(connection) if each.portfolio == id and each.into == into), None)
        if going is not None:
            return going
        check_idle(connection, id, into)
        gone, kept = own_portfolio(connection, id), own_portfolio(connection, into)
        _check(stores, connection, gone, kept)
        if newest != newest_import(connection) or busy & {id, into}:
            raise ChangeRejected(f"A file was imported just now: look at {gone.name} and {kept.name}, and try again.")
        if common and wins not in (id, into):
            both = f"{gone.name} and {kept.name} both have values on {count(len(common), 'day')} ({first_of(common)})"
            raise ChangeRejected(f"{both}: say whose stay.", {"wins": f"give {id} or {into}"})
        told = f"{gone.name} merged into {kept.name}: {count(values, 'value')}"
        if common:
            told += (
                f"; on {count(len(common), 'day')} that both have, those of {(gone if wins == id else kept).name} stay"
            )
        change = Change(
            stores.clock.now(), who, id, "merge", told, into, wins if common else "", DROPPING if common else MOVING
        )
        # From here on files that name it are taken for the other: nothing new comes to what is being moved.
        names = [name for name, of in names_in(connection).items() if of == id]
        know_as(connection, dict.fromkeys({id, gone.name, *names} - {into, kept.name}, into))
        return replace(change, id=record_change(connection, change))


def _check(stores: Stores, connection: Transaction, gone: Portfolio, kept: Portfolio) -> None:
    """Raise ChangeRejected unless the two can become one."""
    if gone.id == kept.id:
        raise ChangeRejected(f"{gone.name} is itself.", {"into": "give another portfolio"})
    if gone.currency != kept.currency:
        wrong = f"is in {kept.currency}, and {gone.name} in {gone.currency}: only values in one currency can be merged"
        raise ChangeRejected(f"{gone.name} stays as it is.", {"into": wrong})
    if set_in_file(stores, gone.id):
        raise ChangeRejected(f"{gone.name} is set in {WHERE_SET}: take it out there first.")
    there = {each.id: each for each in portfolios_in(connection, OWN)}
    above = kept.parent
    while above in there:
        if above == gone.id:
            raise ChangeRejected(
                f"{kept.name} is part of {gone.name}: put it elsewhere first.", {"into": "is part of it"}
            )
        above = there[above].parent
    check_no_import(connection, gone, kept)


def check_no_import(connection: Transaction, *items: Portfolio) -> None:
    """Raise ChangeRejected while a file of one of these is being taken or undone, or was when it was cut off."""
    busy = names_being_changed(connection)
    for item in items:
        if item.id in busy:
            number = busy[item.id]
            raise ChangeRejected(
                f"Import {number} of {item.name} is going on. If it was cut off, undo it: "
                f"`python -m collectors undo {number}`. Then import the file again."
            )


def _loser(change: Change) -> str:
    return change.into if change.wins == change.portfolio else change.portfolio


def _reached(stores: Stores, change: Change, stage: str) -> str:
    with stores.state.begin() as connection:
        set_stage(connection, change.id, stage)
    return stage


def _forget(connection: Transaction, change: Change) -> None:
    gone, into = change.portfolio, change.into
    parents = {each.id: each.parent for each in portfolios_in(connection, OWN)}
    above = [into]
    while above[-1]:
        above.append(parents.get(above[-1], ""))
    parts = [each for each in portfolios_in(connection, OWN) if each.parent == gone]
    # A part that the other one is part of goes where the merged one was: it may have been put above it meanwhile.
    put_into(connection, [replace(part, parent=parents.get(gone, "") if part.id in above else into) for part in parts])
    rename_in_imports(connection, gone, into, f"{gone} merged into {into}")
    hand_on_breaches(connection, gone, into, change.at)
    forget_portfolio(connection, gone)
