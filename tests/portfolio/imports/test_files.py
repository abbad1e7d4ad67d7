"""A NAV file is taken whole, or every wrong line is named and nothing is taken."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ImportRejected
from portfolio.imports.files import LARGEST_BYTES, import_nav_file, parse_nav
from storage.state.portfolios import list_portfolios, put_portfolios
from storage.stores import Stores

NOW = 1_700_000_000.0  # 2023-11-14
HEADER = "date,portfolio,nav,flow\n"


def problems(text: str | bytes) -> dict[int, str]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ImportRejected) as caught:
        parse_nav("nav.csv", content, NOW)
    found: dict[int, str] = {}
    for line, reason in caught.value.problems:
        found[line] = f"{found[line]}; {reason}" if line in found else reason
    return found


def test_what_spreadsheets_write_is_read() -> None:
    text = 'DATE, Portfolio ,nav,flow\r\n"2023-01-02", Alpha ,"1000.50",0\r\n\r\n2023-01-03,Alpha,1.1e3,-20\r\n'
    first, second = parse_nav("nav.csv", codecs.BOM_UTF8 + text.encode(), NOW)
    assert (first.ts, first.portfolio, first.nav, first.flow) == (1_672_617_600, "Alpha", 1000.5, 0.0)
    assert (second.line, second.nav, second.flow) == (4, 1100.0, -20.0)


def test_columns_may_stand_in_any_order_and_times_may_have_a_zone() -> None:
    (row,) = parse_nav("nav.csv", b"nav,flow,date,portfolio\n5,0,2023-01-02T23:00:00-05:00,Alpha", NOW)
    assert row.ts == 1_672_718_400  # 2023-01-03T04:00Z


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2023-02-30,Alpha,1,0", "is no date"),
        ("02/03/2023,Alpha,1,0", "is no date"),
        (",Alpha,1,0", "is no date"),
        ("2024-03-01,Alpha,1,0", "in the future"),
        ("1901-01-01,Alpha,1,0", "before 1970"),
        ("2023-01-02,,1,0", "is no name"),
        ("2023-01-02,=HYPERLINK(1),1,0", "is no name"),
        ("2023-01-02,Alpha,,0", "nav is empty"),
        ("2023-01-02,Alpha,abc,0", "is no number"),
        ("2023-01-02,Alpha,1_000,0", "is no number"),
        ('2023-01-02,Alpha,"1,000",0', "is no number"),
        ("2023-01-02,Alpha,nan,0", "is no number"),
        ("2023-01-02,Alpha,inf,0", "is no number"),
        ("2023-01-02,Alpha,1e999,0", "is no number"),
        ("2023-01-02,Alpha,-5,0", "is negative"),
        ("2023-01-02,Alpha,5,", "flow is empty"),
        ("2023-01-02,Alpha,5", "has 3 fields"),
        ("2023-01-02,Alpha,5,0,7", "has 5 fields"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_reason(row: str, reason: str) -> None:
    found = problems(f"{HEADER}2023-01-01,Alpha,1,0\n{row}\n2023-01-05,Alpha,1,0\n")
    assert list(found) == [3]
    assert reason in found[3]


def test_every_wrong_line_is_reported_at_once() -> None:
    found = problems(f"{HEADER}x,Alpha,y,z\n2023-01-01,Alpha,1,0\n2023-01-01,Alpha,2,0\n")
    assert list(found) == [2, 4]
    assert found[2].count(";") == 2
    assert "repeats Alpha at 2023-01-01 of line 3" in found[4]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "empty"),
        (b" \n\n", 1, "empty"),
        (HEADER.encode(), 1, "no rows"),
        (b"2023-01-01,Alpha,1,0\n", 1, "lacks the column date"),
        (b"date,portfolio,nav\n2023-01-01,Alpha,1\n", 1, "lacks the column flow"),
        (b"date,portfolio,nav,flow,note\n", 1, "unknown column 'note'"),
        (b"date;portfolio;nav;flow\n2023-01-02;a;1,5;0\n", 1, "separate the columns with commas"),
        (b"date,portfolio,nav,flow,nav\n", 1, "nav twice"),
        (HEADER.encode() + b"2023-01-01,M\xfcller,1,0\n", 2, "not UTF-8"),
        (HEADER.encode("utf-16"), 1, "not UTF-8"),
        (HEADER.encode() + b"2023-01-01,A\0,1,0\n", 2, "zero byte"),
        (HEADER.encode() + b'2023-01-01,"Alpha,1,0\n', 2, "CSV"),
        (b"x" * (LARGEST_BYTES + 1), 1, "split it"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, line: int, reason: str) -> None:
    assert reason in problems(content)[line]


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEADER + text).encode("utf-8", "replace")))
def test_no_content_can_do_more_than_be_refused(content: bytes) -> None:
    try:
        rows = parse_nav("nav.csv", content, NOW)
    except ImportRejected as error:
        assert error.problems
        assert all(line >= 1 and reason and "\n" not in reason for line, reason in error.problems)
    else:
        assert rows


def test_a_file_becomes_nav_points_of_new_portfolios(stores: Stores, tmp_path: Path) -> None:
    file = tmp_path / "nav.csv"
    file.write_text(f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,110,0\n2023-01-02,Beta,7,7\n", encoding="utf-8")
    before = stores.live.version("portfolio")
    result = import_nav_file(stores, file)
    assert str(result) == "nav.csv: 3 rows of Alpha, Beta taken, 2023-01-02 to 2023-01-03; new portfolios: Alpha, Beta"
    assert [(item.origin, item.id) for item in list_portfolios(stores.state)] == [("own", "Alpha"), ("own", "Beta")]
    assert stores.live.version("portfolio") != before


def test_taking_a_file_again_or_corrected_replaces_its_rows(stores: Stores, tmp_path: Path) -> None:
    file = tmp_path / "nav.csv"
    navs = []
    for nav in ("100", "100", "90", "100"):
        file.write_text(f"{HEADER}2023-01-02,Alpha,{nav},0\n", encoding="utf-8")
        stores.clock.advance(1)  # type: ignore[attr-defined]
        import_nav_file(stores, file)
        navs.append(stores.clickhouse.rows("SELECT nav FROM nav FINAL"))
    assert navs == [[(100.0,)], [(100.0,)], [(90.0,)], [(100.0,)]]


def test_one_wrong_line_keeps_the_whole_file_out(stores: Stores, tmp_path: Path) -> None:
    file = tmp_path / "nav.csv"
    file.write_text(f"{HEADER}2023-01-02,Alpha,100,0\n2023-01-03,Alpha,oops,0\n", encoding="utf-8")
    with pytest.raises(ImportRejected, match="line 3: nav 'oops' is no number"):
        import_nav_file(stores, file)
    assert stores.clickhouse.rows("SELECT count() FROM nav") == [(0,)]
    assert list_portfolios(stores.state) == []


def test_own_data_never_meets_the_sample_of_the_same_name(stores: Stores, tmp_path: Path) -> None:
    from sample.load import portfolios

    put_portfolios(stores.state, portfolios("sample"))
    file = tmp_path / "nav.csv"
    file.write_text(f"{HEADER}2023-01-02,fund,100,0\n", encoding="utf-8")
    import_nav_file(stores, file)
    assert {(item.origin, item.name) for item in list_portfolios(stores.state) if item.id == "fund"} == {
        ("own", "fund"),
        ("sample", "All strategies"),
    }
    assert stores.clickhouse.rows("SELECT DISTINCT origin FROM nav") == [("own",)]
