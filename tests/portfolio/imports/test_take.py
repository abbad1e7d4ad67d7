"""A file is taken whole or not at all, listed, and read as files of its kind were read before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.errors import ImportDoubted, ImportRejected, StorageUnavailable
from portfolio.imports import take as take_module
from portfolio.imports.doubts import doubts_from_json
from portfolio.imports.mapping import Mapping
from portfolio.imports.take import ImportResult, import_file, take
from portfolio.imports.undo import undo
from portfolio.tree.settings import change
from storage.clickhouse.reads.prices import daily_prices_many, priced_instruments
from storage.state.imports import find_import, recent_imports
from storage.state.portfolios import OWN, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.portfolio.imports.reading import weekdays

HEADER = "date,portfolio,nav,flow\n"


def bring(stores: Stores, text: str, name: str = "nav.csv", *, accept: bool = False, **said: str) -> ImportResult:
    stores.clock.advance(1)  # type: ignore[attr-defined]
    return take(stores, name, text.encode(), Mapping(**said), who="ann", accept=accept)


def stored(stores: Stores) -> list[tuple[str, str, float, float]]:
    sql = "SELECT portfolio, toString(toDate(ts)), nav, flow FROM nav FINAL WHERE origin = 'own' ORDER BY 1, ts"
    return [(str(name), str(day), nav, flow) for name, day, nav, flow in stores.clickhouse.rows(sql)]


def test_a_file_becomes_nav_points_of_new_portfolios(stores: Stores, tmp_path: Path) -> None:
    file = tmp_path / "nav.csv"
    file.write_text(f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,110,0\n2023-01-02,Beta,7,7\n", encoding="utf-8")
    before = stores.live.version("portfolio")
    result = import_file(stores, file)
    taken = "nav.csv: 3 rows of Alpha, Beta taken, 2023-01-02 to 2023-01-03; new portfolios: Alpha, Beta"
    assert str(result) == f"{taken}; currency of Alpha, Beta not told: USD"
    assert [(item.origin, item.id) for item in list_portfolios(stores.state)] == [("own", "Alpha"), ("own", "Beta")]
    assert stores.live.version("portfolio") != before


def test_taking_a_file_again_or_corrected_replaces_its_rows(stores: Stores) -> None:
    navs = []
    for nav in ("100", "100", "90", "100"):
        bring(stores, f"{HEADER}2023-01-02,Alpha,{nav},0\n")
        navs.append(stores.clickhouse.rows("SELECT nav FROM nav FINAL"))
    assert navs == [[(100.0,)], [(100.0,)], [(90.0,)], [(100.0,)]]
    assert [(each.added, each.restated) for each in recent_imports(stores.state)] == [(0, 1), (0, 1), (0, 0), (1, 0)]


def test_one_wrong_line_keeps_the_whole_file_out(stores: Stores) -> None:
    with pytest.raises(ImportRejected, match=r"line 3 \('oops'\): nav is no number"):
        bring(stores, f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,oops,0\n")
    assert stores.clickhouse.rows("SELECT count() FROM nav") == [(0,)]
    assert list_portfolios(stores.state) == []


def test_own_data_never_meets_the_sample_of_the_same_name(stores: Stores) -> None:
    from sample.load import portfolios

    put_portfolios(stores.state, portfolios("sample"))
    bring(stores, f"{HEADER}2023-01-02,fund,100,0\n")
    names = {(item.origin, item.name) for item in list_portfolios(stores.state) if item.id == "fund"}
    assert names == {("own", "fund"), ("sample", "All strategies")}
    assert stores.clickhouse.rows("SELECT DISTINCT origin FROM nav") == [("own",)]


def test_every_import_is_listed_with_who_what_and_outcome(stores: Stores) -> None:
    bring(stores, f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-04,Beta,100,0\n")
    with pytest.raises(ImportRejected):
        bring(stores, "nothing", "b.csv")
    refused, taken = recent_imports(stores.state)
    assert (refused.outcome, refused.name, refused.rows, refused.who) == ("refused", "b.csv", 0, "ann")
    assert (taken.outcome, taken.rows, taken.who, taken.kind) == ("taken", 2, "ann", "nav")
    assert (taken.first, taken.last, taken.names) == (1_672_617_600, 1_672_790_400, ("Alpha", "Beta"))
    assert (taken.created, taken.added) == (("Alpha", "Beta"), 2)


def test_doubts_are_taken_when_confirmed_and_kept_with_the_import(stores: Stores) -> None:
    text = f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,11000,0\n"
    with pytest.raises(ImportDoubted, match=r"100 became 11,000.*\n.*--accept"):
        bring(stores, text)
    assert stored(stores) == []
    result = bring(stores, text, accept=True)
    (doubt,) = doubts_from_json(find_import(stores.state, result.number).doubts)  # type: ignore[union-attr]
    assert (doubt.kind, doubt.rows[0].line, doubt.rows[0].name, doubt.rows[0].value) == ("jump", 3, "Alpha", 11_000.0)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2023-02-13,A,12000,0", "120 became 12,000"),
        ("2023-03-20,A,120,0", "38 days after 2023-02-10"),
        ("2023-02-11,A,120,0", "Saturday"),
        ("2023-01-02,A,4,0", "4 is followed by 101"),
    ],
)
def test_a_file_of_one_row_is_held_against_what_is_stored(stores: Stores, row: str, told: str) -> None:
    days = weekdays(date(2023, 1, 3), 29)
    bring(stores, HEADER + "".join(f"{day},A,{101 + at * 19 // 28},0\n" for at, day in enumerate(days)))
    with pytest.raises(ImportDoubted, match=told):
        bring(stores, f"{HEADER}{row}\n")


def test_a_rate_is_held_against_what_is_stored_of_it_not_of_a_portfolio_called_alike(stores: Stores) -> None:
    said = Mapping(kind="rates")
    days = weekdays(date(2023, 1, 3), 29)
    rates = "".join(f"{day},ESTR,{2 + at % 3 / 10}\n" for at, day in enumerate(days))
    take(stores, "r.csv", f"date,instrument,close\n{rates}".encode(), said)
    bring(stores, f"{HEADER}2023-01-03,Alpha,100,0\n")
    change(stores, "Alpha", {"name": "ESTR"})
    row = b"date,instrument,close\n2023-03-20,ESTR,2.2\n"
    with pytest.raises(ImportDoubted, match="38 days after 2023-02-10"):
        take(stores, "r.csv", row, said)


def test_returns_are_chained_to_an_index_of_100_and_marked_as_such(stores: Stores) -> None:
    result = bring(stores, "date,fund,return\n2023-01-02,R,10%\n2023-01-03,R,-10%\n")
    assert "index of R begins at 100 on 2022-12-30" in str(result)
    assert stored(stores) == [
        ("R", "2022-12-30", 100.0, 0.0),
        ("R", "2023-01-02", pytest.approx(110.0), 0.0),
        ("R", "2023-01-03", pytest.approx(99.0), 0.0),
    ]
    (portfolio,) = list_portfolios(stores.state)
    assert portfolio.note == "Index of its returns, 100 on 2022-12-30. Currency not told: USD."


def test_later_returns_go_on_from_the_index_and_the_same_ones_again_change_nothing(stores: Stores) -> None:
    first = (
        "date,fund,return\n2023-01-31,R,10%\n2023-02-28,R,10%\n2023-03-31,R,10%\n2023-04-30,R,10%\n2023-05-31,R,0%\n"
    )
    bring(stores, first)
    assert stored(stores)[0] == ("R", "2022-12-31", 100.0, 0.0)
    bring(stores, "date,fund,return\n2023-06-30,R,50%\n")
    assert stored(stores)[-1] == ("R", "2023-06-30", pytest.approx(100 * 1.1**4 * 1.5), 0.0)
    before = stored(stores)
    bring(stores, first)
    assert stored(stores) == before
    with pytest.raises(ImportRejected, match="returns of R end on 2023-05-31, and it has values until 2023-06-30"):
        bring(stores, first.replace("10%", "11%"))
    assert stored(stores) == before


def test_prices_become_those_of_an_instrument_of_one_s_own(stores: Stores) -> None:
    text = "Date,Open,Close,Adj Close,Volume\n2023-01-02,1,100,50,9\n2023-01-03,1,101,51,9\n"
    result = bring(stores, text, portfolio="SPX")
    assert str(result).startswith("nav.csv: 2 prices of SPX taken, 2023-01-02 to 2023-01-03; new instrument: SPX")
    assert priced_instruments(stores.clickhouse) == [("own", "SPX")]
    assert daily_prices_many(stores.clickhouse, "own").values.tolist() == [[50.0, 51.0]]
    assert list_portfolios(stores.state) == []
    assert bring(stores, text.replace(",51,", ",52,"), portfolio="SPX").restated == 1
    assert daily_prices_many(stores.clickhouse, "own").values.tolist() == [[50.0, 52.0]]


def test_a_new_portfolio_has_the_currency_that_was_said_and_keeps_it(stores: Stores) -> None:
    bring(stores, f"{HEADER}2023-01-02,Alpha,100,0\n", currency="EUR")
    (portfolio,) = list_portfolios(stores.state)
    assert portfolio.currency == "EUR"
    with pytest.raises(ImportRejected, match="Alpha is in EUR, and the file is in CHF"):
        bring(stores, "date,portfolio,NAV (CHF)\n2023-01-03,Alpha,100\n")


def test_a_currency_is_not_remembered_for_another_fund_s_file(stores: Stores) -> None:
    bring(stores, f"{HEADER}2023-01-02,Alpha,100,0\n", "alpha1.csv", currency="EUR")
    bring(stores, f"{HEADER}2023-01-02,Beta,100,0\n", "beta1.csv")
    bring(stores, f"{HEADER}2023-01-02,Alpha 2,100,0\n", "alpha2.csv")
    currencies = {each.id: each.currency for each in list_portfolios(stores.state)}
    assert currencies == {"Alpha": "EUR", "Beta": "USD", "Alpha 2": "EUR"}


def test_what_was_said_of_a_header_is_remembered_for_the_next_file(stores: Stores) -> None:
    bring(stores, "Tag;Fonds;Wert\n03/04/2023;A;1,234\n", "a.csv", date_order="mdy", decimal=",")
    bring(stores, "Tag;Fonds;Wert\n03/05/2023;A;1,235\n", "other.csv")
    assert stored(stores) == [("A", "2023-03-04", 1.234, 0.0), ("A", "2023-03-05", 1.235, 0.0)]
    bring(stores, "Tag;Fonds;Wert\n25/05/2023;A;1.239,5\n", "third.csv", accept=True)
    assert stored(stores)[-1] == ("A", "2023-05-25", 1239.5, 0.0)


def test_a_portfolio_is_remembered_for_files_that_are_called_alike_and_for_no_others(stores: Stores) -> None:
    bring(stores, "date,nav\n2023-01-02,5\n", "alpha_2023-01.csv", portfolio="Alpha")
    bring(stores, "date,nav\n2023-02-02,6\n", "alpha_2023-02.csv")
    with pytest.raises(ImportRejected, match="say --portfolio NAME"):
        bring(stores, "date,nav\n2023-02-02,6\n", "beta_2023-02.csv")
    assert [row[:3] for row in stored(stores)] == [("Alpha", "2023-01-02", 5.0), ("Alpha", "2023-02-02", 6.0)]


def test_what_a_file_told_itself_is_remembered_for_files_that_are_called_alike(stores: Stores) -> None:
    bring(stores, "date,fund,nav\n25/01/2023,A,5\n26/01/2023,A,5\n", "alpha1.csv")
    bring(stores, "date,fund,nav\n01/02/2023,A,6\n", "alpha2.csv")
    assert stored(stores)[-1] == ("A", "2023-02-01", 6.0, 0.0)
    with pytest.raises(ImportRejected, match="--date-order dmy"):
        bring(stores, "date,fund,nav\n01/02/2023,A,6\n", "beta.csv")


@pytest.mark.parametrize("step", ["add_missing_portfolios", "insert_import", "change_import"])
def test_an_import_that_was_cut_off_is_finished_under_its_number(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    text = f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,110,0\n"
    bring(stores, f"{HEADER}2023-01-03,Alpha,90,0\n")

    with monkeypatch.context() as patched:
        patched.setattr(take_module, step, _killed)
        with pytest.raises(StorageUnavailable):
            bring(stores, text)
    assert recent_imports(stores.state)[0].outcome == "taking"
    with_values = {row[0] for row in stored(stores)}
    assert with_values <= {each.id for each in list_portfolios(stores.state, OWN)}, "no value is without a portfolio"
    result = bring(stores, text)
    (item,) = [each for each in recent_imports(stores.state) if each.id == result.number]
    assert (len(recent_imports(stores.state)), item.outcome, item.added, item.restated) == (2, "taken", 1, 1)


def test_an_import_that_was_cut_off_before_another_came_is_taken_back_and_taken_anew(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,110,0\n"
    with monkeypatch.context() as patched:
        patched.setattr(take_module, "change_import", _killed)
        with pytest.raises(StorageUnavailable):
            bring(stores, text)
    bring(stores, f"{HEADER}2023-01-03,Alpha,90,0\n2023-01-04,Alpha,120,0\n")
    again = bring(stores, text)
    assert [(each.id == again.number, each.outcome) for each in recent_imports(stores.state)] == [
        (True, "taken"), (False, "taken"), (False, "undone"),
    ]  # fmt: skip
    assert [row[2] for row in stored(stores)] == [100.0, 110.0, 120.0]
    undo(stores, again.number)
    assert [row[2] for row in stored(stores)] == [90.0, 120.0], "what the one that was cut off brought is gone"


def _killed(*_: object, **_more: object) -> None:
    raise StorageUnavailable("killed")
