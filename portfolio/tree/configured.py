"""Portfolios of the settings file, put into the tree at the start: what stands there counts."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import FundwatchError, SettingsError, StorageUnavailable
from core.trading_days import trading_days
from portfolio.limits.names import unknown_named
from portfolio.series.reference import catalogue
from portfolio.tree.lost import put_back
from portfolio.tree.misnamed import refuse_misnamed
from portfolio.tree.names import ids_of
from portfolio.tree.settings import WHERE_SET, told_currency, unknown_calendar, values_of
from portfolio.tree.unfinished import finish_changes
from storage.state.changes import Change, record_change
from storage.state.portfolios import OWN, Portfolio, know_as, list_portfolios, names_in, portfolios_in, put_into
from storage.stores import pauses

if TYPE_CHECKING:
    from core.settings.portfolios import SetPortfolio
    from storage.state.database import Transaction
    from storage.stores import Stores


log = logging.getLogger(__name__)


def prepare_tree(stores: Stores) -> None:
    """Finish what was cut off, put back what is missing, then set what the settings file sets.

    Raises SettingsError that names the portfolio and field that cannot be, StorageUnavailable or StorageRejected.
    """
    finish_changes(stores)
    put_back(stores)
    items = stores.settings.portfolios
    for at, item in enumerate(items):
        for field, wrong in unknown_calendar(item.given().get("calendar", "")).items():
            raise SettingsError(f"{_place(at, field, item.given()[field])}: {wrong}")
    if items:
        _put(stores, items)
    refuse_misnamed(stores)
    for told in unknown_named(stores):
        log.warning("%s", told)
    calendars = {each.calendar for each in list_portfolios(stores.state) if each.calendar}
    threading.Thread(target=_make_calendars, args=(calendars,), name="calendars", daemon=True).start()


def when_storage_answers(stores: Stores, prepare: Callable[[], None]) -> None:
    """Call `prepare` now or, where a server's storage is away, in a thread as soon as it answers.

    Raises what `prepare` raises; StorageUnavailable of the engine inside this process alone.
    """
    try:
        prepare()
    except StorageUnavailable as error:
        if stores.settings.is_embedded:
            raise
        log.warning("the tree of portfolios is looked at when storage answers: %s", error)
        stopping = threading.Event()
        stores.at_close(stopping.set)
        threading.Thread(target=_prepare_later, args=(prepare, stopping), name="tree", daemon=True).start()


def _prepare_later(prepare: Callable[[], None], stopping: threading.Event) -> None:
    for seconds in pauses():
        if stopping.wait(seconds):
            return
        try:
            prepare()
        except StorageUnavailable:
            continue
        except FundwatchError as error:
            log.error("the tree of portfolios cannot be put in order: %s", error)
        return


def _make_calendars(names: set[str]) -> None:
    """Make the calendars that are set before a page asks for them: an exchange's takes seconds."""
    for name in names:
        with contextlib.suppress(ValueError):  # told where it is used
            trading_days(name)


def _put(stores: Stores, items: tuple[SetPortfolio, ...]) -> None:
    # Before the transaction: what is a benchmark is read from all stores.
    given = [_given(stores, item) for item in items]
    with stores.state.deciding() as connection:
        changed = [_put_one(stores, connection, at, *each) for at, each in enumerate(zip(items, given, strict=True))]
        _put_parents(connection, items)
    if any(changed):
        stores.live.bump("portfolio")


def _given(stores: Stores, item: SetPortfolio) -> dict[str, str]:
    """Return the fields that are set, with the key of a blend that is named by its id or name.

    A benchmark that is not there yet may come later: the page of the portfolio says that there is none.
    """
    given = item.given()
    return {**given, "benchmark": catalogue(stores, OWN).key(given["benchmark"])} if given.get("benchmark") else given


def _put_one(stores: Stores, connection: Transaction, at: int, item: SetPortfolio, given: dict[str, str]) -> bool:
    """Set the fields of one portfolio but its parent, which may come later in the list; return whether it changed."""
    there = {each.id: each for each in portfolios_in(connection, OWN)}
    known = names_in(connection)
    if item.id in known:
        raise SettingsError(f"{_place(at, 'id', item.id)}: is part of {known[item.id]} now: take it out of the list")
    was = there.get(item.id)
    others = ids_of([each for each in there.values() if each.id != item.id], known)
    name = given.get("name", item.id if was is None else was.name)
    if others.get(name, item.id) != item.id:
        raise SettingsError(f"{_place(at, 'name', name)}: is what files call {others[name]}: give another one")
    wanted = {"name": name, **given}
    own = {field: value for field, value in wanted.items() if field != "parent"}
    try:
        now = told_currency(replace(was or Portfolio(OWN, item.id, name, position=at), **values_of(own)), given)
    except ValueError as error:
        raise SettingsError(f"portfolios[{at}] ({WHERE_SET}): {error}") from error
    is_new_parent = was is not None and "parent" in given and others.get(given["parent"], "") != was.parent
    if now == was and not is_new_parent:
        return False
    put_into(connection, [now])
    if was is not None and was.name not in (now.name, was.id):
        know_as(connection, {was.name: was.id})
    told = ", ".join(f"{field} {value or 'none'}" for field, value in wanted.items())
    record_change(connection, Change(stores.clock.now(), WHERE_SET, item.id, "set", told))
    return True


def _put_parents(connection: Transaction, items: tuple[SetPortfolio, ...]) -> None:
    there = {each.id: each for each in portfolios_in(connection, OWN)}
    ids = ids_of(list(there.values()), names_in(connection))
    parents = {item.id: item.given()["parent"] for item in items if "parent" in item.given()}
    places = {item.id: at for at, item in enumerate(items)}
    for id, parent in parents.items():
        if parent and ids.get(parent) in (None, id):
            raise SettingsError(f"{_place(places[id], 'parent', parent)}: give the id of another portfolio")
    try:
        # All at once: on the way from one tree to another there may be none.
        put_into(connection, [replace(there[id], parent=ids.get(parent, "")) for id, parent in parents.items()])
    except ValueError as error:
        raise SettingsError(f"portfolios ({WHERE_SET}): {error}") from error


def _place(at: int, field: str, value: str) -> str:
    return f"portfolios[{at}].{field}={value!r} ({WHERE_SET})"
