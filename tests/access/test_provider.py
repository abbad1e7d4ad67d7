"""Signing in at an OpenID provider: who comes in, with which rights, and what is not believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

import api
from access.accounts import add_account, disable, find_account, link, reset, set_role
from access.provider import BELIEVED_SECONDS, DOCUMENT, MOST_AT_THE_DOOR, Provider
from access.sign_in import Caller, use_link
from access.tokens import make_token
from access.viewer import Viewer
from core.clock import FakeClock
from core.errors import ChangeRejected, ProviderUnavailable
from core.roles import Role
from core.settings.oidc import NONE, Oidc
from dashboard.factory import create_app
from dashboard.frame.provider import BEGUN_SECONDS
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
        return client_of(stores, Oidc.model_validate(provider.settings(**more)))

    return make


def client_of(stores: Stores, oidc: Oidc) -> FlaskClient:
    settings = stores.settings.model_copy(update={"oidc": oidc, "second_factor_roles": ("operator",)})
    app = create_app(replace(stores, settings=settings), (DEMO,), mounts=[api.install])
    client: FlaskClient = app.server.test_client()
    return client


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
    client = make(portfolios={"funds": ["alpha"], "all": ["*"]})
    for groups, role, limits in (
        (["funds"], Role.VIEWER, ("alpha",)),
        (["funds", "desk", "canteen"], Role.OPERATOR, ("alpha",)),
        (["root", "funds"], Role.ADMIN, ()),
        ("desk", Role.OPERATOR, (NONE,)),  # who loses a group that limits does not see more for it
        (["desk", "funds", "all"], Role.OPERATOR, ()),
    ):
        provider.person["groups"] = groups
        assert come_in(client, provider).status_code == 303, groups
        account = find_account(stores.state, "ana")
        assert account is not None and (account.role, account.portfolios) == (role, limits)
        assert client.get("/demo").status_code == 200, "a second factor is the provider's"
        client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    told = [(each.what, each.detail) for each in read_entries(stores.state) if each.what.endswith("changed")]
    assert told[-1] == ("role changed", "viewer → operator")
    assert ("portfolios changed", "every portfolio, only alpha → every portfolio") in told
    assert ("portfolios changed", f"every portfolio → every portfolio, only {NONE}") in told


def test_who_has_lost_every_group_stays_out_and_his_sessions_end(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, other = make(), make()
    provider.person["groups"] = ["root"]
    come_in(client, provider)
    token = token_of_ana(stores)
    assert asks(client, token) == 200
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
    provider.person["groups"] = ["funds"]
    assert come_in(other, provider).status_code == 303
    assert asks(client, token) == 401, "a token does not come back with its owner"
    assert [each.detail for each in read_entries(stores.state) if each.what == "role changed"] == ["admin → viewer"]


def token_of_ana(stores: Stores) -> str:
    ana = Viewer("ana", Role.VIEWER)
    _, secret = make_token(stores.state, name="x", account="ana", scopes=["read"], by=ana, now=stores.clock.now())
    return secret


def asks(client: FlaskClient, token: str) -> int:
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_worth_nothing_once_the_provider_has_not_spoken_of_its_owner_for_as_long_as_a_session_lasts(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, clock = make(), stores.clock
    come_in(client, provider)
    token = token_of_ana(stores)
    clock.advance(stores.settings.sessions.longest_seconds - 60)  # type: ignore[attr-defined]
    assert asks(client, token) == 200
    clock.advance(61)  # type: ignore[attr-defined]
    assert asks(client, token) == 401
    assert come_in(client, provider).status_code == 303 and asks(client, token) == 200


def test_a_provider_that_is_switched_off_or_changed_lets_nobody_in_and_its_admins_do_not_count(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    provider.person["groups"] = ["root"]
    client, now = make(), stores.clock.now()
    come_in(client, provider)
    cookie, token = client.get_cookie("fundwatch-8050"), token_of_ana(stores)
    assert cookie is not None
    for oidc in (Oidc(), Oidc.model_validate(provider.settings(issuer=f"{provider.issuer}/other"))):
        other = client_of(stores, oidc)
        other.set_cookie("fundwatch-8050", cookie.value)
        assert (other.get("/demo").status_code, asks(other, token)) == (302, 401)
    add_account(stores.state, "root", Role.ADMIN, [], "root", now)
    with pytest.raises(ChangeRejected, match="only admin who signs in here"):
        disable(stores.state, "root", "ana", now)
    disable(stores.state, "ana", "root", now)


def test_an_image_or_frame_on_another_site_uses_up_nobodys_attempts(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, office = make(), {"REMOTE_ADDR": "10.0.0.7"}
    images = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    frames = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    for _ in range(stores.settings.rate_limits.sign_in_per_minute + 1):
        for path in ("/sign-in/provider", "/sign-in/provider/back?code=x&state=y"):
            for headers in (images, frames):
                assert client.get(path, headers=headers, environ_base=office).status_code == 403
            client.get(path, environ_base=office)  # a link that is followed
    sent = {"name": "ana", "password": "x"}
    assert client.post("/sign-in", data=sent, environ_base=office).status_code == 401
    assert refusals(stores) == ["no such account"], "nor is anything written down of what nobody began"


def test_two_tabs_sign_in_beside_each_other(make: Make, provider: OpenIdProvider) -> None:
    client = make()
    backs = [way_back(client, provider, place).removeprefix("http://localhost") for place in ("/demo?a=1", "/demo?a=2")]
    assert client.get("/sign-in/provider/back?code=x&state=y").status_code == 403
    places = [client.get(back).headers["Location"] for back in backs]
    assert places == ["/demo?a=1", "/demo?a=2"]
    for number in range(20):
        way_back(client, provider, f"/demo?{'x' * 900}={number}")
    sent = "; ".join(f"{key[2]}={kept.value}" for key, kept in client._cookies.items())  # type: ignore[attr-defined]
    assert len(sent) < 8_190, "a browser with many tabs is still answered"


def test_several_who_come_back_at_once_all_come_in(make: Make, provider: OpenIdProvider) -> None:
    server, browsers = make().application, []
    for _ in range(MOST_AT_THE_DOOR):
        browser = server.test_client()
        browsers.append((browser, way_back(browser, provider).removeprefix("http://localhost")))
    provider.slow_seconds = 0.2
    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(lambda each: each[0].get(each[1]).status_code, browsers))
    assert answers == [303] * MOST_AT_THE_DOOR


def test_who_is_sent_away_at_the_door_can_open_the_same_address_again(make: Make, provider: OpenIdProvider) -> None:
    client = make()
    back = way_back(client, provider).removeprefix("http://localhost")
    provider.is_away = True
    assert client.get(back).status_code == 503
    provider.is_away = False
    assert client.get(back).status_code == 303


def test_a_key_of_an_unknown_kind_spoils_no_other(make: Make, provider: OpenIdProvider) -> None:
    provider.odd_keys = [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "odd"}, {"kty": "new"}, {}, "x"]
    assert come_in(make(), provider).status_code == 303


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_over_tls_is_never_asked_or_sent_to_without(name: str, provider: OpenIdProvider) -> None:
    oidc = Oidc.model_validate(provider.settings(issuer="https://bank.example"))
    asked = Provider(oidc, FakeClock())
    asked._documents.get(DOCUMENT, lambda: {name: "http://bank.example/x"})
    with pytest.raises(ProviderUnavailable):
        asked._endpoint(name)


def test_no_redirect_of_the_provider_is_followed(make: Make, provider: OpenIdProvider) -> None:
    provider.moved = {"/.well-known/openid-configuration": f"{provider.issuer}/elsewhere"}
    assert make().get("/sign-in/provider").status_code == 503
    assert "/elsewhere" not in provider.asked


def test_an_account_that_was_made_here_is_linked_to_who_it_is_at_the_provider(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    now, oidc = stores.clock.now(), Oidc.model_validate(provider.settings())
    link_of_ana = add_account(stores.state, "ana", Role.ADMIN, [], "root", now)
    use_link(stores.state, link_of_ana.partition("key=")[2], PASSWORD, "", Caller("10.0.0.1"), now)
    client = make()
    assert "to link it" in come_in(client, provider).text
    assert refusals(stores)[0].endswith(f"Subject: {provider.issuer} 1"), "what is to be given"
    with pytest.raises(ChangeRejected, match="only admin"):
        link(stores.state, oidc, "ana", "1", "command line", now)
    add_account(stores.state, "root", Role.ADMIN, [], "root", now)
    for wrong in ("", "x" * 300):
        with pytest.raises(ChangeRejected, match="sub"):
            link(stores.state, oidc, "ana", wrong, "command line", now)
    link(stores.state, oidc, "ana", "1", "command line", now)
    with pytest.raises(ChangeRejected, match="account ana"):
        link(stores.state, oidc, "root", "1", "command line", now)
    assert client.post("/sign-in", data={"name": "ana", "password": PASSWORD}).status_code == 401
    assert come_in(client, provider).status_code == 303
    account = find_account(stores.state, "ana")
    assert account is not None and account.role == Role.VIEWER and account.is_external and not account.has_password
    assert "account linked" in [each.what for each in read_entries(stores.state)]
    moved = Oidc.model_validate(provider.settings(issuer="https://bank.example"))
    link(stores.state, moved, "ana", "1", "command line", now)
    assert "another provider" in come_in(make(), provider).text


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
    assert "begin it again" in stolen.text and not refusals(stores)
    nobody = make().get(back.removeprefix("http://localhost"))
    assert nobody.status_code == 403 and "begin it again" in nobody.text
    query = parse_qs(urlsplit(back).query)
    name = f"fundwatch-8050-begun-{query['state'][0][:12]}"
    cookie = mine.get_cookie(name)
    assert cookie is not None
    assert mine.get(back.removeprefix("http://localhost")).status_code == 303
    again = make()
    again.set_cookie(name, cookie.value)
    assert again.get(back.removeprefix("http://localhost")).status_code == 403, "the code is used up"
    assert "invalid_grant" in refusals(stores)[0]
    assert set(query) == {"code", "state", "iss"}
    assert make().get("/sign-in/provider/back?error=access_denied&state=x").status_code == 403


def test_the_cookie_of_a_sign_in_that_begins_is_signed_and_ends(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    for spoil in (
        lambda value: value.rsplit(".", 1)[0] + ".%2Faudit",
        lambda value: value.partition(".")[2],
        lambda value: "0" * 48 + "." + value.partition(".")[2],
    ):
        client = make()
        back = way_back(client, provider)
        name = f"fundwatch-8050-begun-{parse_qs(urlsplit(back).query)['state'][0][:12]}"
        cookie = client.get_cookie(name)
        assert cookie is not None
        client.set_cookie(name, spoil(cookie.value))
        answer = client.get(back.removeprefix("http://localhost"))
        assert answer.status_code == 403 and "begin it again" in answer.text
    client = make()
    back = way_back(client, provider)
    stores.clock.advance(BEGUN_SECONDS + 1)  # type: ignore[attr-defined]
    assert client.get(back.removeprefix("http://localhost")).status_code == 403


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


def test_who_ends_his_own_sessions_is_led_there_too_also_while_the_provider_is_away(
    make: Make, provider: OpenIdProvider, stores: Stores
) -> None:
    client, same = make(), {"Sec-Fetch-Site": "same-origin"}
    come_in(client, provider)
    cookie = client.get_cookie("fundwatch-8050")
    assert cookie is not None
    provider.is_away = True
    stores.clock.advance(BELIEVED_SECONDS + 1)  # type: ignore[attr-defined]
    answer = client.post("/account/sessions", headers=same)
    assert answer.headers["Refresh"].partition("url=")[2].startswith(f"{provider.issuer}/logout?")
    provider.is_away = False
    come_in(client, provider)
    cookie = client.get_cookie("fundwatch-8050")
    assert cookie is not None
    provider.is_away = True
    other = make()  # that has never asked it
    other.set_cookie("fundwatch-8050", cookie.value)
    answer = other.post("/sign-out", headers=same)
    assert "may still be signed in at 127.0.0.1" in answer.text and "Refresh" not in answer.headers
    assert other.get("/demo").status_code == 302


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
