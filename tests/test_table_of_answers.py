"""The table of answers: every address and every callback, asked by everybody there can be, answers as it declares.

One application has all of it, with real sessions and tokens. What is allowed is anything but a refusal or a failure;
what is sent is never whole, so that nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from dash import Dash
from werkzeug.routing import Rule

import api
from access.sessions import cookie_name, start_session
from access.tokens import Scope, make_token, revoke
from access.viewer import Viewer
from api.alertmanager.serve import ANSWERS, Answering
from api.mount import endpoint_of
from api.operation import READ, Operation
from api.server import OPERATIONS
from core.roles import Role
from dashboard.factory import create_app
from dashboard.frame import account
from dashboard.frame.places import SIGN_OUT
from dashboard.frame.security import is_public
from dashboard.frame.viewer import is_api
from dashboard.tabs import PAGES
from dashboard.views.callbacks import PATH
from dashboard.views.form import Form
from dashboard.views.rights import OF_DASH, callback_roles, rule_roles
from dashboard.views.tab import fitted
from storage.state.accounts import change_account, insert_account
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.sessions import mark_ended
from storage.stores import Stores
from tests.support.alerting import CALM, Alerting
from tests.support.application import watching_six
from tests.support.requests import request_of

OF_ACCOUNT = {SIGN_OUT, *account.RULES}
"""What is about the own account: it is refused for other reasons than the role (tests/access)."""
WORDS = {
    ("/figure/portfolio/<graph>", "graph"): "portfolio-growth-graph",
    ("/figure/portfolio/<graph>/hover", "graph"): "portfolio-growth-graph",
    ("/portfolio/fragment/<name>", "name"): "months",
    ("/portfolio/chart/<name>.csv", "name"): "growth",
    ("/api/v1/metrics/<path:group>", "group"): "system",
}
"""What stands for a part of an address; else x, and alpha for a portfolio."""
DAY = 86_400.0
ALLOWED, REFUSED, NOBODY, MISSING = "allowed", "refused", "nobody", "missing"


@dataclass(frozen=True)
class Who:
    """Somebody who asks, by what it sends."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    role: Role | None = None
    """None: it is nobody, whatever it sends."""
    scopes: frozenset[str] | None = None
    """Of a token."""
    is_limited: bool = False
    """To the portfolio beta."""


@pytest.fixture
def stores_of_all(stores: Stores) -> Stores:
    put_portfolios(stores.state, [Portfolio("own", name, name.title(), currency="EUR") for name in ("alpha", "beta")])
    Alerting(stores).finds(CALM)
    return replace(
        stores, settings=stores.settings.model_copy(update={"watch": watching_six(), "actions_enabled": True})
    )


def everybody(stores: Stores) -> list[Who]:
    """Return all who can ask, after they were let in or were given a token."""
    now, cookie = stores.clock.now(), cookie_name(stores.settings, is_secure=False)
    limits = {"limited": ("beta",)}
    roles = {role.word: role for role in Role} | {
        "limited": Role.OPERATOR, "disabled": Role.ADMIN, "expired": Role.ADMIN, "ended": Role.ADMIN,
        "owner": Role.ANALYST,
    }  # fmt: skip
    found = [Who("anonymous"), Who("unknown session", {"Cookie": f"{cookie}=x"})]
    with stores.state.begin() as connection:
        for name, role in roles.items():
            insert_account(connection, name, role, limits.get(name, ()), "test", now)
            began = now - 10 * DAY if name == "expired" else now
            headers = {"Cookie": f"{cookie}={start_session(connection, name, began, '127.0.0.1', '')}"}
            is_nobody = name in ("disabled", "expired", "ended", "owner")
            found.append(Who(name, headers, None if is_nobody else role, is_limited=name in limits))
        mark_ended(connection, "ended", now)
    root = Viewer("root", Role.ADMIN)

    def token(name: str, *scopes: Scope, role: Role | None, by: Viewer = root, only: str = "", **more: Any) -> int:
        made, secret = make_token(
            stores.state, name=name, account="" if by is root else by.name, scopes=scopes, by=by,
            portfolios=[only] if only else [], **{"now": now, **more},
        )  # fmt: skip
        headers = {"Authorization": f"Bearer {secret}"}
        found.append(Who(f"token {name}", headers, role, frozenset(map(str, scopes)), is_limited=bool(only)))
        return made.id

    token("read", Scope.READ, role=Role.ANALYST)
    token("admin", Scope.READ, Scope.ADMIN, role=Role.ADMIN)
    token("of another scope", Scope.READINESS, role=Role.VIEWER)
    token("of another portfolio", Scope.READ, role=Role.ANALYST, only="beta")
    token("expired", Scope.READ, Scope.ADMIN, role=None, now=now - 100, expires_at=now - 50)
    revoke(stores.state, token("revoked", Scope.READ, Scope.ADMIN, role=None), by=root, now=now)
    token("of a disabled owner", Scope.READ, role=None, by=Viewer("owner", Role.ANALYST))
    found.append(Who("unknown token", {"Authorization": "Bearer fw_" + "x" * 43}))
    with stores.state.begin() as connection:
        for name in ("disabled", "owner"):
            change_account(connection, name, is_disabled=True)
    return found


def expected_of_rule(
    who: Who, rule: Rule, needs: Role, operation: Operation | Answering | None, form: Form | None
) -> str:
    """Return what somebody is answered by an address, from what it declares."""
    if who.role is None or (who.scopes is not None and not is_api(rule.rule)):
        return NOBODY
    if who.role < needs:
        return REFUSED
    scope = operation.scope if operation is not None else READ
    if is_api(rule.rule) and who.scopes is not None and scope not in who.scopes:
        return REFUSED
    if who.is_limited and ((form is not None and form.is_shared) or (operation is not None and operation.is_shared)):
        return REFUSED
    is_of_portfolio = rule.rule.startswith("/api/v1/portfolios/<path:id>") and operation is not None
    # What is sent to change one is looked at first: it is no JSON.
    return MISSING if is_of_portfolio and who.is_limited and "GET" in (rule.methods or ()) else ALLOWED


def answered(status: int, location: str) -> str:
    if status == 401 or (status in (302, 303) and location.startswith("/sign-in")):
        return NOBODY
    if status == 403:
        return REFUSED
    return "failed" if status >= 500 else ALLOWED


def test_every_rule_and_every_callback_answers_everybody_as_it_declares(stores_of_all: Stores) -> None:
    stores, people = stores_of_all, everybody(stores_of_all)
    app = create_app(stores, PAGES, mounts=[api.install])
    before = everything(stores)
    wrong = [*of_rules(app, stores, people), *of_callbacks(app, people)]
    assert not wrong
    after = everything(stores)
    for told in ("audit", "failed_sign_ins", "sqlite_sequence", "sessions", "tokens", "accounts"):
        after[told] = before[told]  # that somebody tried, and was last here, is written down
    assert after == before, "a refused or malformed request changes nothing"


def of_rules(app: Dash, stores: Stores, people: list[Who]) -> Iterator[tuple[str, ...]]:
    """Give address, who and answers that are not as they are expected."""
    needed, client = rule_roles(app.server), app.server.test_client(use_cookies=False)
    operations: dict[str, Operation | Answering] = {endpoint_of(each): each for each in OPERATIONS}
    operations |= {each.endpoint: each for each in ANSWERS}
    forms = {form.rule: form for page in fitted(PAGES, stores.settings) if page.forms for form in page.forms(stores)}
    asked = 0
    for rule in app.server.url_map.iter_rules():
        if is_public(rule.rule) or rule.rule in OF_DASH or rule.rule in OF_ACCOUNT:
            continue
        method = next(each for each in ("GET", "POST", "PATCH", "PUT", "DELETE") if each in (rule.methods or ()))
        address = address_of(rule)
        for who in people:
            operation, form = operations.get(rule.endpoint), forms.get(rule.rule)
            expected = expected_of_rule(who, rule, needed[rule.endpoint], operation, form)
            answer = client.open(address, method=method, data=None if method == "GET" else b"[", headers=who.headers)
            found = answered(answer.status_code, answer.headers.get("Location", ""))
            asked += 1
            if expected == MISSING and answer.status_code == 404:
                continue
            is_readiness = rule.rule.startswith("/api/v1/trading-readiness")
            if is_readiness and answer.is_json and "safe" in answer.json:
                found = ALLOWED  # it is told, and it is not safe
            if found != expected:
                yield (f"{method} {rule.rule}", who.name, f"{answer.status_code}: {found}, not {expected}")
    assert asked > 80 * len(people)


def of_callbacks(app: Dash, people: list[Who]) -> Iterator[tuple[str, ...]]:
    """Give callback, who and answers that are not as they are expected."""
    client = app.server.test_client(use_cookies=False)
    for output, role in callback_roles(app.server).items():
        asked = request_of(output, app.callback_map[output])
        for who in people:
            answer = client.post(PATH, json=asked, headers=who.headers)
            found = answered(answer.status_code, answer.headers.get("Location", ""))
            is_nobody = who.role is None or who.scopes is not None  # a token opens no page
            expected = NOBODY if is_nobody else REFUSED if who.role is not None and who.role < role else ALLOWED
            if found != expected:
                yield (output, who.name, f"{answer.status_code}: {found}, not {expected}")


def address_of(rule: Rule) -> str:
    """Return an address that a rule answers."""
    path = rule.rule
    for name in rule.arguments:
        word = WORDS.get((rule.rule, name), "own:alpha" if name == "id" and "portfolios" in rule.rule else "x")
        path = path.replace(f"<{name}>", word).replace(f"<path:{name}>", word)
    return path


def everything(stores: Stores) -> dict[str, Any]:
    """Return all that the state database holds, and how much ClickHouse does."""

    def rows() -> Iterator[tuple[str, list[Any]]]:
        with stores.state.begin() as connection:
            tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                yield name, sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall()))

    return {**dict(rows()), "nav": stores.clickhouse.rows("SELECT count(), sum(cityHash64(*)) FROM nav")}
