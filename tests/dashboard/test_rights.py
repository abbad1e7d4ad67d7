"""Every address and callback of the product says what it needs; tests/test_table_of_answers.py asks all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from flask import Request
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.kinds.registry import Watch
from core.roles import Role
from dashboard.factory import create_app
from dashboard.frame.security import is_public
from dashboard.tabs import PAGES
from dashboard.views.callbacks import PATH
from dashboard.views.rights import callback_roles, rule_roles
from dashboard.views.serialize import FIGURES
from dashboard.views.tab import fitted
from storage.stores import Stores
from tests.support.requests import opening, request_of

WHO = ("", *(role.word for role in Role))
"""Anonymous first."""
REFUSED = {302, 401, 403}
"""What somebody who has not signed in is answered: a page leads to the sign-in, if there is one."""


def by_header(request: Request) -> Viewer | None:
    who = request.headers.get("X-Who", "")
    return Viewer(who, Role[who.upper()], may_act=Role[who.upper()] >= Role.OPERATOR) if who else None


@pytest.fixture
def app(stores: Stores) -> Dash:
    watch = Watch.model_validate(
        {
            "postgresql": [{"name": "main", "url": "postgresql://u:p@127.0.0.1:9/x"}],
            "redis": [{"name": "main", "url": "redis://127.0.0.1:9"}],
            "kafka": [{"name": "main", "bootstrap": "127.0.0.1:9"}],
            "scrape": [{"name": "node", "url": "http://127.0.0.1:9/metrics"}],
            "heartbeat": [{"name": "nightly", "schedule": "0 3 * * *", "token": "t" * 32}],
            "http": [{"name": "site", "url": "http://127.0.0.1:9/"}],
        }
    )
    settings = stores.settings.model_copy(update={"watch": watch, "actions_enabled": True})
    return create_app(replace(stores, settings=settings), PAGES, by_header)


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    client: FlaskClient = app.server.test_client()
    return client


def test_every_rule_and_every_callback_declares_what_it_needs(app: Dash) -> None:
    rules, callbacks = rule_roles(app.server), callback_roles(app.server)
    declared_nothing = [
        rule.rule for rule in app.server.url_map.iter_rules() if not is_public(rule.rule) and rule.endpoint not in rules
    ]
    assert not declared_nothing, f"public, or declared with dashboard/views/rights.py: {declared_nothing}"
    on_the_server = {output for output, callback in app.callback_map.items() if "callback" in callback}
    assert on_the_server == set(callbacks), "registered with dashboard/views/rights.py"
    assert len(on_the_server) > len(PAGES), "a refresh of nearly every page, opening one, and actions"


def test_a_callback_that_declares_nothing_is_answered_to_nobody(stores: Stores) -> None:
    from dash import Input, Output

    def register(app: Dash, _stores: Stores) -> None:
        app.callback(Output("secret", "children"), Input("tick", "n_intervals"))(lambda _: "told")

    page = replace(next(page for page in PAGES if page.id == "alerts"), register=register)
    app = create_app(stores, (page,), by_header)
    asked = request_of("secret.children", app.callback_map["secret.children"])
    answer = app.server.test_client().post(PATH, json=asked, headers=named("admin"))
    assert answer.status_code == 403 and "told" not in answer.text


def test_every_page_is_for_its_role(app: Dash, client: FlaskClient, stores: Stores) -> None:
    for page in fitted(PAGES, stores.settings):
        for who in WHO:
            status = client.get(page.path, headers=named(who)).status_code
            is_allowed = bool(who) and Role[who.upper()] >= page.role
            assert (status in REFUSED) is not is_allowed, (page.path, who, status)


FORMS = (
    ("/portfolios/add", {"name": "Another", "currency": "USD"}),
    ("/portfolios/set", {"id": "equity", "currency": "EUR"}),
    ("/benchmarks/risk-free", {"currency": "USD", "rate": "4"}),
    ("/import/undo", {"number": "1"}),
    ("/import/dismiss", {"name": ""}),
    ("/pipeline/try", {"source": "kafka:main"}),
    ("/pipeline/reload", {}),
)


def test_what_is_posted_below_its_role_changes_nothing(client: FlaskClient, stores: Stores) -> None:
    before = everything(stores)
    for who in ("viewer", "analyst"):
        for path, fields in FORMS:
            answer = client.post(path, json=fields, headers=named(who))
            assert (answer.status_code, answer.json["done"]) == (403, False), path
            assert answer.json["said"].startswith("Only operators and admins change anything on the page ")
        content = json.dumps({"name": "a.csv"}).encode() + b"\ndate,portfolio,nav\n2023-01-02,A,1\n2023-01-03,A,2\n"
        assert client.post("/import/take", data=content, headers=named(who)).status_code == 403
        button = {"inputs": [{"id": "cache-act", "property": "data"}], "state": []}
        request = {"source": "redis:main", "action": "reset_slowlog", "target": ""}
        acting = request_of("cache-act-said.children", button, cache_act=request)
        assert client.post(PATH, json=acting, headers=named(who)).status_code == 403
    assert everything(stores) == before
    assert "Asked for" in client.post(PATH, json=acting, headers=named("operator")).text


def test_what_somebody_may_not_do_is_not_offered(client: FlaskClient) -> None:
    offers = {
        who: client.post(PATH, json=opening("/portfolio"), headers=named(who)).text.replace("\\u002f", "/")
        for who in ("viewer", "analyst")
    }
    for file in ("/portfolio/metrics.csv", "/portfolio/metrics.xlsx", "Download CSV", "data-export-copy"):
        assert file not in offers["viewer"] and file in offers["analyst"]
    assert "Download PNG" in offers["viewer"], "a picture is what is seen"
    for page in ("/import", "/portfolios", "/benchmarks", "/pipeline"):
        assert "/pipeline/reload" not in refreshed(client, page[1:], "analyst")
    assert "/pipeline/reload" in refreshed(client, "pipeline", "operator")
    assert "/pipeline/try" in refreshed(client, "pipeline", "operator")
    assert "/pipeline/try" not in refreshed(client, "pipeline", "viewer")
    assert "/import/" not in refreshed(client, "import", "viewer")


def refreshed(client: FlaskClient, page: str, who: str) -> str:
    output = f"..{page}-payload.data...{page}-problem.children.."
    inputs = [{"id": "tick", "property": "n_intervals"}, {"id": f"{page}-choices", "property": "data"}]
    state = [{"id": f"{page}-version", "property": "data"}, {"id": f"{page}-problem", "property": "children"}]
    asked = request_of(output, {"inputs": inputs, "state": state})
    return client.post(PATH, json=asked, headers=named(who)).text


def named(who: str) -> dict[str, str]:
    return {"X-Who": who} if who else {}


def everything(stores: Stores) -> dict[str, Any]:
    """Return all that the state database holds, and how much ClickHouse does."""

    def rows() -> Iterator[tuple[str, list[Any]]]:
        with stores.state.begin() as connection:
            tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                yield name, sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall()))

    return {**dict(rows()), "nav": stores.clickhouse.rows("SELECT count(), sum(cityHash64(*)) FROM nav")}


def test_the_document_says_what_each_address_needs(app: Dash, stores: Stores) -> None:
    forms = {form.rule: form for page in fitted(PAGES, stores.settings) if page.forms for form in page.forms(stores)}
    shared = {rule for rule, form in forms.items() if form.is_shared}
    wanted = {
        (rule.rule, role.word, rule.rule in shared)
        for rule in app.server.url_map.iter_rules()
        if not (is_public(rule.rule) or rule.rule.startswith(FIGURES))
        and (role := rule_roles(app.server)[rule.endpoint]) > Role.VIEWER
    }
    text = (Path(__file__).parents[2] / "docs" / "roles.md").read_text()
    told = {
        (rule, role, limited == "no")
        for rule, role, limited in re.findall(r"^\| `(/.*)` \| (\w+) \| (\w+) \|$", text, re.M)
    }
    assert told == wanted
