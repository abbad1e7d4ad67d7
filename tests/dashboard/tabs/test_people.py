"""Tokens, Users and Audit: who sees what, what forms do, and that a refusal changes nothing."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.accounts import add_account, find_account
from access.audit import record
from access.sessions import sessions_of, start_session
from access.tokens import list_tokens, make_token, token_of, viewer_of_token
from access.viewer import CHANGING_ROLE, EXPORTING_ROLE, LOCAL_NAME, Viewer
from core.roles import Role
from dashboard.access import audit as audit_rows
from dashboard.access.users import ROLES
from dashboard.components.markup import markup
from dashboard.tabs import audit, tokens, users
from dashboard.views.tab import Choices
from storage.state.audit import read_entries
from storage.state.imports import REFUSED, record_import
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import text

PAGES = (tokens.TAB, users.PAGE, audit.PAGE)
ADMIN, ANNA = Viewer("admin", Role.ADMIN), Viewer("anna", Role.OPERATOR)
OTHERS = [Viewer("victor", Role.VIEWER), Viewer("ada", Role.ANALYST), ANNA]
CHANGES = ("add", "role", "portfolios", "link", "sign-out", "second-factor", "disable", "enable")


@pytest.fixture(autouse=True)
def accounts(stores: Stores) -> None:
    now = stores.clock.now()
    add_account(stores.state, "admin", Role.ADMIN, (), "start", now)
    add_account(stores.state, "anna", Role.OPERATOR, (), "admin", now)


def signed_in(stores: Stores, viewer: Viewer) -> FlaskClient:
    client: FlaskClient = create_app(stores, PAGES, lambda _: viewer).server.test_client()
    return client


def post(client: FlaskClient, path: str, **fields: str) -> dict[str, Any]:
    answer = client.post(path, json=fields)
    told: dict[str, Any] = answer.get_json()
    assert answer.status_code == 200, told
    return told


def shown(stores: Stores, page: Any, viewer: Viewer, **choices: str) -> str:
    """The words of a page, its slots one after the other."""
    view = page.build(stores, Choices.of(choices), viewer)
    return " ".join(text(part) for part in view.slots.values())


def secret_in(told: dict[str, Any]) -> str:
    return html.unescape(re.findall(r"<code[^>]*>([^<]+)</code>", told["html"])[0])


@pytest.mark.parametrize("viewer", OTHERS, ids=lambda each: each.role.word)
def test_users_and_audit_are_for_admins(stores: Stores, viewer: Viewer) -> None:
    client = signed_in(stores, viewer)
    before = read_entries(stores.state)
    assert [client.get(path).status_code for path in ("/users", "/audit", "/audit.csv")] == [403, 403, 403]
    assert client.get("/tokens").status_code == 200
    for change in CHANGES:
        answer = client.post(f"/users/{change}", json={"account": "admin", "name": "eve", "role": "admin"})
        assert answer.status_code == 403, change
    assert read_entries(stores.state) == before
    layout = str(client.get("/_dash-layout").get_json())
    assert [path in layout for path in ("/tokens", "/users", "/audit")] == [True, False, False]


def test_a_token_is_made_shown_once_and_revoked(stores: Stores) -> None:
    client = signed_in(stores, ANNA)
    fields = {"name": "nightly figures", "days": "90", "read": "on", "alerts": "on"}
    assert "An admin makes tokens of services" in post(client, "/tokens/make", **fields, whose="service")["said"]
    told = post(client, "/tokens/make", **fields)
    secret = secret_in(told)
    who = viewer_of_token(stores.state, stores.settings, secret, stores.clock.now())
    assert who is not None and (who.name, who.scopes) == ("anna", {"read", "alerts"})
    assert "nightly figures" in shown(stores, tokens.TAB, ANNA)
    assert secret not in shown(stores, tokens.TAB, ADMIN) + shown(stores, audit.PAGE, ADMIN)
    token = token_of(stores.state, secret, stores.clock.now())
    assert token is not None
    other = signed_in(stores, Viewer("victor", Role.VIEWER))
    assert post(other, "/tokens/revoke", id=str(token.id))["done"] is False
    assert "nightly figures" not in shown(stores, tokens.TAB, Viewer("victor", Role.VIEWER))
    assert post(client, "/tokens/revoke", id=str(token.id))["done"] is True
    assert token_of(stores.state, secret, stores.clock.now()) is None
    assert "revoked" in shown(stores, tokens.TAB, ANNA)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"days": "90", "read": "on"}, "name"),
        ({"name": "x", "days": "90"}, "Choose at least one of"),
        ({"name": "x", "days": "90", "admin": "on"}, "more than your role operator may"),
        ({"name": "x", "days": "1e9", "read": "on"}, "days"),
        ({"name": "x", "days": "90", "read": "on", "portfolios": "nowhere"}, "portfolios"),
    ],
)
def test_a_token_that_cannot_be_is_refused_beside_what_is_wrong(
    stores: Stores, fields: dict[str, str], told: str
) -> None:
    answer = post(signed_in(stores, ANNA), "/tokens/make", **({"name": ""} | fields))
    assert answer["done"] is False
    assert told in answer["fields"] or told in answer["said"]
    assert list_tokens(stores.state, ADMIN) == []


def test_who_has_no_account_makes_no_token(stores: Stores) -> None:
    assert "Sign in to make tokens" in shown(stores, tokens.TAB, Viewer(LOCAL_NAME))


def test_a_token_whose_account_is_disabled_is_shown_as_such(stores: Stores) -> None:
    make_token(stores.state, name="report", account="anna", scopes=["read"], by=ANNA, now=stores.clock.now())
    assert "works" in shown(stores, tokens.TAB, ADMIN)
    post(signed_in(stores, ADMIN), "/users/disable", account="anna")
    assert "its account is disabled" in shown(stores, tokens.TAB, ADMIN)


def test_a_user_is_added_changed_and_let_go(stores: Stores) -> None:
    client, state = signed_in(stores, ADMIN), stores.state
    told = post(client, "/users/add", name="Otto ", role="analyst", portfolios="")
    assert re.fullmatch(r"http://localhost/sign-in/link\?key=[\w-]{20,}", secret_in(told))
    assert post(client, "/users/role", account="otto", role="operator")["done"] is True
    otto = find_account(state, "otto")
    assert otto is not None and otto.role is Role.OPERATOR
    with state.begin() as connection:
        start_session(connection, "otto", stores.clock.now(), "10.0.0.7", "a browser")
    assert "End 1 session" in shown(stores, users.PAGE, ADMIN, edit="otto")
    assert post(client, "/users/sign-out", account="otto")["said"] == "1 session of otto ended."
    assert sessions_of(state, "otto") == []
    assert post(client, "/users/disable", account="otto")["done"] is True
    assert post(client, "/users/link", account="otto")["done"] is False
    assert "Enable" in shown(stores, users.PAGE, ADMIN, edit="otto")
    assert post(client, "/users/enable", account="otto")["done"] is True
    assert "/sign-in/link?key=" in secret_in(post(client, "/users/link", account="otto"))
    said = [(each.who, each.what, each.target) for each in read_entries(state) if each.target == "otto"]
    assert {what for _, what, _ in said} >= {"account added", "role changed", "sessions ended", "account disabled"}
    assert {who for who, _, _ in said} == {"admin"}


def test_the_last_admin_stays_and_the_form_says_what_to_do(stores: Stores) -> None:
    client = signed_in(stores, ADMIN)
    for change, more in (("disable", {}), ("role", {"role": "viewer"})):
        told = post(client, f"/users/{change}", account="admin", **more)
        assert told["done"] is False
        assert "only admin" in told["said"] and "somebody else" in told["said"]
    admin = find_account(stores.state, "admin")
    assert admin is not None and not admin.is_disabled and admin.role is Role.ADMIN


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("add", {"name": "", "role": "viewer"}),
        ("add", {"name": "anna", "role": "viewer"}),
        ("add", {"name": "otto", "role": "root"}),
        ("add", {"name": "otto", "role": "viewer", "portfolios": "nowhere"}),
        ("role", {"account": "nobody", "role": "viewer"}),
        ("portfolios", {"account": "anna", "portfolios": "nowhere"}),
        ("disable", {}),
    ],
)
def test_what_cannot_be_done_to_a_user_changes_nothing(stores: Stores, path: str, fields: dict[str, str]) -> None:
    before = read_entries(stores.state)
    told = post(signed_in(stores, ADMIN), f"/users/{path}", **fields)
    assert told["done"] is False and told["said"]
    assert read_entries(stores.state) == before
    assert find_account(stores.state, "otto") is None


def test_what_a_role_is_said_to_may_is_what_it_may() -> None:
    words = {role: text.removeprefix(f"{role.word}: ") for role, text in ROLES.items()}
    assert max(map(len, ROLES.values())) <= 32, "the drop-down cuts it"
    assert [role for role, told in words.items() if "exports" in told] == [EXPORTING_ROLE]
    assert [role for role, told in words.items() if "imports, changes" in told] == [CHANGING_ROLE]


def test_refusals_are_sentences_and_say_what_was_not_done(stores: Stores) -> None:
    client = signed_in(stores, ADMIN)
    for more in ({"role": "root"}, {"role": "viewer", "portfolios": "nowhere"}, {"role": "admin", "portfolios": "x"}):
        assert post(client, "/users/add", name="otto", **more)["said"] == "Not added."
    fields = post(client, "/tokens/make", name="", days="90", portfolios="nowhere")["fields"]
    assert set(fields) == {"name", "scopes", "portfolios"}
    assert all(re.fullmatch(r"[A-Z].*\.", each) for each in fields.values()), fields


def test_the_chosen_user_is_marked_and_who_is_disabled_has_a_sign(stores: Stores) -> None:
    post(signed_in(stores, ADMIN), "/users/disable", account="anna")
    view = users.PAGE.build(stores, Choices.of({"edit": "anna"}), ADMIN)  # type: ignore[misc]
    rows = re.findall(r"<tr[^>]*>.*?</tr>", markup(view.slots["users-all-table"]))
    (marked,) = [row for row in rows if 'aria-current="true"' in row]
    assert "anna" in marked and "○" in marked and "disabled" in marked


def test_a_revoked_token_has_nothing_where_its_button_was(stores: Stores) -> None:
    token, _ = make_token(stores.state, name="x", account="anna", scopes=["read"], by=ANNA, now=stores.clock.now())
    post(signed_in(stores, ANNA), "/tokens/revoke", id=str(token.id))
    table = tokens.TAB.build(stores, Choices.of({}), ANNA).slots["tokens-all-table"]  # type: ignore[misc]
    assert "○" in text(table) and not re.search(r"<td[^>]*>–</td></tr>", markup(table))


def refused_import(stores: Stores) -> None:
    record_import(stores.state, "nav.csv", "00", 0, REFUSED, "no dates", "anna")


def test_a_change_by_browser_has_its_address(stores: Stores) -> None:
    server = signed_in(stores, ADMIN).application
    with server.test_request_context("/tokens", environ_base={"REMOTE_ADDR": "10.0.0.7"}):
        server.preprocess_request()
        refused_import(stores)
    assert read_entries(stores.state)[0].address == "10.0.0.7"
    refused_import(stores)
    assert read_entries(stores.state)[0].address == "", "the command line's has none"


def fill(stores: Stores, count: int) -> None:
    for number in range(count):
        outcome, at = "refused" if number % 2 else "done", stores.clock.now() + number * 3_600
        said = {"target": f"otto {number}", "outcome": outcome, "detail": "=HYPERLINK(1)", "address": "10.0.0.7"}
        record(stores.state, who="otto", what="signed in", at=at, **said)


def test_the_audit_is_filtered_and_turned_page_by_page(stores: Stores) -> None:
    fill(stores, 150)
    first = shown(stores, audit.PAGE, ADMIN, who="otto")
    assert "100 of 150" in first and "otto 149" in first and "otto 49" not in first.split()
    oldest = min(each.id for each in read_entries(stores.state) if each.target == "otto 50")
    second = shown(stores, audit.PAGE, ADMIN, who="otto", before=str(oldest))
    assert "50 of 150 · older ones" in second and "otto 49" in second and "otto 50" not in second
    assert "75 of 75" in shown(stores, audit.PAGE, ADMIN, outcome="refused")
    assert "Nothing in the audit is like that" in shown(stores, audit.PAGE, ADMIN, who="nobody")
    assert "No day in “from”" in shown(stores, audit.PAGE, ADMIN, since="31.1.2026")
    assert "From is after To" in shown(stores, audit.PAGE, ADMIN, since="2026-02-01", until="2026-01-31")
    assert "From is after To" not in shown(stores, audit.PAGE, ADMIN, since="2026-02-01", until="2026-02-01")


def test_the_file_holds_what_is_filtered_and_no_formula(stores: Stores) -> None:
    fill(stores, 120)
    answer = signed_in(stores, ADMIN).get("/audit.csv?who=otto&outcome=refused")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 60
    assert {row["outcome"] for row in rows} == {"refused"}
    assert {row["detail"] for row in rows} == {"'=HYPERLINK(1)"}
    assert rows[0]["time (UTC)"] > rows[-1]["time (UTC)"]


def test_a_file_that_is_cut_says_so(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rows, "MOST_FILE_ROWS", 20)
    fill(stores, 50)
    lines = signed_in(stores, ADMIN).get("/audit.csv?who=otto").get_data(as_text=True).splitlines()
    assert len(lines) == 22 and "Cut here: 30 older rows left out" in lines[-1]
    assert "Cut" not in signed_in(stores, ADMIN).get("/audit.csv?who=admin").get_data(as_text=True)
