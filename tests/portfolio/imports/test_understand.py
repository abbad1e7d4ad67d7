"""Files as people have them are read right, or asked about; what is wrong is told once a kind."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.kinds import KINDS
from dashboard.imports.words import on_page
from portfolio.imports.mapping import Mapping
from portfolio.imports.sheet import LARGEST_BYTES
from portfolio.imports.understand import understand
from tests.portfolio.imports.reading import NOW, read, rows, told, weekdays, when
from tests.support.old_workbook import old_workbook

CASES = Path(__file__).parent / "cases"
HEADER = "date,portfolio,nav,flow\n"


def case(name: str, **said: str) -> list[tuple[str, str, float, float]]:
    return rows(read((CASES / name).read_bytes(), name, **said))


NAVS = [("2024-01-02", 10167273.53), ("2024-01-03", 9963467.28), ("2024-01-04", 10000778.38)]
LAST = ("2024-04-05", 9785171.46)


@pytest.mark.parametrize(
    ("name", "portfolio", "said"),
    [
        ("date_nav_only.csv", "One", {"portfolio": "One"}),
        ("ddmmyyyy.csv", "Beta UK", {}),
        ("excel_trailing.csv", "Zeta Xl", {}),
        ("semicolon_decimal_comma.csv", "Alpha DE", {}),
        ("thousands.csv", "Delta Th", {}),
        ("wide.csv", "fundA", {}),
    ],
)
def test_one_series_in_six_ways_of_writing_is_one_series(name: str, portfolio: str, said: dict[str, str]) -> None:
    found = [row for row in case(name, **said) if row[0] == portfolio]
    assert [(day, value) for _, day, value, _ in [*found[:3], found[-1]]] == [*NAVS, LAST]
    assert len(found) == 69
    assert {flow for *_, flow in found} == {0.0}


def test_the_second_column_of_a_wide_file_is_a_portfolio_too() -> None:
    found = [row for row in case("wide.csv") if row[0] == "fundB"]
    assert found[0] == ("fundB", "2024-01-02", 7117091.47, 0.0)
    assert len(found) == 69


@pytest.mark.parametrize("kind", ["nav", "prices"])
def test_every_documented_column_of_nav_and_prices_is_taken_as_it_is_written(kind: str) -> None:
    values = {
        "portfolio": "Alpha", "instrument": "EURX", "ts": "2026-01-05T21:00:00Z", "nav": "1.234", "price": "1.234",
        "flow": "0", "currency": "EUR",
    }  # fmt: skip
    columns = [column.name for column in KINDS[kind].columns]
    needed = [column.name for column in KINDS[kind].columns if column.is_required]
    for header in (columns, needed):
        understood = read(f"{','.join(header)}\n{','.join(values[name] for name in header)}\n", f"{kind}.csv")
        assert understood.kind == kind
        assert rows(understood) == [(values[header[0]], "2026-01-05T21:00:00", 1.234, 0.0)]
    seconds = read(f"{','.join(needed)}\n{','.join({**values, 'ts': '1767646800'}[name] for name in needed)}\n")
    assert rows(seconds)[0][1] == "2026-01-05T21:00:00"


def test_a_column_of_the_symbol_ts_is_no_column_of_times() -> None:
    assert [row[0] for row in rows(read("date,AAPL,TS\n2026-01-05,10.5,20.5\n", kind="prices"))] == ["AAPL", "TS"]


def test_returns_are_ratios_without_being_told() -> None:
    understood = read((CASES / "returns.csv").read_bytes(), portfolio="R")
    assert (understood.kind, understood.unit) == ("returns", "ratio")
    assert rows(understood)[:2] == [("R", "2024-01-02", 0.016727, 0.0), ("R", "2024-01-03", -0.020045, 0.0)]


def test_a_price_page_s_file_is_prices_and_nav_when_a_person_says_so() -> None:
    content = (CASES / "yfinance.csv").read_bytes()
    assert "no column names the instrument: say --portfolio NAME, and --kind nav" in told(read(content))
    for kind in ("prices", "nav"):
        understood = read(content, portfolio="SPX", **({} if kind == "prices" else {"kind": kind}))
        assert understood.kind == kind
        assert rows(understood)[0] == ("SPX", "2024-01-02", 101.67, 0.0)
        assert "Open, High, Low, Close, Volume" in understood.notes[-1]


def test_adjusted_prices_come_before_others() -> None:
    (row,) = rows(read("Date,Close,Adj Close\n2024-01-02,100,50\n", portfolio="SPX"))
    assert row[2] == 50.0


def test_windows_letters_are_read() -> None:
    understood = read((CASES / "latin1.csv").read_bytes())
    assert {row[0] for row in rows(understood)} == {"Société Générale"}
    assert "Windows-1252" in understood.seems


def test_weeks_and_single_missing_days_raise_no_doubt() -> None:
    for name, often in (("weekly.csv", "weekly"), ("missing_days.csv", "daily")):
        understood = read((CASES / name).read_bytes())
        assert (understood.frequencies, understood.doubts, len(rows(understood))) == ((often,), (), 69)


def test_one_day_with_two_values_is_a_mistake_that_names_both_lines() -> None:
    text = told(read((CASES / "dup_dates.csv").read_bytes()))
    assert "line 52 ('Iota Dup at 2024-03-11, first in line 51'): repeats a time with another value" in text


def test_a_slip_of_a_hundred_times_is_doubted_once_by_line_and_value() -> None:
    (doubt,) = read((CASES / "jump100x.csv").read_bytes()).doubts
    assert (doubt.kind, doubt.count, doubt.rows[0].line, doubt.rows[0].value) == ("jump", 1, 24, float("1902642998.08"))


# Files of our own kinds.

WANTED = [("A", "2024-01-30", 1234.5, 0.0), ("A", "2024-01-31", 1250.0, -10.0)]


def semicolons_utf16() -> bytes:
    return "Datum;Fonds;NAV;Ein-/Auszahlung\r\n30.01.2024;A;1.234,50;0\r\n31.01.2024;A;1.250,00;-10\r\n".encode(
        "utf-16"
    )


def unmarked_utf16() -> bytes:
    return "date,fund,nav,flow\n2024-01-30,A,1234.5,0\n2024-01-31,A,1250,-10\n".encode("utf-16-le")


def tabs_month_first() -> bytes:
    return b"Date\tAccount\tEquity\tDeposit\n01/30/2024\tA\t$1,234.50\t\n01/31/2024\tA\t$1,250.00\t(10.00)\n"


def swiss() -> bytes:
    return "Datum;Portefeuille;Vermögen;Cashflow\n30.1.24;A;1'234.50;0\n31.1.24;A;1’250.00;-10\n".encode("cp1252")


def totals_and_remarks() -> bytes:
    return (
        "Report of the fund,,,\n\nAs of,Fund,Net asset value,Net flows\n"
        "30-Jan-2024,A,1234.5,0\n31-Jan-2024,A,1250,−10\n"
        "Total,,2484.5,-10\nSource: the administrator,,,\n"
    ).encode()


def gzipped() -> bytes:
    return gzip.compress(b"date,portfolio,nav,flow\n2024-01-30,A,1234.5,0\n2024-01-31,A,1250,-10\n")


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._nav.csv", b"\0\1")
        archive.writestr("nav.csv", semicolons_utf16())
    return packed.getvalue()


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        for name, table in sheets:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(table):
                sheet.write_row(at, 0, row)
    return made.getvalue()


def excel_two_sheets() -> bytes:
    table = [
        ["Date", "Portfolio", "NAV", "Flow"],
        [date(2024, 1, 30), "A", 1234.5, 0],
        [date(2024, 1, 31), "A", 1250, -10],
    ]
    return workbook(("Remarks", [["Prepared by the administrator"], ["All amounts in EUR"]]), ("NAV", table))


def parquet() -> bytes:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table(
        {
            "nav": [1234.5, 1250.0],
            "flow": [0.0, -10.0],
            "portfolio": pyarrow.array(["A", "A"]).dictionary_encode(),
            "__index_level_0__": pyarrow.array([datetime(2024, 1, 30), datetime(2024, 1, 31)], pyarrow.timestamp("ns")),
        }
    )
    made = io.BytesIO()
    pyarrow.parquet.write_table(table, made)
    return made.getvalue()


def old_excel() -> bytes:
    head = ["Date", "Portfolio", "NAV", "Flow"]
    return old_workbook([head, ["2024-01-30", "A", 1234.5, 0.0], ["2024-01-31", "A", 1250.0, -10.0]])


def opendocument() -> bytes:
    def cell(value: object) -> str:
        kind = "date" if isinstance(value, date) else "float" if isinstance(value, int | float) else "string"
        name = {"date": "date-value", "float": "value", "string": "string-value"}[kind]
        facts = f'office:value-type="{kind}" office:{name}="{value}"'
        return f"<table:table-cell {facts}><text:p>{value}</text:p></table:table-cell>"

    head = ["Datum", "Fonds", "NAV", "Flow"]
    table = [head, [date(2024, 1, 30), "A", 1234.5, 0], [date(2024, 1, 31), "A", 1250, -10]]
    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in table)
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    sheet = f"<table:table table:name='NAV'>{lines}</table:table>"
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")
    return made.getvalue()


def day_and_time() -> bytes:
    return b"Day|Time|Book|Balance|Withdrawal\n20240130|00:00|A|1234.5|\n20240131|12:00 AM|A|1250|10\n"


def column_of_seconds() -> bytes:
    return b"sep=;\ntimestamp;portfolio;value;cash flow\n1706572800;A;1234.5;0\n1706659200;A;1250;-10\n"


def spaces() -> bytes:
    return (
        "Date;Fonds;Valeur;Flux\n30/01/2024;A;1\u202f234,50\u00a0€;0\n31/01/2024;A;1\u00a0250,00\u00a0€;-10\n".encode()
    )


OWN = [
    *(semicolons_utf16, unmarked_utf16, tabs_month_first, swiss, totals_and_remarks, gzipped, zipped),
    *(excel_two_sheets, old_excel, opendocument, parquet, day_and_time, column_of_seconds, spaces),
]


@pytest.mark.parametrize("make", OWN, ids=lambda make: make.__name__)
def test_files_of_many_kinds_say_the_same(make) -> None:
    assert rows(read(make())) == WANTED


@pytest.mark.parametrize(
    "months",
    [
        ("Jan 2024", "Feb 2024", "Mar 2024"), ("January 2024", "February 2024", "March 2024"),
        ("2024-01", "2024-02", "2024-03"), ("1/2024", "2/2024", "3/2024"), ("Jan. 2024", "Feb-2024", "März 2024"),
    ],
)  # fmt: skip
def test_a_month_without_a_day_is_its_last_one(months: tuple[str, ...]) -> None:
    text = "".join(f"{month};A;{100 + at}\n" for at, month in enumerate(months))
    found = rows(read(f"Month;Portfolio;NAV\n{text}"))
    assert [day for _, day, *_ in found] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    for odd in ("13/2024", "Foo 2024", "2024-00", "Jan 24"):
        assert "date is no date" in told(read(f"date,portfolio,nav\n2024-01-30,A,1\n{odd},A,2\n")), odd


def test_what_was_left_out_is_told() -> None:
    notes = read(totals_and_remarks()).notes
    assert notes[0] == "left out at the end: line 6 ('Total'), line 7 ('Source: the administrator')"
    assert notes[1] == "1 line before the header left out"
    empty = read("date,portfolio,nav,flow,note\n2024-01-30,A,1,\n2024-01-31,A,2,5,ok\n".replace("1,\n", "1,,\n"))
    assert empty.notes == ("'flow' is empty in 1 row: no money moved", "columns left out: note")


def test_a_currency_is_taken_from_header_sign_or_column() -> None:
    for text in (
        "date;portfolio;NAV (EUR)\n2024-01-30;A;5\n",
        "date;portfolio;nav\n2024-01-30;A;€ 5\n",
        "date;portfolio;nav;currency\n2024-01-30;A;5;EUR\n",
    ):
        assert read(text).currencies == (("A", "EUR"),)


def test_percent_returns_are_told_by_sign_or_header() -> None:
    for text in (
        "date,fund,return\n2024-01-30,A,1.5%\n2024-01-31,A,-2%\n",
        "date,fund,Return (%)\n2024-01-30,A,1.5\n2024-01-31,A,-2\n",
    ):
        assert [row[2] for row in rows(read(text))] == [0.015, -0.02]


def test_wide_returns_are_taken_when_a_person_says_so() -> None:
    text = ",Alpha,Beta\n2024-01-30,0.01,\n2024-01-31,-0.02,0.5\n"
    assert "nav is negative" in told(read(text))
    assert rows(read(text, kind="returns", unit="ratio"))[-1] == ("Beta", "2024-01-31", 0.5, 0.0)


# What is not certain is asked for.


@pytest.mark.parametrize(
    ("text", "asks", "option", "said", "values"),
    [
        (
            "date,portfolio,nav\n03/04/2024,A,1.5\n04/04/2024,A,2.5\n",
            "date_order",
            "2024-04-03 (--date-order dmy) or 2024-03-04 (--date-order mdy)",
            {"date_order": "mdy"},
            [("A", "2024-03-04", 1.5, 0.0), ("A", "2024-04-04", 2.5, 0.0)],
        ),
        (
            "date;portfolio;nav\n2024-01-30;A;1,234\n2024-01-31;A;2,345\n",
            "decimal",
            "can be 1234 or 1.234: say --decimal . or --decimal ,",
            {"decimal": ","},
            [("A", "2024-01-30", 1.234, 0.0), ("A", "2024-01-31", 2.345, 0.0)],
        ),
        (
            "date,nav\n2024-01-30,5\n",
            "portfolio",
            "say --portfolio NAME",
            {"portfolio": "A"},
            [("A", "2024-01-30", 5.0, 0.0)],
        ),
        (
            "date,fund,return\n2024-01-30,A,1.5\n2024-01-31,A,-2\n",
            "unit",
            "returns as large as 2 can be 2 % or 200 %",
            {"unit": "percent"},
            [("A", "2024-01-30", 0.015, 0.0), ("A", "2024-01-31", -0.02, 0.0)],
        ),
        (
            "date,equity,bonds\n2024-01-30,5,6\n",
            "columns",
            "--column 'bonds=series'",
            {"columns": (("equity", "series"), ("bonds", "series"))},
            [("equity", "2024-01-30", 5.0, 0.0), ("bonds", "2024-01-30", 6.0, 0.0)],
        ),
        (
            "date,portfolio,nav\n01-02-03,A,5\n",
            "date_order",
            "--date-order ymd",
            {"date_order": "ymd"},
            [("A", "2001-02-03", 5.0, 0.0)],
        ),
    ],
)
def test_what_is_open_is_asked_for_and_what_is_said_holds(text, asks, option, said, values) -> None:
    understood = read(text)
    assert understood.asks == (asks,)
    assert option in told(understood)
    assert rows(read(text, **said)) == values


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize(("kind", "in_percent"), [("rates", 1), ("index", 100), ("returns", 100)])
def test_three_decimals_of_rates_and_returns_are_no_thousands(mark: str, kind: str, in_percent: int) -> None:
    text = "date;return\n2024-01-30;3.625\n2024-01-31;4.125\n".replace(".", mark)
    found = rows(read(text, kind=kind, portfolio="ESTR", unit="percent"))
    assert [value * in_percent for _, _, value, _ in found[-2:]] == pytest.approx([3.625, 4.125])


def test_two_sheets_with_tables_are_asked_about() -> None:
    table = [["date", "portfolio", "nav"], [date(2024, 1, 30), "A", 5]]
    content = workbook(("One", table), ("Two", table))
    assert read(content).asks == ("sheet",)
    assert rows(read(content, sheet="Two")) == [("A", "2024-01-30", 5.0, 0.0)]
    assert "'One', 'Two'" in told(read(content, sheet="Three"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("date,portfolio,nav\n13/01/2024,A,1\n01/13/2024,A,1\n", "two orders of day and month, such as '13/01/2024'"),
        ("date;portfolio;nav\n2024-01-30;A;1.234,5\n2024-01-31;A;1,234.5\n", "numbers are written in two ways"),
        ("date;portfolio;nav\n2024-01-30;A;€ 5\n2024-01-31;A;£ 5\n", "two currencies: EUR and GBP"),
        ("date,fund,return\n2024-01-30,A,1%\n2024-01-31,A,1\n", "some returns have a % sign and some have none"),
        ("date,account,symbol,market value\n2024-01-30,A,SPY,5\n", "positions are not taken yet"),
        ("date,portfolio,nav,NAV\n2024-01-30,A,5,6\n", "can each be the value"),
        ("portfolio,nav\nA,5\n", "no line names the columns"),
        ("date,portfolio,remark\n2024-01-30,A,x\n", "no column holds values"),
        ("just a line\nand another\n", "one column only"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(text: str, reason: str) -> None:
    assert reason in told(read(text))


def test_what_is_said_against_the_file_names_the_lines() -> None:
    text = told(read("date,portfolio,nav\n02/01/2024,A,5\n13/01/2024,A,5\n", date_order="mdy"))
    assert "line 3 ('13/01/2024'): date is no day in the order mdy" in text


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2023-02-30,Alpha,1,0", "no day of the calendar"),
        ("2023-02-x,Alpha,1,0", "is no date"),
        (",Alpha,1,0", "date is empty"),
        ("1901-01-01,Alpha,1,0", "before 1970"),
        ("2023-01-02,,1,0", "is no name"),
        ("2023-01-02,=HYPERLINK(1),1,0", "is no name"),
        ("2023-01-02,Alpha,,0", "nav is empty"),
        ("2023-01-02,Alpha,abc,0", "nav is no number"),
        ("2023-01-02,Alpha,1_000,0", "nav is no number"),
        ("2023-01-02,Alpha,inf,0", "nav is no number"),
        ("2023-01-02,Alpha,1e999,0", "nav is no number"),
        ("2023-01-02,Alpha,5%,0", "nav is no number"),
        ('2023-01-02,Alpha,"1,2,3",0', "nav is no number"),
        ("2023-01-02,Alpha,-5,0", "nav is negative"),
        ("2023-01-02,Alpha,5,x", "flow is no number"),
        ("2023-01-02,Alpha,5", "fewer fields"),
        ("2023-01-02,Alpha,5,0,7", "more fields"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_reason(row: str, reason: str) -> None:
    mistakes = read(f"{HEADER}2023-01-01,Alpha,1,0\n{row}\n2023-01-05,Alpha,1,0\n").mistakes
    assert [mistake.first[0][0] for mistake in mistakes] == [3]
    assert reason in mistakes[0].reason


def test_a_kind_of_mistake_is_one_sentence_with_its_count_and_first_three_lines() -> None:
    lines = "".join(f"2023-01-01,Alpha {at},oops{at},{'x' if at == 7 else 0}\n" for at in range(762))
    first, second = read(HEADER + lines).mistakes
    assert {str(first), str(second)} == {
        "762 lines: nav is no number such as 1250000.50: lines 2 ('oops0'), 3 ('oops1'), 4 ('oops2') and 759 more",
        "line 9 ('x'): flow is no number such as 1250000.50",
    }


def test_columns_stand_in_any_order_and_times_may_have_a_zone() -> None:
    (row,) = rows(read("nav,flow,date,portfolio\n5,0,2023-01-02T23:00:00-05:00,Alpha"))
    assert row[1] == "2023-01-03T04:00:00"


def test_a_file_as_described_keeps_its_decimal_point() -> None:
    assert rows(read(f"{HEADER}2024-01-30,A,1.234,0\n"))[0][2] == 1.234


def test_a_row_that_repeats_another_is_left_out_unless_money_moved() -> None:
    assert read(f"{HEADER}2024-01-30,A,5,0\n2024-01-30,A,5,0\n").notes == (
        "1 row that only repeats another one left out",
    )
    assert "repeats a time" in told(read(f"{HEADER}2024-01-30,A,5,1\n2024-01-30,A,5,1\n"))


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "larger than 32 MiB" in told(understand("x.csv", None, Mapping(), NOW))
    assert "larger than 32 MiB" in told(read(b"x" * (LARGEST_BYTES + 1)))
    assert "larger than 32 MiB unpacked" in told(read(gzip.compress(b"0" * (LARGEST_BYTES + 1))))


# Property: whatever the dialect, a series is read back, or asked about. Never is it another one.

DATES = {
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%y"),
    "mdy": ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"),
    "ymd": ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%y-%m-%d"),
    "": ("%d %b %Y", "%b %d, %Y", "%d-%B-%Y"),
}
DIALECTS = st.tuples(
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([(order, form) for order, forms in DATES.items() for form in forms]),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (".", "'"), (",", " "), (".", " ")]),
    st.integers(0, 4),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
)
SERIES = st.lists(
    st.tuples(st.dates(date(1975, 1, 1), date(2026, 12, 31)), st.floats(0, 3e9), st.floats(-1e6, 1e6)),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[0],
)


def written(value: float, decimal: str, thousands: str, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


@given(series=SERIES, dialect=DIALECTS, name=st.sampled_from(["Alpha", "Größe & Co", "A 1"]))
def test_a_series_is_read_back_in_every_dialect_or_asked_about(series, dialect, name: str) -> None:
    separator, (order, form), (decimal, thousands), places, encoding, ending = dialect
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=separator, lineterminator=ending)
    writer.writerow(["Datum", "Fonds", "NAV", "Cashflow"])
    for day, nav, flow in series:
        cells = (written(number, decimal, thousands, places) for number in (nav, flow))
        writer.writerow([day.strftime(form), name, *cells])
    content = table.getvalue().encode(encoding)
    wanted = [(name, day.isoformat(), round(nav, places), round(flow, places)) for day, nav, flow in series]
    understood = read(content)
    if understood.points is None:
        assert set(understood.asks) <= {"date_order", "decimal"}
        assert understood.asks
        understood = read(content, date_order=order, decimal=decimal, thousands=thousands)
    found = rows(understood)
    assert [row[:2] for row in found] == [row[:2] for row in wanted]
    for row, (_, _, nav, flow) in zip(found, wanted, strict=True):
        assert row[2:] == pytest.approx((nav, flow), rel=1e-12, abs=1e-9)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEADER + text).encode("utf-8", "replace")))
def test_no_content_can_do_more_than_be_refused(content: bytes) -> None:
    understood = read(content)
    if understood.points is None:
        assert understood.mistakes
        assert all(mistake.reason and "\n" not in str(mistake) for mistake in understood.mistakes)


# Doubts.


def daily(values: dict[int, float] | None = None, count: int = 20, **more: str) -> str:
    lines = [
        f"{day},A,{(values or {}).get(at, 100 + at)},0" for at, day in enumerate(weekdays(date(2024, 1, 1), count))
    ]
    return HEADER + "".join(f"{line}\n" for line in [*lines, *more.values()])


@pytest.mark.parametrize(
    ("text", "kind", "lines"),
    [
        (daily({5: 12_000.0}), "jump", [7]),
        (daily({5: 1.0}), "jump", [7]),
        (daily({5: 0.0}), "jump", [7]),
        (daily({at: (100 + at) * 100.0 for at in range(5, 20)}), "jump", [7]),
        (daily(row="2024-02-12,A,120,0"), "hole", [22]),
        (daily(row="2024-01-20,A,120,0"), "weekend", [22]),
        (daily(row="2024-01-27,A,120,0", again="2024-01-29,A,120,0"), "weekend", [22]),
        (f"{HEADER}2030-01-01,A,1,0\n", "future", [2]),
        (f"{HEADER}2024-01-02T00:00+02:00,A,1,0\n2024-01-02T00:00Z,A,1,0\n", "zones", [3]),
    ],
)
def test_what_is_hard_to_believe_is_told_by_line(text: str, kind: str, lines: list[int]) -> None:
    (doubt,) = read(text).doubts
    assert doubt.kind == kind
    assert [row.line for row in doubt.rows] == lines


@pytest.mark.parametrize(
    "text",
    [
        daily(),
        daily(row="2024-02-02,A,120,0"),
        f"{HEADER}2024-01-02,A,1,0\n2024-01-03,A,1001,1000\n2024-01-04,A,1,-1000\n",
        HEADER + "".join(f"2024-01-{day:02},A,1,0\n" for day in range(1, 29)),
        HEADER + "".join(f"2024-{month:02}-28,A,1,0\n" for month in range(1, 13)),
        HEADER + "".join(f"2024-01-{day:02}T{hour:02}:00-05:00,A,1,0\n" for day in (2, 3) for hour in range(24)),
    ],
)
def test_what_is_usual_is_not_doubted(text: str) -> None:
    assert read(text).doubts == ()


def test_times_are_utc_unless_they_say_otherwise() -> None:
    understood = read(f"{HEADER}2024-01-02 16:30,A,1,0\n2024-01-03T16:30:00+01:00,A,1,0\n")
    assert [when(ts) for ts in understood.points.ts.tolist()] == ["2024-01-02T16:30:00", "2024-01-03T15:30:00"]


@pytest.mark.parametrize(
    "header",
    ["Subscriptions/Redemptions", "Contributions & Withdrawals", "Inflows - outflows (USD)", "Zufluss und Abfluss"],
)
def test_money_in_and_out_in_one_column_is_a_flow(header: str) -> None:
    found = read(f"Date;NAV (USD);{header}\n2024-01-30;100;\n2024-01-31;150;50\n2024-02-01;120;-30\n", portfolio="A")
    assert rows(found) == [
        ("A", "2024-01-30", 100.0, 0.0), ("A", "2024-01-31", 150.0, 50.0), ("A", "2024-02-01", 120.0, -30.0),
    ]  # fmt: skip
    assert found.examples[2] == ("50", "-30"), "a sparse column shows what it has"


def test_a_column_that_nobody_knows_may_be_a_cash_flow() -> None:
    content = "date,nav,moved\n2024-01-30,100,0\n2024-01-31,150,50\n"
    assert "--column 'moved=flow'" in told(read(content, portfolio="A"))
    assert "cash flow, a portfolio of its own, or left out" in on_page(told(read(content, portfolio="A")))
    assert rows(read(content, portfolio="A", columns=(("moved", "flow"),)))[1] == ("A", "2024-01-31", 150.0, 50.0)


@pytest.mark.parametrize("header", ["NAV per share", "Unit price", "NAV/Share", "Anteilwert"])
def test_values_of_a_share_are_said_to_be_no_money_of_the_portfolio(header: str) -> None:
    content = f"Date,{header}\n2024-01-30,100\n2024-01-31,150\n"
    assert "values are of one share or unit" in " ".join(read(content, portfolio="A").notes)
    assert not read(content.replace(header, "NAV"), portfolio="A").notes
