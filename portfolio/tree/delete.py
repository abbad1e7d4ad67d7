"""Deleting a portfolio with all that was stored of it. A deletion that was cut off goes on with the same call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from core.format import count, first_of
from portfolio.tree.alone import alone
from portfolio.tree.merge import check_no_import
from portfolio.tree.settings import WHERE_SET, check_idle, own_portfolio, set_in_file
from storage.clickhouse.moved_rows import delete_rows, values_of
from storage.state.changes import CLEARING, DONE, Change, record_change, set_stage, unfinished_in
from storage.state.database import Transaction
from storage.state.events import forget_in_events
from storage.state.imports import rename_in_imports
from storage.state.portfolio_limits import forget_limits
from storage.state.portfolios import OWN, forget_portfolio, names_in, portfolios_in, put_into
from storage.state.scenarios import DATASET as SCENARIOS
from storage.state.scenarios import forget_in_scenarios

if TYPE_CHECKING:
    from storage.stores import Stores

DELETE = "delete"


def delete(stores: Stores, id: str, typed: str, who: str = "") -> str:
    """Delete an own portfolio with its values, flows, marks, positions, orders and trades; return what was done.

    `typed` is its name, as somebody typed it who means it. Raises ChangeRejected, when nothing was changed;
    StorageUnavailable or StorageRejected: call it again.
    """
    with alone(stores):
        return carry_on(stores, _begun(stores, id, typed, who))


def carry_on(stores: Stores, change: Change) -> str:
    """Do what is left of a deletion, and return what was done. Only where nothing else changes the tree meanwhile."""
    delete_rows(stores.clickhouse, OWN, change.portfolio)
    with stores.state.deciding() as connection:
        _lift_parts(connection, change.portfolio)
        rename_in_imports(connection, change.portfolio, "", f"{change.portfolio} deleted")
        former = [name for name, id in names_in(connection).items() if id == change.portfolio]
        forget_in_events(connection, {change.portfolio, *former})
        forget_in_scenarios(connection, {change.portfolio, *former})
        forget_limits(connection, {change.portfolio, *former}, change.who, change.at)
        forget_portfolio(connection, change.portfolio)
        set_stage(connection, change.id, DONE)
    stores.live.bump("portfolio")
    stores.live.bump("events")
    stores.live.bump(SCENARIOS)
    return f"{change.detail}."


def _lift_parts(connection: Transaction, gone: str) -> None:
    """Let what became part of it after the deletion began be part of what it was part of."""
    there = portfolios_in(connection, OWN)
    above = next((each.parent for each in there if each.id == gone), "")
    put_into(connection, [replace(each, parent=above) for each in there if each.parent == gone])


def _begun(stores: Stores, id: str, typed: str, who: str) -> Change:
    """Return the deletion that begins, or the same one that was cut off."""
    values = values_of(stores.clickhouse, OWN, id)  # before the transaction, which keeps every other one waiting
    with stores.state.deciding() as connection:
        gone = own_portfolio(connection, id)
        if typed.strip() != gone.name:
            raise ChangeRejected(f"{gone.name} stays as it is.", {"typed": f"type its name, {gone.name}"})
        going = [each for each in unfinished_in(connection) if each.portfolio == id and each.what == DELETE]
        if going:
            return going[0]
        check_idle(connection, id)
        if set_in_file(stores, id):
            raise ChangeRejected(f"{gone.name} is set in {WHERE_SET}: take it out there first.")
        if any(each.portfolio == id for each in stores.settings.readiness.portfolios):
            where = "readiness.portfolios of the settings"
            raise ChangeRejected(f"{gone.name} stands under {where}: take it out there first.")
        parts = [each.name for each in portfolios_in(connection, OWN) if each.parent == id]
        if parts:
            raise ChangeRejected(f"{gone.name} has parts ({first_of(parts)}): put them elsewhere first.")
        check_no_import(connection, gone)
        told = f"{gone.name} deleted with its {count(values, 'value')}"
        change = Change(stores.clock.now(), who, id, DELETE, told, stage=CLEARING)
        return replace(change, id=record_change(connection, change))
