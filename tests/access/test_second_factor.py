"""The second factor: what apps show lets in once; recovery codes as well."""

from __future__ import annotations

import threading

import pyotp
import pytest

from access import second_factor
from access.accounts import add_account, find_account
from core.errors import ChangeRejected
from core.roles import Role
from core.settings.model import Settings
from storage.state.audit import read_entries
from storage.state.database import State

NOW = 1_700_000_010.0


@pytest.fixture
def anna(state: State) -> str:
    add_account(state, "anna", Role.OPERATOR, (), "admin", NOW)
    return "anna"


def set_up(state: State, name: str) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    app = pyotp.TOTP(second_factor.start(state, name, NOW).secret)
    return app, second_factor.confirm(state, name, app.at(NOW), NOW)


def test_it_is_in_force_once_a_code_was_seen(state: State, anna: str) -> None:
    setup = second_factor.start(state, anna, NOW)
    app = pyotp.parse_uri(setup.url)
    assert isinstance(app, pyotp.TOTP)
    assert (app.secret, app.name, app.issuer, app.digits, app.interval) == (setup.secret, anna, "Fundwatch", 6, 30)
    assert setup.svg.startswith("<svg") and "<script" not in setup.svg
    assert not second_factor.verify(state, anna, app.at(NOW), NOW)
    with pytest.raises(ChangeRejected) as refused:
        second_factor.confirm(state, anna, "000000" if app.at(NOW) != "000000" else "111111", NOW)
    assert "clock" in refused.value.fields["code"]
    assert len(second_factor.confirm(state, anna, app.at(NOW), NOW)) == 10
    account = find_account(state, anna)
    assert account is not None and account.has_second_factor


def test_a_code_works_once_and_a_step_early_or_late(state: State, anna: str) -> None:
    app, _ = set_up(state, anna)
    assert not second_factor.verify(state, anna, app.at(NOW), NOW), "it confirmed the setup already"
    later = NOW + 300
    assert second_factor.verify(state, anna, f" {app.at(later)[:3]} {app.at(later)[3:]} ", later)
    assert not second_factor.verify(state, anna, app.at(later), later)
    assert not second_factor.verify(state, anna, app.at(later - 30), later), "older than the one that was used"
    assert second_factor.verify(state, anna, app.at(later + 30), later)
    much_later = later + 3_000
    assert not second_factor.verify(state, anna, app.at(much_later - 60), much_later)
    assert not second_factor.verify(state, anna, app.at(much_later + 60), much_later)
    assert second_factor.verify(state, anna, app.at(much_later - 30), much_later)


def test_of_many_that_try_the_same_code_at_once_one_is_let_in(state: State, anna: str) -> None:
    app, _ = set_up(state, anna)
    later, let_in = NOW + 300, []
    threads = [
        threading.Thread(target=lambda: let_in.append(second_factor.verify(state, anna, app.at(later), later)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(let_in) == [False] * 7 + [True]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "0x1234", "\x00" * 6])
def test_what_is_no_code_lets_nobody_in(state: State, anna: str, code: str) -> None:
    set_up(state, anna)
    assert not second_factor.verify(state, anna, code, NOW + 300)


def test_a_recovery_code_works_once_however_it_is_typed(state: State, anna: str) -> None:
    _, codes = set_up(state, anna)
    assert len(set(codes)) == 10
    assert second_factor.verify(state, anna, codes[0].lower().replace("-", " "), NOW, address="10.0.0.7")
    assert not second_factor.verify(state, anna, codes[0], NOW)
    assert second_factor.unused_codes(state, anna) == 9
    add_account(state, "otto", Role.VIEWER, (), "admin", NOW)
    set_up(state, "otto")
    assert not second_factor.verify(state, "otto", codes[1], NOW)
    assert read_entries(state)[0].what == "second factor set up"
    assert [each.address for each in read_entries(state) if each.what == "recovery code used"] == ["10.0.0.7"]


def test_a_new_one_takes_the_place_of_the_old_when_it_is_confirmed(state: State, anna: str) -> None:
    old, codes = set_up(state, anna)
    app = pyotp.TOTP(second_factor.start(state, anna, NOW).secret)
    assert second_factor.verify(state, anna, old.at(NOW + 300), NOW + 300)
    second_factor.confirm(state, anna, app.at(NOW + 600), NOW + 600)
    assert not second_factor.verify(state, anna, old.at(NOW + 900), NOW + 900)
    assert not second_factor.verify(state, anna, codes[0], NOW + 900)
    second_factor.remove(state, anna, NOW + 900, by="admin")
    assert not second_factor.verify(state, anna, app.at(NOW + 1200), NOW + 1200)
    assert read_entries(state)[0].who == "admin"


def wrong_code(app: pyotp.TOTP, at: float) -> str:
    near = {app.at(at + seconds) for seconds in (-30, 0, 30)}
    return next(each for each in ("000000", "111111", "222222", "333333") if each not in near)


def test_an_offered_secret_ends_after_five_wrong_codes(state: State, anna: str) -> None:
    setup = second_factor.start(state, anna, NOW)
    app = pyotp.TOTP(setup.secret)
    for _ in range(4):
        with pytest.raises(ChangeRejected):
            second_factor.confirm(state, anna, wrong_code(app, NOW), NOW)
        assert second_factor.offered(state, anna, NOW) == setup
    with pytest.raises(ChangeRejected) as refused:
        second_factor.confirm(state, anna, wrong_code(app, NOW), NOW)
    assert "start anew" in refused.value.fields["code"]
    with pytest.raises(ChangeRejected):
        second_factor.confirm(state, anna, app.at(NOW), NOW)
    assert second_factor.offered(state, anna, NOW) is None
    set_up(state, anna)


def test_an_offered_secret_ends_after_a_quarter_of_an_hour(state: State, anna: str) -> None:
    app = pyotp.TOTP(second_factor.start(state, anna, NOW).secret)
    late = NOW + 900
    assert second_factor.offered(state, anna, late - 1) is not None
    with pytest.raises(ChangeRejected):
        second_factor.confirm(state, anna, app.at(late), late)
    assert second_factor.offered(state, anna, late) is None


def test_nobody_sets_one_up_for_an_account_that_there_is_not(state: State) -> None:
    with pytest.raises(ChangeRejected, match="no account nobody"):
        second_factor.start(state, "nobody", NOW)


def test_the_settings_say_which_roles_must_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDWATCH_SECOND_FACTOR_ROLES", "admin, operator")
    settings = Settings()
    assert [role.word for role in Role if second_factor.must_have(settings, role)] == ["operator", "admin"]
