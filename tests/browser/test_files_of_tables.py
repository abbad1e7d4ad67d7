"""What panels of portfolios give as files: nothing but data, each number with its unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import attribution, execution, exposure, holdings, limits, portfolio, risk, stress, trades, what_if
from storage.stores import Stores
from tests.support.application import create_app

pytestmark = pytest.mark.browser
PAGES = (
    portfolio.TAB, holdings.PAGE, exposure.PAGE, attribution.PAGE, risk.PAGE, stress.PAGE, what_if.PAGE, limits.PAGE,
    trades.PAGE, execution.PAGE,
)  # fmt: skip
TABLES = {
    "holdings": ("positions", "groups", "movers"), "exposure": ("groups",), "attribution": ("groups", "positions"),
    "risk": ("positions", "groups"), "stress": ("stated", "windows", "restless"), "limits": ("all",),
    "trades": ("trips", "groups"), "execution": ("parts",), "what-if": ("trades", "figures", "limits"),
}  # fmt: skip
OF_AMOUNTS = re.compile(r"^(value|net P&L|P&L|profit|day|month|total|component VaR|traded|shortfall)$", re.IGNORECASE)
NO_DATA = re.compile(r"^[✕✓▲▼●⚠]|ChangeDelete|Take back|∞|^10{9}")
READ = """panel => {
  const place = document.getElementById(panel);
  if (!place) return null;
  place.scrollIntoView();
  return place.querySelector(".fw-panel-body tbody tr, .fw-panel-body .main-svg") && window.fundwatch.panelData(place);
}"""


# Ages sort by a moment, in epoch seconds, and are told in another unit.
WITHOUT_UNIT = r"""panel => [...document.querySelectorAll(`#${panel} td.fw-number[data-sort]`)].filter(cell => {
  const heading = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  const value = Number(cell.dataset.sort || "none");
  return Number.isFinite(value) && Math.abs(value) < 1e9 && !cell.dataset.unit && !heading.dataset.unit
    && /\d\s*(%|pp|bp|y|d|h|min|s|ms|[KMGT]iB)\b/.test(cell.textContent.replace("%", "pp"));
}).map(cell => `${cell.closest("table").id}: ${cell.textContent}`)"""


def tables_of(page: Page, panel: str) -> list[dict[str, Any]]:
    return list(page.wait_for_function(READ, arg=panel).json_value())


def test_files_hold_numbers_with_their_units_and_no_signs(page: Page, fund: Stores, serve: Callable[..., Any]) -> None:
    url = serve(create_app(fund, PAGES, lambda _: Viewer("root", Role.ADMIN)).server).url
    found = {}
    for name, panels in TABLES.items():
        page.goto(f"{url}/portfolio/{name}{'?trades=buy%20100%20XOM' if name == 'what-if' else ''}")
        for panel in panels:
            tables = tables_of(page, f"{name}-{panel}")
            assert page.evaluate(WITHOUT_UNIT, f"{name}-{panel}") == [], "the server says the unit"
            for table in tables:
                found[f"{name}-{panel}"] = table
                for column in table["columns"]:
                    of, _, unit = column.partition(", ")
                    beside = {"unit", f"{of}, unit"} & {*table["columns"]}
                    assert unit or beside or not OF_AMOUNTS.match(of), f"{name}-{panel}: {column} of which currency?"
                for row in table["rows"]:
                    for cell in row:
                        assert not NO_DATA.search(str(cell)), (name, panel, row)
    holding = found["holdings-positions"]["columns"]
    assert {"Price, USD", "Value, USD", "Weight, ratio", "Held, days"} <= {*holding}
    assert "Held, s" in found["trades-trips"]["columns"]
    assert "Change, ratio" in found["exposure-groups"]["columns"]
    assert found["what-if-figures"]["columns"] == ["Figure", "Before", "After", "Change", "unit"]
    nav = found["what-if-figures"]["rows"][0]
    assert nav[0] == "Net asset value" and nav[-1] == "USD"
    assert found["what-if-trades"]["columns"][-1] == "Value, USD", "what takes a trade back is no data"
    page.goto(f"{url}/portfolio/execution")
    (shortfall,) = tables_of(page, "execution-shortfall")
    assert shortfall["columns"] == ["name", "shortfall, bp", "shortfall, USD"]
