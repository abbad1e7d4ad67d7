"""Rows that nobody can be asked to mend: the wrong ones are left out, many at a time, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import RowsRefused
from core.ingest.kinds import KINDS
from portfolio.ingest import sparing
from portfolio.ingest.request import Asked
from portfolio.ingest.take import take_rows
from storage.state.series import Series, put_series
from storage.stores import Stores
from tests.ingest.test_door import NOW, at
from tests.support.funded import count


@pytest.fixture
def rows(funded: Stores) -> list[dict[str, Any]]:
    """A price, and 250 of what is a rate and has none."""
    put_series(funded.state, [Series("own", "ESTR", "ESTR", "rate", "EUR", "act/360")])
    wrong = [{"instrument": "ESTR", "ts": at(NOW + number), "price": 1.0} for number in range(250)]
    return [*wrong, {"instrument": "ACME", "ts": at(NOW), "price": 3.5}]


def test_every_wrong_row_is_found_a_hundred_at_a_time(
    funded: Stores, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    def counted(*given: Any) -> Any:
        rounds.append(given)
        return take_rows(*given)

    monkeypatch.setattr(sparing, "take_rows", counted)
    spared = sparing.take_good_rows(funded, Asked(KINDS["prices"]), rows)
    assert (spared.taken, len(spared.refused), len(rounds)) == (1, 250, 4)
    assert {fault.reason for _, fault in spared.refused} == {"is a rate and has no price"}
    assert count(funded, "prices") == 1


def test_more_wrong_rows_than_can_be_found_in_time_refuse_them_all_with_what_to_do(
    funded: Stores, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparing, "LONGEST_SECONDS", 0.0)
    with pytest.raises(RowsRefused, match=r"100 of 251 rows were found wrong.* is a rate .*lower batch_rows"):
        sparing.take_good_rows(funded, Asked(KINDS["prices"]), rows)
    assert count(funded, "prices") == 0
