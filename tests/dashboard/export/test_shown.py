"""Tables as they are shown become a workbook, for those who may take data out; what is no table is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.roles import Role
from dashboard.components.panel import TOOLS
from dashboard.tabs import PAGES, portfolio
from dashboard.views.panel import TableBody
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.workbooks import opened

OF_METRICS = {"portfolio-metrics"}
"""Has files of its own, of every figure and in full."""


def client_of(stores: Stores, role: Role) -> FlaskClient:
    client: FlaskClient = create_app(stores, (portfolio.TAB,), lambda _: Viewer("ana", role)).server.test_client()
    return client


def table(**more: Any) -> dict[str, Any]:
    rows = [["=1+1", 12486, {"kind": "percent", "ratio": 0.0504}, None], ["KO", -1.25, "n/a", 3.0]]
    return {"name": "Positions", "columns": ["Instrument", "Quantity", "Weight", "Cost"], "rows": rows, **more}


def test_numbers_stay_numbers_percent_is_percent_and_no_text_is_run(stores: Stores) -> None:
    sent = {"tables": [table(), table(name="positions"), table(name="a/b: [x]" * 9, rows=[])]}
    answer = client_of(stores, Role.ANALYST).post("/table.xlsx", json=sent)
    assert answer.status_code == 200, answer.text
    sheets = opened(answer.data)
    assert list(sheets) == ["Positions", "positions 2", "a b   x a b   x a b   x a b   x"]
    assert [[cell.value for cell in row] for row in sheets["Positions"].rows] == [
        ["Instrument", "Quantity", "Weight", "Cost"], ["=1+1", 12486.0, 0.0504], ["KO", -1.25, "n/a", 3.0],
    ]  # fmt: skip
    assert [cell.number_format for cell in sheets["Positions"].rows[1]] == ["General", "General", "0.00%"]
    assert sheets["Positions"].frozen_rows == 1
    quoted = {"tables": [table(name="a" * 30 + "'bc")]}
    assert list(opened(client_of(stores, Role.ANALYST).post("/table.xlsx", json=quoted).data)) == ["a" * 30]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"tables": []}, "tables: "),
        ({"tables": [table(rows=[["alone"]])]}, "another number of cells"),
        ({"tables": [table(columns=[])]}, "columns"),
        ({"tables": [table()], "more": 1}, "more: "),
        ([], "the body: "),
        ({"tables": [table(rows=[[[]] * 4] * 300)]}, "rows.0.0"),
        ({"tables": [table(columns=["x"] * 400, rows=[[1.0] * 400] * 800)]}, "more than 300,000 cells"),
    ],
)
def test_what_is_no_table_is_refused_and_said_why(stores: Stores, sent: Any, why: str) -> None:
    answer = client_of(stores, Role.ANALYST).post("/table.xlsx", json=sent)
    assert (answer.status_code, why in answer.text) == (400, True), answer.text


def test_who_may_take_nothing_out_gets_none(stores: Stores) -> None:
    answer = client_of(stores, Role.VIEWER).post("/table.xlsx", json={"tables": [table()]})
    assert answer.status_code == 403 and "analysts" in answer.text


def test_every_table_is_offered_as_csv_and_as_excel() -> None:
    shown = [panel for page in PAGES for panel in page.panels if isinstance(panel.holds, TableBody)]
    tools = {panel.id: panel.element().children[0].children[-1].children for panel in shown}
    names = {id: {getattr(each, "data-tool") for each in tool} for id, tool in tools.items()}
    assert all(each <= set(TOOLS) for each in names.values())
    lacks = {id for id, each in names.items() if "csv" in each and "xlsx" not in each}
    assert not lacks
    silent = {id for id, each in names.items() if "csv" not in each and id.split("-")[0] in OF_PORTFOLIOS}
    assert silent <= FORMS | OF_METRICS


OF_PORTFOLIOS = {
    "portfolio", "holdings", "exposure", "risk", "stress", "what", "attribution", "trades", "execution", "limits",
    "reconcile",
}  # fmt: skip
FORMS = {"stress-new", "what-if-new", "limits-set"}
"""Hold forms, no table."""
