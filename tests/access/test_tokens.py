"""Tokens of programs: shown once, never worth more than their owner is now."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from access.accounts import add_account, disable, enable, set_portfolios, set_role
from access.tokens import (
    SCOPES,
    Bearers,
    Scope,
    list_tokens,
    make_token,
    revoke,
    token_of,
    viewer_of_token,
    within_both,
)
from access.viewer import LOCAL_NAME, Viewer, local_viewer
from core.clock import FakeClock
from core.errors import ChangeRejected
from core.memo import KNOWN_SECONDS
from core.roles import Role
from core.settings.model import Settings
from storage.state.audit import read_entries
from storage.state.database import State
from storage.state.portfolios import OWN, Portfolio, put_portfolios

NOW = 1_700_000_000.0
ADMIN = Viewer("admin", Role.ADMIN)
TREE = {"fund": "", "macro": "fund", "rates": "macro", "trend": "fund", "other": ""}


@pytest.fixture
def people(state: State) -> State:
    """A tree of portfolios, an admin, and anna, who is an operator."""
    put_portfolios(state, [Portfolio(OWN, id, id, parent) for id, parent in TREE.items()])
    add_account(state, "admin", Role.ADMIN, (), "first start", NOW)
    add_account(state, "anna", Role.OPERATOR, (), "admin", NOW)
    return state


def anna(portfolios: frozenset[str] | None = None) -> Viewer:
    return Viewer("anna", Role.OPERATOR, portfolios=portfolios)


def made(
    state: State,
    *scopes: str,
    portfolios: tuple[str, ...] = (),
    expires_at: float = 0.0,
    by: Viewer | None = None,
    account: str = "anna",
) -> str:
    by = by or anna()
    _, secret = make_token(
        state, name="risk report", account=account, scopes=scopes or ["read"], portfolios=portfolios,
        expires_at=expires_at, by=by, now=NOW,
    )  # fmt: skip
    return secret


def asked(state: State, settings: Settings, secret: str, at: float = NOW + 1) -> Viewer | None:
    return viewer_of_token(state, settings, secret, at, "10.0.0.7")


def test_a_secret_is_random_and_stands_nowhere(people: State, settings: Settings) -> None:
    secrets = {made(people) for _ in range(50)}
    assert len(secrets) == 50
    assert all(each.startswith("fw_") and len(each) == 46 for each in secrets)
    file = people.file
    assert file is not None
    kept = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert not [each for each in secrets if each.encode() in kept or each[3:].encode() in kept]
    assert all(asked(people, settings, each) for each in secrets)


@pytest.mark.parametrize(
    "secret", ["", "fw_", "fw_" + "A" * 43, "A" * 46, "fw_" + "A" * 10_000, "fw_ \x00", "fw_é" * 12]
)
def test_what_is_no_token_is_nobody(people: State, settings: Settings, secret: str) -> None:
    made(people)
    assert asked(people, settings, secret) is None


def test_who_has_not_signed_in_makes_no_token(people: State) -> None:
    with pytest.raises(ChangeRejected) as refused:
        made(people, by=local_viewer(), account=LOCAL_NAME)
    assert "Sign in" in refused.value.fields["account"]
    assert list_tokens(people, ADMIN) == []


def test_a_token_follows_its_owner(people: State, settings: Settings) -> None:
    secret = made(people, "read", "alerts")
    who = asked(people, settings, secret)
    assert who is not None and (who.name, who.role) == ("anna", Role.OPERATOR)
    assert who.scopes == {"read", "alerts"}
    set_role(people, "anna", Role.VIEWER, "admin", NOW)
    who = asked(people, settings, secret)
    assert who is not None and (who.role, who.scopes) == (Role.VIEWER, {"read"})
    set_portfolios(people, "anna", ["macro"], "admin", NOW)
    who = asked(people, settings, secret)
    assert who is not None and who.portfolios == {"macro"}
    disable(people, "anna", "admin", NOW)
    assert asked(people, settings, secret) is None
    enable(people, "anna", "admin", NOW)
    assert asked(people, settings, secret) is not None
    with people.begin() as connection:
        connection.execute(sa.text("DELETE FROM accounts WHERE name = 'anna'"))
    assert asked(people, settings, secret) is None


def test_a_token_never_lends_a_role_that_its_scopes_do_not_need(people: State, settings: Settings) -> None:
    acting = settings.model_copy(update={"actions_enabled": True})
    who = asked(people, acting, made(people, "read", account="admin", by=ADMIN))
    assert who is not None and (who.role, who.may_act) == (Role.ANALYST, False)
    who = asked(people, acting, made(people, "admin", account="admin", by=ADMIN))
    assert who is not None and (who.role, who.may_act) == (Role.ADMIN, True)


def test_a_token_of_a_service_outlives_who_made_it(people: State, settings: Settings) -> None:
    add_account(people, "otto", Role.ADMIN, (), "admin", NOW)
    secret = made(people, "ingest:nav", by=Viewer("otto", Role.ADMIN), account="", portfolios=("macro",))
    disable(people, "otto", "admin", NOW)
    who = asked(people, settings, secret)
    assert who is not None and who.name == "service:risk report"
    assert (who.role, who.scopes, who.portfolios) == (Role.OPERATOR, {"ingest:nav"}, {"macro"})


def test_revoked_and_expired_tokens_are_nobody(people: State, settings: Settings) -> None:
    secret = made(people, expires_at=NOW + 100)
    assert asked(people, settings, secret, NOW + 99.9) is not None
    assert asked(people, settings, secret, NOW + 100) is None
    assert token_of(people, secret, NOW + 100) is None
    secret = made(people)
    token = token_of(people, secret, NOW)
    assert token is not None
    revoke(people, token.id, by=ADMIN, now=NOW)
    assert asked(people, settings, secret) is None
    revoke(people, token.id, by=ADMIN, now=NOW)
    assert [each.what for each in read_entries(people) if each.what.startswith("token")] == [
        "token revoked", "token made", "token made",
    ]  # fmt: skip


def test_its_last_use_is_written_once_a_minute(people: State, settings: Settings) -> None:
    secret = made(people)
    used = []
    for seconds in (5, 30, 64, 66, 100):
        asked(people, settings, secret, NOW + seconds)
        token = token_of(people, secret, NOW)
        assert token is not None
        used.append((token.used_at - NOW, token.used_from))
    assert used == [(5, "10.0.0.7")] * 3 + [(66, "10.0.0.7")] * 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes"),
        ({"scopes": ["read", "admin"]}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"portfolios": ["nowhere"]}, "portfolios"),
        ({"account": "otto"}, "account"),
        ({"account": ""}, "account"),
        ({"by": Viewer("anna", Role.OPERATOR, scopes=frozenset({"read"}))}, "account"),
        ({"by": Viewer("anna", Role.OPERATOR, portfolios=frozenset({"macro"})), "portfolios": ["trend"]}, "portfolios"),
        ({"by": Viewer("anna", Role.OPERATOR, portfolios=frozenset()), "portfolios": ["trend"]}, "portfolios"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_and_nothing_is_made(people: State, said: dict, field: str) -> None:  # type: ignore[type-arg]
    asked_for = {"name": "report", "account": "anna", "scopes": ["read"], "by": anna(), "now": NOW} | said
    with pytest.raises(ChangeRejected) as refused:
        make_token(people, **asked_for)
    assert set(refused.value.fields) == {field}
    assert list_tokens(people, ADMIN) == []


def test_portfolios_may_be_named_as_the_api_does(people: State, settings: Settings) -> None:
    who = asked(people, settings, made(people, portfolios=("own:macro", "trend")))
    assert who is not None and who.portfolios == {"macro", "trend"}


def test_everybody_sees_and_revokes_his_own_and_an_admin_all(people: State) -> None:
    made(people)
    made(people, account="admin", by=ADMIN)
    (hers,) = list_tokens(people, anna())
    assert hers.account == "anna"
    assert {each.account for each in list_tokens(people, ADMIN)} == {"anna", "admin"}
    (other,) = [each for each in list_tokens(people, ADMIN) if each.account == "admin"]
    with pytest.raises(ChangeRejected):
        revoke(people, other.id, by=anna(), now=NOW)
    assert revoke(people, hers.id, by=anna(), now=NOW).revoked_by == "anna"


def test_limits_of_owner_and_token_are_both_kept(people: State, settings: Settings) -> None:
    set_portfolios(people, "anna", ["macro", "other"], "admin", NOW)
    inside = made(people, portfolios=("rates",), by=anna(frozenset({"macro", "other"})))
    who = asked(people, settings, inside)
    assert who is not None and who.portfolios == {"rates"}
    set_portfolios(people, "anna", ["trend"], "admin", NOW)
    who = asked(people, settings, inside)
    assert who is not None and who.portfolios == frozenset()


def test_a_revoked_token_is_nobody_in_every_process_within_two_seconds(people: State, settings: Settings) -> None:
    clock = FakeClock(NOW)
    here = Bearers(people, settings, clock)
    secret = made(people)
    assert here.viewer(secret) is not None
    assert here.viewer(secret) == here.viewer(secret)
    token = token_of(people, secret, NOW)
    assert token is not None
    revoke(people, token.id, by=ADMIN, now=NOW)  # as another process would
    clock.advance(KNOWN_SECONDS)
    assert here.viewer(secret) is None
    assert here.viewer("fw_" + "A" * 43) is None


def visible(chosen: frozenset[str] | None) -> set[str]:
    """Every portfolio that lies at or below one of those chosen."""

    def above(id: str) -> set[str]:
        return {id} | (above(TREE[id]) if TREE[id] else set())

    return {id for id in TREE if chosen is None or above(id) & chosen}


some = st.frozensets(st.sampled_from(sorted(TREE)))


@given(some, some)
def test_what_both_let_see_is_seen_and_nothing_else(first: frozenset[str], second: frozenset[str]) -> None:
    both = within_both(first, second, TREE)
    assert visible(both) == visible(first or None) & visible(second or None)


@given(st.sampled_from(list(Role)), st.sets(st.sampled_from(list(Scope)), min_size=1))
def test_no_scope_asks_for_less_than_it_lends_to_others(role: Role, scopes: set[Scope]) -> None:
    for scope in scopes:
        least, most, _ = SCOPES[scope]
        assert least <= most
        assert scope is Scope.READ or most <= max(least, role) or least > role
