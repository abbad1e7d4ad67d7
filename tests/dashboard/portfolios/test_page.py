"""The Portfolios page: what it tells of each portfolio, what it lets whom change."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.roles import Role
from core.settings.portfolios import SetPortfolio
from dashboard.charts.theme import COMPARED
from dashboard.components.markup import markup
from dashboard.portfolio.colours import compared_colours
from dashboard.tabs.portfolio import TAB
from dashboard.tabs.portfolios import PAGE, build
from dashboard.views.tab import Choices
from portfolio.imports.take import take
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.tree.settings import change
from sample.load import portfolios as sample_portfolios
from storage.state.portfolios import put_portfolios
from storage.stores import Stores
from tests.support.application import create_app

OPERATOR = Viewer("ann", Role.OPERATOR)


def bring(stores: Stores, *names: str) -> None:
    lines = [f"2023-01-0{day},{name},{100 + day}" for name in names for day in (2, 3)]
    take(stores, "a.csv", ("date,portfolio,nav\n" + "\n".join(lines)).encode(), accept=True)


def slots(stores: Stores, viewer: Viewer = OPERATOR, **choices: str) -> dict[str, str]:
    view = build(stores, Choices.of(choices), viewer)
    return {name: markup(content) for name, content in view.slots.items()}


@pytest.fixture
def client(stores: Stores) -> FlaskClient:
    client: FlaskClient = create_app(stores, (TAB, PAGE), lambda _: OPERATOR).server.test_client()
    return client


def test_a_form_tells_what_is_wrong_with_each_field_and_who_changed_what(client: FlaskClient, stores: Stores) -> None:
    bring(stores, "A")
    told = client.post("/portfolios/set", json={"id": "A", "currency": "x", "periods_per_year": "daily"}).get_json()
    assert told["done"] is False
    assert told["fields"] == {
        "currency": "give three capitals such as USD",
        "periods_per_year": "give a whole number from 0 to 366",
    }
    told = client.post("/portfolios/set", json={"id": "A", "currency": "EUR", "periods_per_year": ""}).get_json()
    assert (told["done"], told["said"]) == (True, "A: currency USD → EUR.")
    assert ">ann<" in slots(stores)["portfolios-changes-table"]
    assert client.post("/portfolios/merge", json={"id": "A", "into": ""}).get_json()["fields"].keys() == {"into"}


def test_it_asks_whose_values_stay(client: FlaskClient, stores: Stores) -> None:
    bring(stores, "A", "B")
    told = client.post("/portfolios/merge", json={"id": "A", "into": "B", "wins": ""}).get_json()
    assert "both have values on 2 days (2023-01-02, 2023-01-03): say whose stay" in told["said"]
    assert list(told["fields"]) == ["wins"]
    told = client.post("/portfolios/merge", json={"id": "A", "into": "B", "wins": "this"}).get_json()
    assert told["said"].endswith("on 2 days that both have, those of A stay.")


def test_what_cannot_be_merged_into_is_listed_with_the_reason(client: FlaskClient, stores: Stores) -> None:
    bring(stores, "A", "B", "C")
    assert client.post("/portfolios/set", json={"id": "B", "currency": "EUR"}).get_json()["done"] is True
    shown = " ".join(slots(stores, edit="own:A").values())
    (option,) = re.findall(r"<option[^>]*>B: in EUR, this one in USD</option>", shown)
    assert "disabled" in option
    assert re.search(r'<option value="C">C</option>', shown)


def test_what_the_file_sets_is_read_only(stores: Stores) -> None:
    bring(stores, "A")
    fixed = SetPortfolio(id="A", currency="USD", frequency="D")
    settings = stores.settings.model_copy(update={"portfolios": (fixed,)})
    shown = slots(replace(stores, settings=settings), edit="own:A")["portfolios-settings-table"]
    assert shown.count("Set in fundwatch.yaml.") == 2
    assert (shown.count('readonly="readonly"'), shown.count(" disabled")) == (1, 1)
    assert "/portfolios/delete" not in shown
    assert "take it out there before you merge or delete it" in shown


def test_sample_and_viewers_change_nothing(stores: Stores) -> None:
    put_portfolios(stores.state, sample_portfolios("sample"))
    bring(stores, "A")
    fund = sample_portfolios("sample")[0].id
    shown = slots(stores, edit=f"sample:{fund}")
    assert "python -m sample remove" in shown["portfolios-settings-table"]
    assert ">SAMPLE<" in shown["portfolios-tree-table"]
    seen = slots(stores, Viewer("ben", Role.VIEWER), edit="own:A")
    assert not any("<form" in text for text in seen.values())
    nobody = slots(stores, Viewer("ben", Role.VIEWER))
    assert not any('href="/import"' in text for text in nobody.values())
    assert "Only operators and admins change portfolios." in nobody["portfolios-settings-table"]
    assert "There is no portfolio own:B." in slots(stores, edit="own:B")["portfolios-settings-table"]


def test_what_has_ended_says_so_and_is_not_stale(stores: Stores) -> None:
    bring(stores, "A")
    assert "data-stale-after" in slots(stores)["portfolios-tree-table"]
    change(stores, "A", {"ended": "2023-01-02"})
    shown = slots(stores)["portfolios-tree-table"]
    assert "ended 2023-01-02" in shown
    assert "data-stale-after" not in shown
    assert "1 left out" in shown


@pytest.mark.parametrize(
    ("colours", "wanted"),
    [
        (("", "", ""), COMPARED[:3]),
        (("", "2", ""), ("@series-3", "@series-2", "@series-4")),
        (("1", "4", "4"), ("@series-2", "@series-4", "@series-3")),
        (("6", "5", "4"), ("@series-6", "@series-5", "@series-4")),
    ],
)
def test_compared_lines_have_the_colours_that_are_set_and_no_two_the_same(
    stores: Stores, colours: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    bring(stores, "A", "B", "C", "D")
    for name, colour in zip("BCD", colours, strict=True):
        change(stores, name, {"colour": colour})
    query: dict[str, Any] = {"portfolio": "own:A", "compared": ("own:B", "own:C", "own:D")}
    assert compared_colours(read(stores, PortfolioQuery(**query), None)) == wanted
