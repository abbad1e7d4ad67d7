"""Accounts that several people change at the same time, in both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from access.accounts import add_account, disable, list_accounts, set_role
from access.first_start import first_link
from core.errors import ChangeRejected
from core.roles import Role
from core.settings.model import Settings
from storage.state.accounts import has_admin
from storage.state.database import State
from tests.support.fresh_state import fresh_postgres

NOW = 1_700_000_000.0
ROUNDS = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[State]:
    if request.param == "sqlite":
        yield request.getfixturevalue("state")
        return
    database = fresh_postgres(request.getfixturevalue("postgres_url"))
    yield database
    database.close()


def at_once(*calls: Callable[[], object]) -> list[bool]:
    """Do all at the same moment; return of each whether it was done, and not refused."""
    ready = Barrier(len(calls))

    def one(call: Callable[[], object]) -> bool:
        ready.wait()
        try:
            call()
        except ChangeRejected:
            return False
        return True

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


@pytest.mark.parametrize("change", ["demoted", "disabled"])
def test_two_admins_who_end_each_other_leave_one(either: State, change: str) -> None:
    for turn in range(ROUNDS):
        pair = [f"{change}{turn}-{each}" for each in "ab"]
        for name in pair:
            add_account(either, name, Role.ADMIN, (), "test", NOW)
        for each in list_accounts(either):
            if each.name not in pair and each.role == Role.ADMIN:
                set_role(either, each.name, Role.VIEWER, "test", NOW)
        end = partial(disable, either) if change == "disabled" else partial(set_role, either, role=Role.VIEWER)
        done = at_once(partial(end, name=pair[0], by=pair[1], now=NOW), partial(end, name=pair[1], by=pair[0], now=NOW))
        assert sorted(done) == [False, True]
        with either.reading() as connection:
            assert has_admin(connection)


def test_workers_that_start_together_make_one_admin(either: State, settings: Settings) -> None:
    assert at_once(*[partial(first_link, either, settings, NOW)] * 4) == [True] * 4
    assert [each.name for each in list_accounts(either)] == ["admin"]


def test_of_two_who_add_the_same_name_one_is_told_to_choose_another(either: State) -> None:
    add = partial(add_account, either, "ana", Role.VIEWER, (), "test", NOW)
    assert sorted(at_once(add, add, add)) == [False, False, True]
