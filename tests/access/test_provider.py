"""Signing in at an OpenID provider: who comes in, with which rights, and what is not believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from access.accounts import add_account, disable, find_account, reset, set_role
from access.sign_in import Caller, use_link
from core.errors import ChangeRejected
from core.roles import Role
from core.settings.oidc import Oidc
from dashboard.factory import create_app
from storage.state.audit import read_entries
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.frame import DEMO
from tests.support.openid import CLIENT, SECRET, Claims, OpenIdProvider

PASSWORD = "heron by the canal at noon"


@pytest.fixture
def provider(stores: Stores) -> Iterator[OpenIdProvider]:
    with OpenIdProvider(stores.clock.now) as running:
        yield running


Make = Callable[..., FlaskClient]


@pytest.fixture
def make(stores: Stores, provider: OpenIdProvider) -> Make:
    """Return a browser before a Fundwatch that knows the provider."""

    def make(**more: Any) -> FlaskClient:
        oidc = Oidc.model_validate(provider.settings(**more))
        settings = stores.settings.model_copy(update={"oidc": oidc, "second_factor_roles": ("operator",)})
        client: FlaskClient = create_app(replace(stores, settings=settings), (DEMO,)).server.test_client()
        return client

    return make


def way_back(client: FlaskClient, provider: OpenIdProvider, place: str = "/demo?window=6h") -> str:
    """Return the address with which the provider sends a browser back."""
    leads = client.get("/sign-in/provider", query_string={"next": place})
    assert leads.status_code == 302 and leads.headers["Location"].startswith(provider.issuer)
    return provider.consent(leads.headers["Location"])


def come_in(client: FlaskClient, provider: OpenIdProvider) -> Any:
    back = urlsplit(way_back(client, provider))
    return client.get(f"{back.path}?{back.query}", headers={"Sec-Fetch-Site": "cross-site"})


def refusals(stores: Stores) -> list[str]:
    return [each.detail for each in read_entries(stores.state) if each.what == "sign-in refused"]


def test_a_person_of_the_provider_comes_in_and_returns_to_the_same_view(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client = make()
    page = client.get("/sign-in?next=/demo?window=6h").text
    assert "Sign in at the bank" in page and 'href="/sign-in/provider?next=/demo%3Fwindow%3D6h"' in page
    answer = come_in(client, provider)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/demo?window=6h")
    assert client.get("/demo").status_code == 200
    account = find_account(stores.state, "ana")
    assert account is not None and account.role == Role.VIEWER and account.is_external and not account.has_password
    whats = [(each.who, each.what) for each in read_entries(stores.state)][:2]
    assert whats == [("ana", "signed in at the provider"), ("(provider)", "account added")]
    page = client.get("/account").text
    assert "OpenID provider" in page and "New password" not in page


def test_role_and_portfolios_are_those_of_the_groups_at_each_sign_in(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    client = make(portfolios={"funds": ["alpha"]})
    for groups, role, limits in (
        (["funds"], Role.VIEWER, ("alpha",)),
        (["funds", "desk", "canteen"], Role.OPERATOR, ("alpha",)),
        (["root", "funds"], Role.ADMIN, ()),
        ("desk", Role.OPERATOR, ()),
    ):
        provider.person["groups"] = groups
        assert come_in(client, provider).status_code == 303, groups
        account = find_account(stores.state, "ana")
        assert account is not None and (account.role, account.portfolios) == (role, limits)
        assert client.get("/demo").status_code == 200, "a second factor is the provider's"
        client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    assert [each.detail for each in read_entries(stores.state) if each.what == "role changed"][-1] == (
        "viewer → operator, only alpha"
    )


def test_who_has_lost_every_group_stays_out_and_his_sessions_end(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, other = make(), make()
    come_in(client, provider)
    for groups in (["canteen"], [], None):
        provider.person["groups"] = groups
        if groups is None:
            del provider.person["groups"]
        answer = come_in(other, provider)
        assert answer.status_code == 403 and "none of the groups" in answer.text
        assert other.get("/demo").status_code == 302
    stores.clock.advance(3)  # type: ignore[attr-defined]
    assert client.get("/demo").status_code == 302
    assert "none of the groups" in refusals(stores)[0]


def test_an_account_that_was_made_here_is_never_taken_over(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    now = stores.clock.now()
    link = add_account(stores.state, "ana", Role.ADMIN, [], "root", now)
    use_link(stores.state, link.partition("key=")[2], PASSWORD, "", Caller("10.0.0.1"), now)
    client = make()
    for name in ("ana", " ANA ", "local", "a b", "", "a" * 90):
        provider.person["preferred_username"] = name
        answer = come_in(client, provider)
        assert answer.status_code == 403 and client.get("/demo").status_code == 302, name
    found = find_account(stores.state, "ana")
    assert found is not None and not found.is_external and found.role == Role.ADMIN
    sent = {"name": "ana", "password": PASSWORD, "next": "/demo"}
    assert client.post("/sign-in", data=sent).headers["Location"] == "/demo"


def test_another_person_of_the_same_name_is_another_person(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client = make()
    come_in(client, provider)
    provider.person["preferred_username"] = "anna"  # married: still she
    assert come_in(client, provider).status_code == 303
    assert find_account(stores.state, "anna") is None
    provider.person |= {"sub": "2", "preferred_username": "ana"}
    assert come_in(client, provider).status_code == 403


def test_nobody_gives_an_account_of_the_provider_a_password_or_another_role(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, now = make(), stores.clock.now()
    come_in(client, provider)
    for change in (
        lambda: reset(stores.state, "ana", "root", now),
        lambda: set_role(stores.state, "ana", Role.ADMIN, "root", now),
    ):
        with pytest.raises(ChangeRejected, match="OpenID provider"):
            change()
    assert client.post("/sign-in", data={"name": "ana", "password": ""}).status_code == 401
    add_account(stores.state, "root", Role.ADMIN, [], "root", now)
    disable(stores.state, "ana", "root", now)
    answer = come_in(client, provider)
    assert answer.status_code == 403 and "disabled" in answer.text


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def by_secret(token: str) -> str:
    return jwt.encode({"alg": "HS256"}, claims_of(token), OctKey.import_key(SECRET))


def by_a_stranger(token: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims_of(token), RSAKey.generate_key(2048))


def richer(token: str) -> str:
    head, _, signature = token.split(".")
    claims = json.dumps({**claims_of(token), "groups": ["root"]}).encode()
    return f"{head}.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{signature}"


def claims_of(token: str) -> Claims:
    part = token.split(".")[1]
    found: Claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


LIES: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": lambda claims: claims | {"nonce": "x"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another audience": lambda claims: claims | {"aud": "somebody else"},
    "two audiences": lambda claims: claims | {"aud": [CLIENT, "somebody else"]},
    "another party": lambda claims: claims | {"azp": "somebody else"},
    "another issuer": lambda claims: claims | {"iss": "https://elsewhere.example"},
    "expired": lambda claims: claims | {"exp": claims["iat"] - 120},
    "from the future": lambda claims: claims | {"iat": claims["iat"] + 600},
    "no subject": lambda claims: claims | {"sub": ""},
    "groups that are none": lambda claims: claims | {"groups": {"root": True}},
}
FORGERIES: dict[str, Callable[[str], str]] = {
    "alg none": unsigned,
    "signed with the client's secret": by_secret,
    "signed by a stranger": by_a_stranger,
    "more groups": richer,
    "no token": lambda _: "",
    "half a token": lambda token: token[:40],
}


def test_an_id_token_that_does_not_hold_lets_nobody_in(make: Make, provider: OpenIdProvider, stores: Stores) -> None:
    client, true, whole = make(), provider.lie, provider.forge
    for attack in (*LIES, *FORGERIES):
        provider.lie, provider.forge = LIES.get(attack, true), FORGERIES.get(attack, whole)
        answer = come_in(client, provider)
        assert answer.status_code == 403 and "cannot be trusted" in answer.text, attack
        assert client.get("/demo").status_code == 302 and find_account(stores.state, "ana") is None, attack
    assert len(refusals(stores)) == len(LIES) + len(FORGERIES)
    assert all(each.startswith("at the provider: ") for each in refusals(stores))
    provider.lie, provider.forge = true, whole
    assert come_in(client, provider).status_code == 303


def test_a_way_back_works_once_and_in_its_own_browser_alone(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    mine, other = make(), make()
    back = way_back(mine, provider)
    way_back(other, provider)  # who began one too
    stolen = other.get(back.removeprefix("http://localhost"))
    assert stolen.status_code == 403 and other.get("/demo").status_code == 302
    assert refusals(stores)[0] == "at the provider: the state is that of another sign-in"
    nobody = make().get(back.removeprefix("http://localhost"))
    assert nobody.status_code == 403 and "begin it again" in nobody.text
    cookie = mine.get_cookie("fundwatch-8050-begun")
    assert cookie is not None
    assert mine.get(back.removeprefix("http://localhost")).status_code == 303
    again = make()
    again.set_cookie("fundwatch-8050-begun", cookie.value)
    assert again.get(back.removeprefix("http://localhost")).status_code == 403, "the code is used up"
    assert "invalid_grant" in refusals(stores)[0]
    query = parse_qs(urlsplit(back).query)
    assert set(query) == {"code", "state", "iss"}
    assert make().get("/sign-in/provider/back?error=access_denied&state=x").status_code == 403


def test_keys_that_the_provider_changes_are_looked_for(make: Make, provider: OpenIdProvider) -> None:
    client = make()
    assert come_in(client, provider).status_code == 303
    assert come_in(client, provider).status_code == 303
    assert provider.asked.count("/jwks") == 1 and provider.asked.count("/.well-known/openid-configuration") == 1
    provider.rotate()
    assert come_in(client, provider).status_code == 303
    assert provider.asked.count("/jwks") == 2


def test_while_the_provider_is_away_accounts_made_here_sign_in(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    now = stores.clock.now()
    link = add_account(stores.state, "bob", Role.VIEWER, [], "root", now)
    use_link(stores.state, link.partition("key=")[2], PASSWORD, "", Caller("10.0.0.1"), now)
    provider.is_away = True
    client = make()
    answer = client.get("/sign-in/provider?next=/demo")
    assert answer.status_code == 503 and "does not answer as it should" in answer.text
    assert 'value="/demo"' in answer.text and "password" in answer.text
    sent = {"name": "bob", "password": PASSWORD, "next": "/demo"}
    assert client.post("/sign-in", data=sent).headers["Location"] == "/demo"


def test_signing_out_ends_the_session_at_the_provider_too(make: Make, provider: OpenIdProvider) -> None:
    client = make()
    come_in(client, provider)
    answer = client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    address = answer.headers["Refresh"].partition("url=")[2]
    assert address.startswith(f"{provider.issuer}/logout?") and "Signed out" in answer.text
    query = parse_qs(urlsplit(address).query)
    assert query == {"client_id": [CLIENT], "post_logout_redirect_uri": ["http://localhost/sign-in"]}
    assert client.get("/demo").status_code == 302


def test_what_is_set_wrong_of_a_provider_is_told() -> None:
    for wrong, told in (
        ({"issuer": "http://bank.example"}, "https://"),
        ({"client_id": ""}, "client_id"),
        ({"roles": {}}, "roles"),
        ({"roles": {"funds": "boss"}}, "viewer"),
        ({"scopes": "profile"}, "openid"),
        ({"portfolios": {"funds": []}}, "at least one"),
    ):
        with pytest.raises(ValueError, match=told):
            Oidc.model_validate({"issuer": "https://bank.example", "client_id": "x", "roles": {"a": "viewer"}} | wrong)
