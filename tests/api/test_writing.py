"""Portfolios, instruments and benchmarks are changed by programs as people change them on the pages."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from access.tokens import Scope, make_token
from access.viewer import Viewer
from core.roles import Role
from storage.state.accounts import account_in, insert_account
from storage.state.audit import read_entries
from storage.state.limits import gone
from storage.state.portfolios import list_portfolios
from storage.stores import Stores
from tests.support.api import ADMIN, READER, client_of, fill, watching

OPERATOR = Viewer("otto", Role.OPERATOR)
OF_BETA = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
V1 = "/api/v1"


@pytest.fixture
def filled(stores: Stores) -> Stores:
    found = watching(stores)
    fill(found)
    return found


@pytest.fixture
def client(filled: Stores) -> FlaskClient:
    return client_of(filled, OPERATOR)


def sent(client: FlaskClient, method: str, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    answer = client.open(f"{V1}{path}", method=method, json=body)
    assert answer.status_code == status, (path, body, answer.text)
    found: dict[str, Any] = answer.json
    return found


def test_a_portfolio_is_added_changed_and_deleted(filled: Stores, client: FlaskClient) -> None:
    body = {"name": "Gamma", "currency": "usd", "parent": "own:fund", "benchmark": "60/40", "periods_per_year": 12}
    made = sent(client, "POST", "/portfolios", body, 201)
    assert (made["id"], made["parent"], made["currency"]) == ("own:Gamma", "own:fund", "USD")
    assert made["benchmark"] == "blend:60/40" and made == {**client.get(f"{V1}/portfolios/own:Gamma").json}
    changed = sent(client, "PATCH", "/portfolios/own:Gamma", {"note": "quiet", "parent": ""})
    assert (changed["note"], changed["parent"], changed["name"]) == ("quiet", None, "Gamma")
    refused = sent(client, "DELETE", "/portfolios/own:Gamma", {"name": "gamma"}, 422)
    assert (refused["field"], refused["fix"]) == ("name", "name: type its name, Gamma")
    assert sent(client, "DELETE", "/portfolios/own:Gamma", {"name": "Gamma"})["id"] == "own:Gamma"
    assert client.get(f"{V1}/portfolios/own:Gamma").status_code == 404
    told = [(each.who, each.what, each.target, each.address) for each in read_entries(filled.state)][:3]
    whats = ("portfolio deleted", "portfolio changed", "portfolio added")
    assert told == [("otto", what, "Gamma", "127.0.0.1") for what in whats]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/portfolios", {"name": "Alpha"}, 422, "name"),
        ("POST", "/portfolios", {"name": "New", "parent": "nothing"}, 422, "parent"),
        ("POST", "/portfolios", {"name": "New", "currency": "XXX1"}, 422, "currency"),
        ("POST", "/portfolios", {"name": "New", "ended": "2020-02-30"}, 422, "ended"),
        ("POST", "/portfolios", {"name": "a\nb"}, 422, "name"),
        ("POST", "/portfolios", {"name": "New", "position": -1}, 422, "position"),
        ("PATCH", "/portfolios/own:fund", {"parent": "alpha"}, 422, "parent"),
        ("PATCH", "/portfolios/own:none", {"note": "x"}, 404, "id"),
        ("DELETE", "/portfolios/own:fund", {"name": "Fund"}, 422, ""),
        ("PATCH", "/instruments/NONE", {"note": "x"}, 404, "symbol"),
        ("PATCH", "/instruments/INDEX", {"currency": "QQQ"}, 422, "currency"),
        ("PATCH", "/instruments/INDEX", {"kind": "fx"}, 422, "kind"),
        ("POST", "/benchmarks", {"name": "60/40", "parts": [{"symbol": "INDEX", "weight_percent": 100}]}, 422, "name"),
        ("POST", "/benchmarks", {"name": "b", "parts": [{"symbol": "INDEX", "weight_percent": 90}]}, 422, "parts"),
        ("POST", "/benchmarks", {"name": "b", "parts": [{"symbol": "NONE", "weight_percent": 100}]}, 422, "parts"),
        ("DELETE", "/benchmarks/60/40", {"name": "x"}, 422, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_whole(
    filled: Stores, client: FlaskClient, method: str, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    before = list_portfolios(filled.state), client.get(f"{V1}/instruments").data, client.get(f"{V1}/benchmarks").data
    refused = sent(client, method, path, body, status)
    assert refused["field"] == field and refused["detail"]
    after = list_portfolios(filled.state), client.get(f"{V1}/instruments").data, client.get(f"{V1}/benchmarks").data
    assert before == after


def test_instruments_and_benchmarks_are_changed(client: FlaskClient) -> None:
    changed = sent(client, "PATCH", "/instruments/INDEX", {"name": "The index", "currency": "EUR"})
    assert (changed["name"], changed["currency"], changed["kind"]) == ("The index", "EUR", "price")
    parts = [{"symbol": "INDEX", "weight_percent": 33.3}, {"symbol": "CASH", "weight_percent": 66.7}]
    made = sent(client, "POST", "/benchmarks", {"name": "Careful", "parts": parts}, 201)
    assert (made["id"], made["key"], made["parts"], made["rebalancing"]) == (
        "Careful",
        "blend:Careful",
        parts,
        "monthly",
    )
    changed = sent(client, "PATCH", "/benchmarks/Careful", {"rebalancing": "yearly"})
    assert (changed["rebalancing"], changed["parts"]) == ("yearly", parts)
    sent(client, "PATCH", "/portfolios/own:beta", {"benchmark": "Careful"})
    assert "benchmark of Beta" in sent(client, "DELETE", "/benchmarks/Careful", {"name": "Careful"}, 422)["detail"]
    sent(client, "PATCH", "/portfolios/own:beta", {"benchmark": ""})
    assert sent(client, "DELETE", "/benchmarks/Careful", {"name": "Careful"})["id"] == "Careful"
    assert client.get(f"{V1}/benchmarks/Careful").status_code == 404


def test_who_may_not_changes_nothing(filled: Stores) -> None:
    note = {"note": "x"}
    assert sent(client_of(filled, READER), "PATCH", "/portfolios/own:beta", note, 403)["detail"]
    limited = client_of(filled, OF_BETA)
    assert sent(limited, "PATCH", "/portfolios/own:alpha", note, 404)["field"] == "id"
    assert sent(limited, "POST", "/portfolios", {"name": "Top"}, 422)["field"] == "parent"
    assert sent(limited, "PATCH", "/portfolios/own:beta", {"parent": "fund"}, 422)["field"] == "parent"
    assert sent(limited, "PATCH", "/instruments/INDEX", note, 403)["detail"].startswith("This changes what all")
    assert sent(limited, "DELETE", "/benchmarks/60/40", {"name": "60/40"}, 403)["detail"]
    assert sent(limited, "POST", "/portfolios", {"name": "Below", "parent": "own:beta"}, 201)["parent"] == "own:beta"
    assert sent(limited, "PATCH", "/portfolios/own:beta", note)["note"] == "x"
    sample = client_of(filled, ADMIN)
    assert sent(sample, "PATCH", "/portfolios/sample:none", note, 404)["field"] == "id"


def test_whoever_was_limited_to_a_deleted_portfolio_does_not_see_another_one_of_its_id(filled: Stores) -> None:
    now, admin = filled.clock.now(), client_of(filled, ADMIN)
    with filled.state.begin() as connection:
        insert_account(connection, "eve", Role.VIEWER, ["beta", "alpha"], "root", now)
        insert_account(connection, "bea", Role.VIEWER, ["beta"], "root", now)
    token, secret = make_token(
        filled.state, name="job", account="", scopes=[Scope.READ], portfolios=["beta"], by=ADMIN, now=now
    )  # fmt: skip
    sent(admin, "DELETE", "/portfolios/own:beta", {"name": "Beta"})
    assert sent(admin, "POST", "/portfolios", {"name": "beta"}, 201)["id"] == "own:beta"
    with filled.state.begin() as connection:
        kept = {name: account_in(connection, name) for name in ("eve", "bea")}
    assert [account and account.portfolios for account in kept.values()] == [
        (gone("beta"), "alpha"), (gone("beta"),),
    ]  # fmt: skip
    for account in kept.values():
        assert account is not None
        viewer = Viewer(account.name, account.role, portfolios=frozenset(account.portfolios))
        seen = [each["id"] for each in client_of(filled, viewer).get(f"{V1}/portfolios").json["items"]]
        assert "own:beta" not in seen and ("own:alpha" in seen) == (account.name == "eve")
    by_token = client_of(filled, None).get(f"{V1}/portfolios", headers={"Authorization": f"Bearer {secret}"})
    assert by_token.status_code == 401  # everybody who asks there is nobody
    assert token.portfolios == frozenset({"beta"})
