"""The Import page from real stores: what a file is understood as, what is refused, and what comes of taking it."""

from __future__ import annotations

import html as escapes
import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dash import html
from flask import Request
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.roles import Role
from dashboard.components.markup import markup
from dashboard.imports.fields import changes
from dashboard.imports.words import ROLES, on_page
from dashboard.tabs import imports, portfolio
from dashboard.tabs.imports import PAGE
from portfolio.imports.inbox import make
from portfolio.imports.mapping import Mapping
from portfolio.imports.sheet import LARGEST_BYTES
from portfolio.imports.take import look_at, take
from portfolio.imports.understand import day
from storage.state.changes import CLEARING, Change, record_change
from storage.state.imports import recent_imports
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import text

CASES = Path(__file__).parents[2] / "portfolio" / "imports" / "cases"
FILES = sorted(path.name for path in CASES.glob("*.csv"))
ANA, BEN = Viewer("ana", Role.OPERATOR), Viewer("ben", Role.ANALYST)
GIVEN = "An admin can give you the role, on the page Users."
NAV = b"date,portfolio,nav\n2023-01-02,Alpha,100\n2023-01-03,Alpha,101\n"
OPEN_DATES = b"date,portfolio,nav\n03/04/2023,Alpha,100\n04/04/2023,Alpha,101\n"


def by_header(request: Request) -> Viewer | None:
    return {"ana": ANA, "ben": BEN}.get(request.headers.get("X-Who", "ana"))


@pytest.fixture
def client(stores: Stores) -> FlaskClient:
    client: FlaskClient = create_app(stores, (portfolio.TAB, imports.PAGE), by_header).server.test_client()
    return client


def body(name: str, content: bytes, said: dict[str, Any] | None = None, **more: object) -> bytes:
    return json.dumps({"name": name, "said": said or {}, **more}).encode() + b"\n" + content


def post(client: FlaskClient, what: str, *sent: Any, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/import/{what}", data=body(*sent, **more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def words(told: dict[str, Any]) -> str:
    """Return the words of an answer, with one blank between them."""
    return " ".join(escapes.unescape(re.sub(r"<[^>]+>", " ", told["html"])).split())


@pytest.mark.parametrize("name", FILES)
def test_the_page_understands_each_file_as_the_command_line_does(
    name: str, client: FlaskClient, stores: Stores
) -> None:
    content = (CASES / name).read_bytes()
    for said in ({}, {"portfolio": "One"}):
        understood = look_at(stores, name, content, Mapping(**said))
        told = post(client, "look", name, content, said)
        shown = words(told)
        assert understood.seems in shown and "--" not in shown
        for mistake in understood.mistakes:
            assert on_page(mistake.reason)[1:] in shown
            assert all(f"line {line}: {what}" in shown for line, what in mistake.first)
        for column, role in zip(understood.header, understood.roles, strict=False):
            assert column in shown and (ROLES.get(role) or "holds nothing") in shown
        points = understood.points
        if points is None:
            (button,) = re.findall(r'<button[^>]*data-import="take"[^>]*>', told["html"])
            assert " disabled" in button
            continue
        for portfolio_name, often in zip(points.names, understood.frequencies, strict=True):
            assert f"{portfolio_name} will be new {often}" in shown
        assert f"from {day(understood.first)} to {day(understood.last)}" in shown
        assert all(note in shown or note[1:] in shown for note in understood.notes)
        for doubt in understood.doubts:
            assert all(f"line {row.line}: {row.text}" in shown for row in doubt.rows[:10])


def test_what_the_file_leaves_open_is_asked_and_answered(client: FlaskClient, stores: Stores) -> None:
    told = post(client, "look", "open.csv", OPEN_DATES)
    assert "One answer is missing" in told["said"]
    asked = told["html"].split("What the file leaves open")[1]
    assert 'name="date_order"' in asked.split("</fieldset>")[0]
    assert "--" not in words(told)
    answered = post(client, "look", "open.csv", OPEN_DATES, {"date_order": "dmy"})
    assert "2 values from 2023-04-03 to 2023-04-04. Nothing looks wrong." in answered["said"]
    assert post(client, "take", "open.csv", OPEN_DATES, {"date_order": "dmy"})["done"] is True
    assert "2 values from 2023-04-03" in words(post(client, "look", "other.csv", OPEN_DATES)), "it is remembered"
    assert [item.who for item in recent_imports(stores.state)] == ["ana"]


def test_a_column_is_read_as_a_person_says(client: FlaskClient) -> None:
    content = b"date,fund,nav,balance\n2023-01-02,A,1,100\n2023-01-03,A,2,101\n"
    told = post(client, "look", "two.csv", content)
    assert "choose “left out” for the others" in words(told)
    told = post(client, "look", "two.csv", content, {"columns": [["nav", "skip"]]})
    assert "2 values" in told["said"] and "101" in words(told)
    chosen = [each for each in re.findall(r"<option[^>]*>", told["html"]) if " selected" in each]
    assert any('value="skip"' in each for each in chosen)


def test_what_is_hard_to_believe_is_taken_only_when_it_is_confirmed(client: FlaskClient, stores: Stores) -> None:
    content = (CASES / "jump100x.csv").read_bytes().replace(b"2026-", b"2020-")
    told = post(client, "take", "jump100x.csv", content)
    assert told["done"] is False and "confirm what is hard to believe" in told["said"]
    assert recent_imports(stores.state) == []
    told = post(client, "take", "jump100x.csv", content, accept=True)
    assert told["done"] is True and 'href="/portfolio?portfolio=own%3ATau+Jump"' in told["html"]
    page = portfolio.TAB.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    assert "1 value of import 1 (jump100x.csv) was taken although doubted: " in text(page.slots["portfolio-notes"])


def test_a_name_that_is_nearly_one_that_is_there_is_asked_about(client: FlaskClient, stores: Stores) -> None:
    post(client, "take", "nav.csv", NAV)
    misspelt = NAV.replace(b"Alpha", b"alhpa").replace(b"2023", b"2022")
    told = post(client, "look", "nav.csv", misspelt)
    assert "alhpa will be new; there is “Alpha”: misspelt?" in words(told)
    assert post(client, "take", "nav.csv", misspelt)["done"] is False
    assert [each.id for each in list_portfolios(stores.state)] == ["Alpha"]
    assert post(client, "take", "nav.csv", misspelt, new=True)["done"] is True
    assert "is there already" in words(post(client, "look", "nav.csv", NAV))


def test_the_same_file_again_says_that_nothing_changed(client: FlaskClient, stores: Stores) -> None:
    assert "2 new rows. New portfolio: Alpha." in words(post(client, "take", "nav.csv", NAV))
    assert "The same file was imported on as import 1." in words(post(client, "look", "nav.csv", NAV))
    again = words(post(client, "take", "nav.csv", NAV))
    when = day(int(stores.clock.now()))
    assert f"Its 2 rows are there already, as they are. The same file was imported on {when} as import 1." in again
    told = client.post("/import/undo", json={"number": "1"}).json
    assert told["done"] and "no row removed. 2 rows of it came again with import 2, and stay." in told["said"]  # type: ignore[index]
    told = client.post("/import/undo", json={"number": "2"}).json
    assert "2 rows removed; Alpha removed." in told["said"]  # type: ignore[index]
    assert client.post("/import/undo", json={"number": "2"}).json["done"] is False  # type: ignore[index]


def test_a_file_in_another_currency_than_its_portfolio_is_told_before_it_is_taken(client: FlaskClient) -> None:
    post(client, "take", "nav.csv", NAV)
    told = post(client, "look", "nav.csv", NAV, {"currency": "EUR"})
    assert "Alpha is in USD, and the file is in EUR" in words(told)
    assert "cannot be imported" in told["said"]


HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{HOSTILE}.csv", NAV),
        ("a.csv", f'date,portfolio,nav,"{HOSTILE.replace(chr(34), chr(34) * 2)}"\n2023-01-02,A,1,x\n'.encode()),
        ("a.csv", NAV.replace(b"Alpha", HOSTILE.replace('"', "").encode())),
        ("a.csv", f"date;{HOSTILE};B\n2023-01-02;1;2\n2023-01-03;1;2\n".encode()),
        ("a.csv", f"date,portfolio,nav\n2023-01-02,A,{HOSTILE}\n".encode()),
    ],
)
def test_what_a_file_holds_is_never_html(name: str, content: bytes, client: FlaskClient, stores: Stores) -> None:
    for what in ("look", "take"):
        assert "<img" not in post(client, what, name, content)["html"]
    assert "<img" not in client.get("/import").text
    take(stores, "fine.csv", NAV, who=HOSTILE)
    view = PAGE.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    assert "<img" not in markup(list(view.slots.values()))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "Not understood"),
        (b"\xff\xfe\x00", "Not understood"),
        (b"[]\nx", "Not understood"),
        (b'{"name": 3}\nx', "Not understood"),
        (b'{"name": "a", "said": [1]}\nx', "Not understood"),
        (b'{"name": "a", "said": {"kind": "gold"}}\nx', "kind 'gold': give one of nav, returns, prices"),
        (b'{"name": "a", "said": {"columns": [["a", "b"]]}}\nx', "column role 'b'"),
        (b'{"name": "a", "said": {"columns": 3}}\nx', "Not understood"),
        (b'{"refused": "../../state.sqlite"}\n', "There is no such file in inbox/refused any more."),
        (b'{"refused": "/etc/passwd"}\n', "There is no such file in inbox/refused any more."),
        (b'{"refused": ".."}\n', "There is no such file in inbox/refused any more."),
    ],
)
@pytest.mark.parametrize("what", ["look", "take"])
def test_what_cannot_be_a_file_is_told_and_changes_nothing(
    what: str, sent: bytes, said: str, client: FlaskClient, stores: Stores
) -> None:
    answer = client.post(f"/import/{what}", data=sent)
    assert answer.status_code == 200
    assert said in answer.json["said"] and answer.json["done"] is False  # type: ignore[index]
    assert recent_imports(stores.state) == []


@pytest.mark.parametrize("content", [b"", b"\0" * 900, b"\x1f\x8b\x08junk", b"PK\x03\x04junk", bytes(range(256)) * 9])
def test_junk_is_named_as_what_it_seems_to_be(content: bytes, client: FlaskClient) -> None:
    told = post(client, "look", "junk", content)
    assert "cannot be imported" in told["said"] and told["html"]


def test_more_than_can_be_read_is_refused_before_it_is_read(client: FlaskClient) -> None:
    length = {"CONTENT_LENGTH": str(2 * LARGEST_BYTES), "wsgi.input": BytesIO(b"x")}
    answer = client.post("/import/look", environ_overrides=length)
    assert answer.status_code == 413 and "Too large" in answer.json["said"]  # type: ignore[index]
    told = post(client, "look", "large.csv", b"x" * (LARGEST_BYTES + 1))
    assert told["said"] == "Too large: a file has 32.0 MiB at most. Split it, or pack it as .zip or .gz."


@pytest.mark.parametrize("path", ["look", "take", "undo", "dismiss"])
def test_only_operators_on_fundwatch_s_own_page_may_change_anything(
    path: str, client: FlaskClient, stores: Stores
) -> None:
    answer = client.post(f"/import/{path}", data=body("nav.csv", NAV), headers={"X-Who": "ben"})
    assert (answer.status_code, answer.json["said"]) == (
        403,
        f"Only operators and admins change anything on the page Import. {GIVEN}",
    )  # type: ignore[index]
    answer = client.post(f"/import/{path}", data=body("nav.csv", NAV), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert recent_imports(stores.state) == []
    view = PAGE.build(stores, portfolio.Choices(), BEN)  # type: ignore[misc]
    assert text(view.slots["import-drop"]) == f"Only operators and admins import files. {GIVEN}"


def refuse(stores: Stores, name: str, content: bytes) -> None:
    inbox, now = make(stores), stores.clock.now()
    inbox.take_in(now)
    (stores.settings.data_dir / "inbox" / name).write_bytes(content)
    for look in (1, 2):
        inbox.take_in(now + look * inbox.interval_seconds)


def shown_refused(stores: Stores) -> str:
    view = PAGE.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    return " ".join(text(view.slots["import-refused"]).split())


def test_a_refused_file_of_the_inbox_is_shown_looked_at_and_taken(client: FlaskClient, stores: Stores) -> None:
    refuse(stores, "open.csv", OPEN_DATES)
    assert "1 file of the inbox refused" in shown_refused(stores)
    assert "can be 2023-04-03 (day first) or 2023-03-04 (month first)" in shown_refused(stores)
    told = client.post("/import/look", data=b'{"refused": "open.csv"}\n').json
    assert "One answer is missing" in told["said"]  # type: ignore[index]
    taken = b'{"refused": "open.csv", "said": {"date_order": "dmy"}}\n'
    assert client.post("/import/take", data=taken).json["done"] is True  # type: ignore[index]
    assert shown_refused(stores) == ""
    assert (stores.settings.data_dir / "inbox" / "refused" / "open.csv").is_file()
    assert recent_imports(stores.state)[0].names == ("Alpha",)


def test_a_file_that_cannot_be_taken_now_is_told_why(client: FlaskClient, stores: Stores) -> None:
    post(client, "take", "nav.csv", NAV)
    with stores.state.begin() as connection:
        record_change(connection, Change(stores.clock.now(), "ben", "Alpha", "delete", stage=CLEARING))
    told = post(client, "take", "nav.csv", NAV + b"2023-01-04,Alpha,101\n")
    assert told["done"] is False
    assert "a portfolio of it is being merged or deleted. Import it again when that is done." in told["said"]


def test_dismissed_files_are_no_warning_and_a_new_one_of_the_name_is(client: FlaskClient, stores: Stores) -> None:
    for name in ("a.csv", "b.csv"):
        refuse(stores, name, OPEN_DATES)
    told = client.post("/import/dismiss", json={"name": "a.csv"}).json
    assert told["done"] is True  # type: ignore[index]
    assert "b.csv" in shown_refused(stores) and "a.csv" not in shown_refused(stores)
    assert client.post("/import/dismiss", json={"name": ""}).json["done"] is True  # type: ignore[index]
    assert shown_refused(stores) == ""
    assert client.post("/import/dismiss", json={"name": "a.csv"}).json["done"] is False  # type: ignore[index]
    for left in (stores.settings.data_dir / "inbox" / "refused").glob("a.csv*"):
        left.unlink()
    refuse(stores, "a.csv", OPEN_DATES)
    assert "a.csv" in shown_refused(stores)


def test_every_import_is_listed_with_what_came_of_it(client: FlaskClient, stores: Stores) -> None:
    post(client, "take", "nav.csv", NAV)
    refuse(stores, "open.csv", OPEN_DATES)
    client.post("/import/undo", json={"number": "1"})
    view = PAGE.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    shown = " ".join(text(view.slots["import-all-table"]).split())
    assert "ana nav.csv" in shown and "NAV of Alpha 2023-01-02 – 2023-01-03" in shown
    assert "undone" in shown and "by ana" in shown
    assert "inbox open.csv" in shown and "refused" in shown and "(day first)" in shown


def test_the_page_says_so_when_nothing_was_imported(stores: Stores) -> None:
    view = PAGE.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    assert text(view.slots["import-all-table"]).strip() == "Nothing was imported yet."
    without = portfolio.TAB.build(stores, portfolio.Choices(), ANA)  # type: ignore[misc]
    empty = without.slots["portfolio-cards"]
    assert 'Operators and admins bring one on the page <a href="/import">Import</a>' in markup(empty)


TRADES = (
    b"portfolio,trade_id,ts,instrument,side,quantity,price\n"
    b"alpha,T1,2023-01-02T10:00:00Z,ACME,buy,5,10\nalpha,T2,2023-01-02T11:00:00Z,ACME,sell,2,11\n"
)


def test_a_file_of_rows_is_looked_at_and_taken_whole(client: FlaskClient, stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    looked = words(post(client, "look", "broker export.csv", TRADES))
    assert "2 rows of trades" in looked and "Import" in looked
    told = post(client, "take", "broker export.csv", TRADES)
    assert told["done"] and "2 rows of trades taken: 2 new" in words(told)
    assert stores.clickhouse.rows("SELECT count() FROM trades FINAL") == [(2,)]


def test_rows_that_are_wrong_or_of_somebody_else_are_refused_with_the_reason(
    client: FlaskClient, stores: Stores
) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    wrong = post(client, "look", "broker export.csv", TRADES.replace(b"sell", b"hold"))
    assert "row 2, side" in words(wrong) and not wrong["done"]
    unknown = post(client, "take", "broker export.csv", TRADES.replace(b"alpha", b"gamma"))
    assert "there is no such portfolio" in words(unknown) and not unknown["done"]
    only = replace(ANA, portfolios=frozenset({"beta"}))
    limited = create_app(stores, (portfolio.TAB, imports.PAGE), lambda _: only).server.test_client()
    assert "there is no such portfolio" in words(post(limited, "take", "broker export.csv", TRADES))
    assert stores.clickhouse.rows("SELECT count() FROM trades FINAL") == [(0,)]


def test_the_currency_of_a_header_is_told_before_the_portfolio_is_named(stores: Stores) -> None:
    found = look_at(stores, "file.csv", b"Date;NAV (EUR)\n2024-01-30;100\n2024-01-31;150\n")
    said = markup(html.Div(changes(found, ())))
    assert found.points is None and "The file says EUR." in said and "in USD" not in said
