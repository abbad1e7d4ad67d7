"""The fund's tree is changed whole or not at all, whenever that is cut off; files and undo find what was changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.errors import ChangeRejected, ImportRejected, StorageUnavailable, UndoRejected
from portfolio.imports.undo import undo
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.tree.delete import delete
from portfolio.tree.merge import merge
from portfolio.tree.names import ids_by_name
from portfolio.tree.order import ChangeOrder, carry_out
from portfolio.tree.settings import add, change
from portfolio.tree.unfinished import finish_changes
from storage.live.leases import LeaseStore
from storage.state.changes import recent_changes, unfinished_changes
from storage.state.imports import find_import, recent_imports
from storage.state.portfolios import Portfolio, list_known_names, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.portfolio.imports.test_undo import WITHOUT_SHRINKING, Dying, File, bring, empty, picture
from tests.portfolio.imports.test_undo import merge as merge_parts

A: File = {("A", 2, 0): (10, 0), ("A", 3, 0): (11, 0), ("A", 3, 20): (12, 5)}
B: File = {("B", 3, 0): (20, 0), ("B", 4, 0): (21, 3)}
DAYS = st.dictionaries(
    st.tuples(st.just("A"), st.integers(2, 9), st.sampled_from([0, 20])),
    st.tuples(st.integers(10, 13), st.sampled_from([0, 0, 5])),
    min_size=1,
    max_size=6,
)


def of(name: str, file: File) -> File:
    return {(name, day, hour): value for (_, day, hour), value in file.items()}


def forget(stores: Stores) -> None:
    empty(stores)
    with stores.state.begin() as connection:
        for table in ("known_names", "portfolio_changes", "imports"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def dying(stores: Stores, statements: int) -> Stores:
    client = Dying(stores.clickhouse.url, stores.clickhouse.database)
    client.left = statements
    return Stores(stores.settings, client, stores.live, stores.state, stores.writer, stores.clock)


def find(stores: Stores, id: str) -> Portfolio:
    return next(each for each in list_portfolios(stores.state) if each.id == id)


def names(stores: Stores) -> list[tuple[str, str, str]]:
    return [(each.id, each.name, each.parent) for each in list_portfolios(stores.state)]


def test_a_merge_that_was_cut_off_is_repeated_by_the_name_that_was_given(stores: Stores) -> None:
    bring(stores, A)
    bring(stores, B)
    change(stores, "A", {"name": "Long name"})
    order = ChangeOrder("merge", "Long name", {"into": "B", "wins": "B"})
    client = dying(stores, 3)
    with pytest.raises(StorageUnavailable):
        carry_out(client, order)
    client.clickhouse.close()
    assert "merged into B" in str(carry_out(stores, order))
    assert [name for name, _, _ in names(stores)] == ["B"]


def test_a_bookmark_of_a_merged_portfolio_opens_the_one_it_became_part_of(stores: Stores) -> None:
    bring(stores, of("Another", A))
    bring(stores, A)
    bring(stores, B)
    merge(stores, "A", "B", "B")
    assert read(stores, PortfolioQuery(portfolio="own:A"), None).portfolio.id == "B"


@settings(max_examples=8, phases=WITHOUT_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(DAYS, min_size=2, max_size=4), data=st.data())
def test_merged_is_as_if_all_files_had_named_the_one(stores: Stores, files: list[File], data: st.DataObject) -> None:
    """Of days that both have the loser's files never had any; an import undone afterwards was never there."""
    whose = [data.draw(st.sampled_from(["A", "B"]), label="whose") for _ in files]
    whose[0], whose[1] = "A", "B"
    wins = data.draw(st.sampled_from(["A", "B"]), label="wins")
    gone = data.draw(st.sampled_from([None, *range(len(files))]), label="undone")
    days = {
        name: {day for of_, file in zip(whose, files, strict=True) if of_ == name for _, day, _ in file}
        for name in "AB"
    }
    both = days["A"] & days["B"]
    forget(stores)
    for at, (name, file) in enumerate(zip(whose, files, strict=True)):
        kept = {key: value for key, value in of("B", file).items() if name == wins or key[1] not in both}
        if kept and at != gone:
            bring(stores, kept)
    wanted = picture(stores)[:-1]
    forget(stores)
    numbers = [bring(stores, of(name, file)) for name, file in zip(whose, files, strict=True)]
    if both:
        with pytest.raises(ChangeRejected, match="say whose stay"):
            merge(stores, "A", "B")
    merge(stores, "A", "B", wins)
    if data.draw(st.booleans(), label="parts merged"):
        merge_parts(stores)
    if gone is not None:
        undo(stores, numbers[gone])
    assert picture(stores)[:-1] == wanted


MERGE_STATEMENTS = 16
"""That change something: on a common day 4 tables lose rows, 5 are copied, 7 cleared."""


@pytest.mark.parametrize("statements", range(MERGE_STATEMENTS + 1))
def test_a_merge_that_was_cut_off_is_finished_by_the_same_call_or_the_next_start(
    stores: Stores, statements: int
) -> None:
    wins = "AB"[statements % 2]
    late: File = {("A", 2, 0): (13, 0)}
    for file in (A, B, late):
        bring(
            stores, {key: value for key, value in of("B", file).items() if key[1] != 3 or (file is A) == (wins == "A")}
        )
    wanted = picture(stores)[:-1]
    forget(stores)
    for file in (A, B, late):
        bring(stores, file)
    add(stores, {"name": "part", "parent": "A"})
    client = dying(stores, statements)
    try:
        merge(client, "A", "B", wins)
        assert statements == MERGE_STATEMENTS, "it was cut off at each of its statements"
    except StorageUnavailable:
        assert [each.portfolio for each in unfinished_changes(stores.state)] == ["A"]
        with pytest.raises(ImportRejected, match="is being merged or deleted"):
            bring(stores, of("A", {("A", 9, 0): (13, 0)}))
        with pytest.raises(UndoRejected, match="is being merged"):
            undo(stores, recent_imports(stores.state)[-1].id)
        with pytest.raises(ChangeRejected, match="is being merged into B"):
            change(stores, "A", {"note": "x"})
        if statements // 2 % 2:
            merge(stores, "A", "B")
        else:
            assert len(finish_changes(stores)) == 1
    finally:
        client.clickhouse.close()
    assert picture(stores)[:-1] == wanted
    assert names(stores) == [("B", "B", ""), ("part", "part", "B")]


def test_a_merged_portfolio_leaves_its_names_parts_and_imports_to_the_other(stores: Stores) -> None:
    number, other = bring(stores, A), bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    part = add(stores, {"name": "Part", "parent": "A"})
    change(stores, "A", {"name": "Alpha"}, "ann")
    said = merge(stores, "A", "B", who="ann")
    assert said == "Alpha merged into B: 2 values."
    assert names(stores) == [("B", "B", ""), (part, "Part", "B")]
    assert ids_by_name(stores.state) == {"A": "B", "Alpha": "B", "B": "B", "Part": "Part"}
    item = find_import(stores.state, number)
    assert item is not None
    assert (item.names, item.detail) == (("B",), "A merged into B")
    bring(stores, of("Alpha", {("A", 9, 0): (13, 0)}))
    assert [each.id for each in list_portfolios(stores.state)] == ["B", "Part"]
    assert [(each.what, each.who) for each in recent_changes(stores.state, 2)] == [("merge", "ann"), ("set", "ann")]
    assert str(undo(stores, number)).endswith("undone: 3 rows removed (A merged into B)")
    undo(stores, other)
    assert picture(stores)[1] == ("B",), "the third file is still there"


def test_one_file_may_not_say_two_values_of_what_is_one_portfolio_now(stores: Stores) -> None:
    bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    merge(stores, "A", "B")
    bring(stores, {("A", 6, 0): (9, 0), ("B", 7, 0): (9, 0)})
    with pytest.raises(ImportRejected, match="two values of B on 2023-01-08: two of its names mean this portfolio"):
        bring(stores, {("A", 8, 0): (9, 0), ("B", 8, 0): (9, 0)})


@pytest.mark.parametrize(
    ("id", "into", "told"),
    [
        ("A", "A", "give another portfolio"),
        ("A", "nothing", "There is no portfolio 'nothing': there are A, B, below, euro"),
        ("A", "euro", "only values in one currency can be merged"),
        ("B", "below", "below is part of B: put it elsewhere first"),
    ],
)
def test_what_cannot_be_merged_stays(stores: Stores, id: str, into: str, told: str) -> None:
    bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    add(stores, {"name": "euro", "currency": "EUR"})
    add(stores, {"name": "below", "parent": "B"})
    was = picture(stores)
    with pytest.raises(ChangeRejected) as raised:
        merge(stores, id, into)
    assert told in str(raised.value)
    assert picture(stores) == was
    assert list_known_names(stores.state) == {}


def test_a_renamed_portfolio_takes_files_of_either_name_and_no_other_takes_its_names(stores: Stores) -> None:
    bring(stores, A)
    bring(stores, B)
    change(stores, "A", {"name": "First"})
    change(stores, "A", {"name": "Second"})
    for day, name in enumerate(("A", "First", "Second"), start=5):
        bring(stores, of(name, {("A", day, 0): (10, 0)}))
    assert [each.id for each in list_portfolios(stores.state)] == ["A", "B"]
    for taken in ("A", "First", "Second"):
        with pytest.raises(ChangeRejected, match="is what files call Second"):
            change(stores, "B", {"name": taken})
        with pytest.raises(ChangeRejected, match="is what files call Second"):
            add(stores, {"name": taken})
    change(stores, "A", {"name": "First"})
    assert ids_by_name(stores.state) == {"A": "A", "First": "A", "Second": "A", "B": "B"}


def test_the_values_around_a_renamed_portfolios_next_file_are_its_own(stores: Stores) -> None:
    bring(stores, {("A", day, 0): (1_000, 0) for day in range(2, 7)})
    change(stores, "A", {"name": "Alpha"})
    from portfolio.imports.take import look_at

    found = look_at(stores, "a.csv", b"date,portfolio,nav\n2023-01-09,Alpha,100000\n")
    assert [doubt.kind for doubt in found.doubts] == ["jump"]
    assert "Alpha is taken for A" in found.notes


def test_a_change_is_whole_or_none_and_each_wrong_field_is_named(stores: Stores) -> None:
    bring(stores, A)
    (was,) = list_portfolios(stores.state)
    with pytest.raises(ChangeRejected) as raised:
        change(stores, "A", {"note": "fine", "currency": "euro", "parent": "A", "calendar": "XXXX", "ended": "soon"})
    assert raised.value.fields == {
        "currency": "give three capitals such as USD",
        "parent": "is A or part of it: give another one",
        "calendar": "give weekdays, 7-day, or an exchange such as XNYS, XLON",
        "ended": "give a day such as 2020-01-31, or nothing",
    }
    for decide in (partial(change, stores, "A"), partial(add, stores)):
        with pytest.raises(ChangeRejected) as raised:
            decide({"name": "B", "currency": "ZZZ"})
        assert raised.value.fields == {"currency": "there is no currency ZZZ: give a code of ISO 4217 such as EUR"}
    assert list_portfolios(stores.state) == [was]
    assert recent_changes(stores.state) == []
    with pytest.raises(ChangeRejected, match="'colr' is no setting of a portfolio: there are name, parent"):
        change(stores, "A", {"colr": "1"})


def test_a_currency_that_nobody_told_is_told_until_somebody_does(stores: Stores) -> None:
    from portfolio.imports.take import take

    told = str(take(stores, "a.csv", b"date,portfolio,nav\n2023-01-09,A,1\n"))
    assert "currency of A not told: USD" in told
    assert [each.note for each in list_portfolios(stores.state)] == ["Currency not told: USD."]
    change(stores, "A", {"currency": "EUR"})
    assert [(each.currency, each.note) for each in list_portfolios(stores.state)] == [("EUR", "")]
    assert "not told" not in str(take(stores, "a.csv", b"date,portfolio,nav\n2023-01-10,A,1\n"))


@pytest.mark.parametrize("statements", range(8))
def test_a_deletion_that_was_cut_off_is_finished_and_leaves_the_others(stores: Stores, statements: int) -> None:
    bring(stores, B)
    wanted = picture(stores)
    shared = bring(stores, A | {("B", 9, 0): (5, 0)})
    alone = bring(stores, {("A", 2, 0): (13, 0)})
    change(stores, "A", {"name": "Alpha"})
    with pytest.raises(ChangeRejected) as raised:
        delete(stores, "A", "alpha")
    assert raised.value.fields == {"typed": "type its name, Alpha"}
    client = dying(stores, statements)
    try:
        delete(client, "A", "Alpha")
    except StorageUnavailable:
        with pytest.raises(ImportRejected, match="is being merged or deleted"):
            bring(stores, {("A", 9, 0): (13, 0)})
        delete(stores, "A", "Alpha")
    finally:
        client.clickhouse.close()
    assert list_known_names(stores.state) == {}
    with pytest.raises(UndoRejected, match=r"nothing is left of import \d+ \(nav.csv\): A deleted"):
        undo(stores, alone)
    undo(stores, shared)
    assert picture(stores) == wanted


def test_a_deleted_portfolio_may_come_back_and_is_a_new_one(stores: Stores) -> None:
    bring(stores, A)
    wanted = picture(stores)
    bring(stores, {("A", 2, 0): (13, 0)})
    delete(stores, "A", "A", "ann")
    assert picture(stores)[0] == []
    assert recent_changes(stores.state)[0].detail == "A deleted with its 2 values"
    bring(stores, A)
    assert picture(stores) == wanted


def test_what_has_parts_is_sample_or_stands_in_the_file_is_not_deleted(stores: Stores) -> None:
    from sample.load import portfolios as sample_portfolios
    from storage.state.portfolios import put_portfolios

    put_portfolios(stores.state, sample_portfolios("sample"))
    bring(stores, A)
    add(stores, {"name": "part", "parent": "A"})
    with pytest.raises(ChangeRejected, match=r"A has parts \(part\): put them elsewhere first"):
        delete(stores, "A", "A")
    with pytest.raises(ChangeRejected, match="`python -m sample remove` takes that away"):
        change(stores, sample_portfolios("sample")[0].id, {"note": "mine"})


def test_what_was_confirmed_of_a_renamed_portfolio_s_file_goes_where_it_is_merged_to(stores: Stores) -> None:
    from portfolio.imports.accepted import accepted_doubts
    from portfolio.imports.take import take

    bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    change(stores, "A", {"name": "Alpha"})
    take(stores, "a.csv", b"date,portfolio,nav\n2023-01-09,Alpha,100000\n", accept=True)
    merge(stores, "A", "B")
    assert len(accepted_doubts(stores.state, find(stores, "B"), None)) == 1
    assert '"name": "B"' in recent_imports(stores.state)[0].doubts
    delete(stores, "B", "B")
    assert recent_imports(stores.state)[0].doubts == "[]"


def test_only_one_change_at_a_time(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    from portfolio.tree import alone

    bring(stores, A)
    monkeypatch.setattr(alone, "WAIT_SECONDS", 0)
    with alone.alone(stores), pytest.raises(ChangeRejected, match="Another change of a portfolio is going on"):
        change(stores, "A", {"note": "x"})
    leases = LeaseStore(stores.live)
    leases.acquire(alone.LEASE, "another process", 60)
    with pytest.raises(ChangeRejected, match="Another process is changing a portfolio"):
        change(stores, "A", {"note": "x"})
    leases.release(alone.LEASE, "another process")
    assert change(stores, "A", {"note": "x"}) == "A: note Currency not told: USD. → x."


def test_an_import_that_was_cut_off_holds_up_a_merge_and_says_what_to_do(stores: Stores) -> None:
    from storage.state.imports import change_import

    number = bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    change_import(stores.state, number, outcome="taking")
    with pytest.raises(ChangeRejected, match=f"collectors undo {number}"):
        merge(stores, "A", "B")
    with pytest.raises(ChangeRejected, match=f"collectors undo {number}"):
        delete(stores, "A", "A")


def test_a_portfolio_that_somebody_changed_outlives_the_undoing_of_its_file(stores: Stores) -> None:
    number = bring(stores, A)
    change(stores, "A", {"currency": "EUR"})
    undo(stores, number)
    assert names(stores) == [("A", "A", "")]


def test_the_sample_is_not_undone_like_a_file(stores: Stores) -> None:
    from storage.state.imports import SAMPLE_FUND, record_import

    record_import(stores.state, SAMPLE_FUND, "", 10, "taken")
    with pytest.raises(UndoRejected, match="python -m sample remove"):
        undo(stores, 1)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate])
@given(moves=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", *"abcd"])), max_size=12))
def test_whatever_is_moved_the_tree_stays_a_tree(stores: Stores, moves: list[tuple[str, str]]) -> None:
    forget(stores)
    for name in "abcd":
        add(stores, {"name": name})
    for id, parent in moves:
        before = {each.id: each.parent for each in list_portfolios(stores.state)}
        is_below = parent == id
        above: Any = parent
        while above:
            is_below |= above == id
            above = before[above]
        try:
            change(stores, id, {"parent": parent})
            assert not is_below
        except ChangeRejected as error:
            assert is_below
            assert list(error.fields) == ["parent"]
    for each in list_portfolios(stores.state):
        seen, parent = set(), each.id
        parents = {other.id: other.parent for other in list_portfolios(stores.state)}
        while parent:
            assert parent not in seen
            seen.add(parent)
            parent = parents[parent]


@pytest.mark.parametrize("is_configured", [False, True])
def test_the_currency_that_was_assumed_may_be_the_right_one(stores: Stores, is_configured: bool) -> None:
    from portfolio.imports.take import take
    from portfolio.tree.configured import prepare_tree
    from tests.portfolio.tree.test_configured import configured

    take(stores, "a.csv", b"date,portfolio,nav\n2023-01-09,A,1\n")
    if is_configured:
        prepare_tree(configured(stores, {"id": "A", "currency": "USD"}))
    else:
        assert change(stores, "A", {"currency": "USD"}) == "A: currency USD, told now."
        assert change(stores, "A", {"currency": "USD"}).endswith("nothing else was said.")
    assert [(each.currency, each.note) for each in list_portfolios(stores.state)] == [("USD", "")]


def test_nothing_is_put_under_what_is_being_merged_and_the_end_of_a_merge_leaves_a_tree(stores: Stores) -> None:
    bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))
    for fields in ({"name": "part", "parent": "A"}, {"name": "above"}):
        add(stores, fields)
    change(stores, "B", {"parent": "above"})
    client = dying(stores, 0)
    with pytest.raises(StorageUnavailable):
        merge(client, "A", "B")
    client.clickhouse.close()
    for refused in (
        lambda: change(stores, "above", {"parent": "part"}),
        lambda: add(stores, {"name": "new", "parent": "part"}),
    ):
        with pytest.raises(ChangeRejected, match="A is being merged into B"):
            refused()
    # The settings file may do it nevertheless: it is read while another process has the lease.
    put_portfolios(stores.state, [replace(find(stores, "above"), parent="part")])
    assert len(finish_changes(stores)) == 1
    assert names(stores) == [("B", "B", "above"), ("part", "part", ""), ("above", "above", "part")]


def test_what_became_part_of_something_while_that_is_deleted_moves_up(stores: Stores) -> None:
    for fields in ({"name": "top"}, {"name": "gone", "parent": "top"}, {"name": "C"}):
        add(stores, fields)
    client = dying(stores, 0)
    with pytest.raises(StorageUnavailable):
        delete(client, "gone", "gone")
    client.clickhouse.close()
    with pytest.raises(ChangeRejected, match="gone is being deleted"):
        change(stores, "C", {"parent": "gone"})
    put_portfolios(stores.state, [replace(find(stores, "C"), parent="gone")])
    assert len(finish_changes(stores)) == 1
    assert names(stores) == [("top", "top", ""), ("C", "C", "top")]


def test_what_a_killed_process_left_is_finished_once_its_lease_has_run_out(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portfolio.tree import alone, unfinished

    bring(stores, A)
    client = dying(stores, 0)
    with pytest.raises(StorageUnavailable):
        delete(client, "A", "A")
    client.clickhouse.close()
    leases = LeaseStore(stores.live)
    leases.acquire(alone.LEASE, "killed", 60)
    monkeypatch.setattr(unfinished, "RETRY_SECONDS", 0.05)
    assert finish_changes(stores) == []
    (thread,) = [each for each in threading.enumerate() if each.name == "unfinished changes"]
    assert len(unfinished_changes(stores.state)) == 1
    leases.release(alone.LEASE, "killed")
    thread.join()
    assert unfinished_changes(stores.state) == []
    assert names(stores) == []


def test_a_change_that_was_made_is_told_although_the_lease_cannot_be_given_back(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable("Redis: away")

    bring(stores, A)
    monkeypatch.setattr(LeaseStore, "release", away)
    assert change(stores, "A", {"strategy": "macro"}) == "A: strategy none → macro."


def test_a_file_that_comes_while_a_merge_looks_at_the_values_is_not_overlooked(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portfolio.tree import merge as module

    bring(stores, A)
    bring(stores, of("B", {("A", 5, 0): (9, 0)}))

    def common_days(*arguments: Any) -> list[str]:
        found = original(*arguments)
        if not came:
            came.append(bring(stores, of("B", {("A", 2, 0): (9, 0)})))
        return found

    came, original = list[int](), module.common_days
    monkeypatch.setattr(module, "common_days", common_days)
    with pytest.raises(ChangeRejected, match="A file was imported just now: look at A and B, and try again"):
        merge(stores, "A", "B")
    with pytest.raises(ChangeRejected, match="both have values on 1 day"):
        merge(stores, "A", "B")
