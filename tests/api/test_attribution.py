"""Where a return came from, as programs read it: the page's figures, which add up."""

from __future__ import annotations

import math

import pytest

from access.viewer import Viewer
from core.roles import Role
from sample.load import load_sample
from storage.stores import Stores
from tests.support.api import client_of

READER = Viewer("reader", Role.VIEWER)
FUND = "/api/v1/portfolios/sample:fund"


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def test_groups_and_periods_come_to_the_portfolios_own_return(sample: Stores) -> None:
    client = client_of(sample, READER)
    figures = client.get(f"{FUND}/performance?window=1Y&limit=500").json["items"]
    earned = next(each["value"] for each in figures if each["key"] == "total_return")
    for by in ("sector", "portfolio", "instrument"):
        groups = client.get(f"{FUND}/attribution?window=1Y&by={by}&limit=500").json
        whole = next(each for each in groups["items"] if each["group"] == "Total")
        parts = [each for each in groups["items"] if each["group"] != "Total"]
        assert whole["contribution_ratio"] == pytest.approx(earned, rel=1e-9)
        assert math.fsum(each["contribution_ratio"] for each in parts) == pytest.approx(earned, rel=1e-9)
        assert math.fsum(each["pnl"] for each in parts) == pytest.approx(whole["net_pnl"], rel=1e-9)
        assert groups["units"]["pnl"] == "USD"
    told = client.get(f"{FUND}/attribution/periods?window=1Y&every=quarter&limit=500").json["items"]
    assert math.fsum(each["contribution_ratio"] for each in told) == pytest.approx(earned, rel=1e-9)
    assert len({each["period"] for each in told}) == 5


def test_effects_come_to_the_excess_return_and_without_constituents_there_are_none(sample: Stores) -> None:
    client = client_of(sample, READER)
    found = client.get(f"{FUND}/attribution/effects?window=3Y&benchmark=blend:EQW&linking=grap").json["items"]
    whole = next(each for each in found if each["segment"] == "Total")
    parts = [each["total_ratio"] for each in found if each["segment"] != "Total"]
    assert math.fsum(parts) == pytest.approx(whole["return_ratio"] - whole["benchmark_return_ratio"], rel=1e-9)
    empty = client.get(f"{FUND}/attribution/effects?window=3Y").json
    assert empty["items"] == []
    assert "It is not known what S&P 500 is made of: send benchmark_weights." in empty["told"]


def test_fees_by_year_and_of_the_window(sample: Stores) -> None:
    client = client_of(sample, READER)
    found = {each["year"]: each for each in client.get(f"{FUND}/fees?window=5Y").json["items"]}
    assert found["window"]["gross_return_ratio"] > found["window"]["net_return_ratio"]
    assert found["2019"]["management_fee_ratio"] == pytest.approx(0.015, rel=0.2)
    assert client.get("/api/v1/portfolios/sample:pairs/fees").json["told"][-1] == "No fees are set of it."


@pytest.mark.parametrize(
    ("query", "field"), [("by=size", "by"), ("model=XX", "model"), ("from=2022-13-01", "from"), ("linking=", "linking")]
)
def test_what_cannot_be_is_refused_with_its_field(sample: Stores, query: str, field: str) -> None:
    answer = client_of(sample, READER).get(f"{FUND}/attribution/effects?{query}")
    assert answer.status_code == 422
    assert answer.json["field"] == field
