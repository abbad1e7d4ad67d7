"""Whether books agree is a check of each portfolio that tells both sides: ready, not ready, or not known."""

from __future__ import annotations

from typing import Any

import pytest

from alerting.readiness.books import NOT_TOLD, agree
from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.readiness import Checks, State
from portfolio.books import read_books
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.portfolio.test_reconciliation import TODAY, bought, held
from tests.support.funded import Send, tell


def check(stores: Stores, later: float = 0.0, going_on: tuple[str, ...] = ("alpha",)) -> Found:
    now = stores.clock.now()
    (found,) = agree(Outcome(read_books(stores), "", now, 0.0), going_on, now + later)
    assert found.check is Checks.BOOKS
    return found


def test_it_is_not_watched_where_nobody_tells_both_sides(funded: Stores, send: Send) -> None:
    assert (check(funded).state, check(funded).why) == (State.NOT_WATCHED, NOT_TOLD)
    held(send, 0, 10)
    assert check(funded).state is State.NOT_WATCHED


def test_it_is_ready_while_they_agree_and_not_when_a_fill_is_missing(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, 5)
    held(send, 0, 15)
    found = check(funded)
    assert (found.state, found.portfolio, found.read_at) == (State.READY, "alpha", TODAY)
    assert found.where == "/portfolio/reconcile?portfolio=own%3Aalpha"
    held(send, 0, 16)
    found = check(funded)
    assert (found.state, found.why) == (State.NOT_READY, "ACME differs from what the trades come to")
    assert check(funded, going_on=()).state is State.NOT_WATCHED


def test_cash_that_differed_differs_until_cash_is_told_again(funded: Stores, send: Send) -> None:
    def cash(day: int, amount: float) -> None:
        tell(send, "cash", {"ts": at(TODAY + day * DAY), "currency": "EUR", "amount": amount})

    cash(-3, 1_000)
    held(send, -3, 10)
    cash(-1, 1_000_000)
    bought(send, -2, 5)
    held(send, -1, 15)
    assert check(funded).state is State.NOT_READY
    held(send, 0, 15)
    found = check(funded)
    assert (found.state, found.why) == (State.NOT_READY, "cash in EUR differs from what the trades come to")
    cash(0, 950)
    assert check(funded).state is State.READY


def test_a_report_that_is_too_old_says_nothing(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, 5)
    held(send, 0, 15)
    assert check(funded, later=7 * DAY).state is State.UNKNOWN


@pytest.mark.parametrize("told", ["not looked at yet", Outcome(None, "ClickHouse does not answer", 0.0, 0.0)])
def test_what_nobody_knows_is_not_known(told: Any) -> None:
    (found,) = agree(told, ["alpha"], 0.0)
    assert found.state is State.UNKNOWN
