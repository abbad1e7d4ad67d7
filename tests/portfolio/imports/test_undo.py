"""An undone import was never there, whatever came before and after it, and whenever undoing it was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.errors import StorageUnavailable, UndoRejected
from portfolio.imports.mapping import Mapping
from portfolio.imports.take import take
from portfolio.imports.undo import undo
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.portfolio_rows import remove_rows
from storage.clickhouse.reads.portfolio import daily_navs
from storage.clickhouse.reads.restatements import restatements
from storage.state.imports import recent_imports
from storage.state.portfolios import list_portfolios, remove_origin
from storage.stores import Stores

File = dict[tuple[str, int, int], tuple[int, int]]
"""NAV and flow by portfolio, day and hour."""
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second."""
FILES = st.dictionaries(
    st.tuples(st.sampled_from(["A", "B"]), st.integers(2, 4), st.sampled_from([0, 20])),
    st.tuples(st.integers(10, 13), st.sampled_from([0, 0, 5])),
    min_size=1,
    max_size=6,
)


def bring(stores: Stores, file: File) -> int:
    stores.clock.advance(1)  # type: ignore[attr-defined]
    lines = [f"2023-01-{day:02}T{hour:02}:00Z,{name},{nav},{flow}" for (name, day, hour), (nav, flow) in file.items()]
    return take(stores, "nav.csv", ("date,portfolio,nav,flow\n" + "\n".join(lines)).encode(), accept=True).number


def picture(stores: Stores) -> tuple[Any, ...]:
    """Return everything that a page shows of own NAV, apart from when it came."""
    points = stores.clickhouse.rows("SELECT portfolio, toUnixTimestamp(ts), nav, flow FROM nav FINAL ORDER BY 1, 2")
    days = daily_navs(stores.clickhouse, "own")
    marks = [
        (mark.portfolio, mark.ts, mark.was, mark.now, mark.flow_was, mark.flow_now)
        for mark in restatements(stores.clickhouse, "own")
    ]
    names = sorted(each.id for each in list_portfolios(stores.state))
    return points, days.portfolios, str(days.days), str(days.values), str(days.flows), sorted(marks), names


def empty(stores: Stores) -> None:
    remove_rows(stores.clickhouse, "own")
    remove_origin(stores.state, "own")


def merge(stores: Stores) -> None:
    for table in ("nav", "nav_daily", "nav_restatements"):
        stores.clickhouse.command(f"OPTIMIZE TABLE {table} FINAL")


@settings(max_examples=12, phases=WITHOUT_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILES, min_size=1, max_size=5), data=st.data())
def test_what_is_undone_was_never_there(stores: Stores, files: Sequence[File], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(range(len(files))), min_size=1, unique=True))
    empty(stores)
    for at, file in enumerate(files):
        if at not in gone:
            bring(stores, file)
    wanted = picture(stores)
    empty(stores)
    numbers = [bring(stores, file) for file in files]
    for at in gone:
        if data.draw(st.booleans()):
            merge(stores)
        undo(stores, numbers[at])
    assert picture(stores) == wanted


class Dying(ClickHouse):
    """ClickHouse that goes away after some statements that change something."""

    left = 0

    def command(self, *arguments: Any, **named: Any) -> Any:
        if self.left == 0:
            raise StorageUnavailable("gone")
        self.left -= 1
        return super().command(*arguments, **named)


@pytest.mark.parametrize("statements", range(7))
def test_undoing_that_was_cut_off_is_finished_by_the_same_call(stores: Stores, statements: int) -> None:
    files: list[File] = [
        {("A", 2, 0): (10, 0), ("A", 3, 0): (11, 0), ("A", 3, 20): (12, 5)},
        {("A", 3, 20): (13, 0), ("A", 4, 0): (12, 0), ("B", 2, 0): (10, 0)},
        {("A", 4, 0): (13, 0), ("B", 2, 0): (11, 0)},
    ]
    for file in (files[0], files[2]):
        bring(stores, file)
    wanted = picture(stores)
    empty(stores)
    numbers = [bring(stores, file) for file in files]
    merge(stores)
    alive = stores.clickhouse
    dying = Dying(alive.url, alive.database)
    dying.left = statements
    with pytest.raises(StorageUnavailable):
        undo(Stores(stores.settings, dying, stores.live, stores.state, stores.writer, stores.clock), numbers[1])
    dying.close()
    assert {each.outcome for each in recent_imports(stores.state) if each.id == numbers[1]} == {"undoing"}
    merge(stores)
    undo(stores, numbers[1])
    assert picture(stores) == wanted


def test_prices_come_back_too(stores: Stores) -> None:
    said = Mapping(portfolio="SPX")
    for text in ("date,close\n2023-01-02,5\n", "date,close\n2023-01-02,6\n2023-01-03,7\n"):
        stores.clock.advance(1)  # type: ignore[attr-defined]
        number = take(stores, "prices.csv", text.encode(), said).number
    undo(stores, number)
    assert stores.clickhouse.rows("SELECT toDate(ts) || '', price FROM prices FINAL") == [("2023-01-02", 5.0)]


def test_it_is_listed_with_who_undid_it_and_cannot_be_done_twice(stores: Stores) -> None:
    number = bring(stores, {("A", 2, 0): (10, 0)})
    result = undo(stores, number, "bob")
    assert str(result) == f"import {number} (nav.csv) undone: 1 row removed; A removed"
    (item,) = recent_imports(stores.state)
    assert (item.outcome, item.undone, item.undone_by) == ("undone", stores.clock.now(), "bob")
    with pytest.raises(UndoRejected, match="is undone already"):
        undo(stores, number)
    with pytest.raises(UndoRejected, match="there is no import 99"):
        undo(stores, 99)


def test_of_imports_that_hold_the_same_rows_undoing_says_why_they_stay(stores: Stores) -> None:
    file: File = {("A", 2, 0): (10, 0), ("A", 3, 0): (11, 0)}
    first, second, third = bring(stores, file), bring(stores, file), bring(stores, file | {("A", 3, 0): (12, 0)})
    assert str(undo(stores, first)).endswith(
        f"no row removed. 2 rows of it came again with imports {second}, {third}, and stay"
    )
    assert str(undo(stores, third)).endswith(
        "1 value back as they were. 1 row of it had been there before it, and stay"
    )
    assert str(undo(stores, second)).endswith("2 rows removed; A removed")


def test_an_undone_file_may_be_imported_again(stores: Stores) -> None:
    file: File = {("A", 2, 0): (10, 0), ("A", 3, 0): (11, 5)}
    number = bring(stores, file)
    wanted = picture(stores)
    undo(stores, number)
    assert picture(stores)[0] == []
    bring(stores, file)
    assert picture(stores) == wanted
