"""Signing in, being locked out, links and sessions: on the real state database, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from argon2 import PasswordHasher

from access import lockout, passwords
from access.accounts import add_account, disable, enable, reset, set_portfolios, set_role, viewer_for
from access.first_start import first_link
from access.links import KEY, account_of
from access.secrets import digest_of
from access.sessions import Signed, end_session, end_sessions, sessions_of
from access.sign_in import Caller, SignedIn, change_password, sign_in, sign_out, use_link
from core.clock import FakeClock
from core.errors import ChangeRejected, SignInRefused, StartError
from core.memo import KNOWN_SECONDS
from core.roles import Role
from core.settings.model import Settings
from storage.state.accounts import find_account
from storage.state.audit import read_entries
from storage.state.database import State
from storage.state.portfolios import Portfolio, put_portfolios
from tests.support.fresh_state import fresh_postgres

PASSWORD, OTHER = "violet kettle 81 moor", "seven lanterns, one tide"
HERE, THERE, STRANGER = Caller("10.0.0.7", "Browser"), Caller("10.0.0.8"), Caller("203.0.113.9")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id, at its least cost."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ana(state: State, clock: FakeClock) -> SignedIn:
    """An analyst who has chosen her password by the link that she was given, beside an admin."""
    add_account(state, "boss", Role.ADMIN, (), "test", clock.now())
    link = add_account(state, "ana", Role.ANALYST, (), "boss", clock.now())
    return use_link(state, secret_in(link), PASSWORD, "", HERE, clock.now())


def secret_in(link: str) -> str:
    return link.split(f"{KEY}=")[1]


def told(state: State) -> list[tuple[str, str, str]]:
    """Return who, what and outcome of the audit, oldest first."""
    return [(each.who, each.what, each.outcome) for each in reversed(read_entries(state))]


def tries(state: State, clock: FakeClock, caller: Caller, name: str = "ana", password: str = "wrong") -> str:
    """Return what is said to somebody who tries."""
    try:
        return sign_in(state, name, password, "", caller, clock.now()).account
    except SignInRefused as error:
        return str(error)


def test_a_person_signs_in_by_name_and_password(state: State, clock: FakeClock, ana: SignedIn) -> None:
    who = sign_in(state, " ANA ", PASSWORD, "", HERE, clock.now())
    assert who.account == "ana" and who.secret != ana.secret
    assert ("ana", "signed in", "done") in told(state)


def test_only_digests_and_hashes_are_kept(state: State, clock: FakeClock, ana: SignedIn) -> None:
    sign_in(state, "ana", PASSWORD, "", HERE, clock.now())
    assert state.file is not None
    kept = b"".join(file.read_bytes() for file in state.file.parent.glob("state.sqlite*"))
    assert PASSWORD.encode() not in kept and ana.secret.encode() not in kept
    assert digest_of(ana.secret).encode() in kept


def test_who_is_refused_is_told_the_same_whatever_the_reason(state: State, clock: FakeClock, ana: SignedIn) -> None:
    said = {tries(state, clock, HERE), tries(state, clock, HERE, "nobody"), tries(state, clock, HERE, "boss")}
    disable(state, "ana", "boss", clock.now())
    said |= {tries(state, clock, HERE, "ana", PASSWORD)}
    assert said == {"Name, password or code is not right."}
    assert ("(nobody)", "sign-in refused", "refused") in told(state)


def test_waits_grow_to_their_end_and_begin_anew_after_a_success(state: State, clock: FakeClock, ana: SignedIn) -> None:
    waits = []
    for _ in range(lockout.ACCOUNT_ATTEMPTS + 9):
        subjects = lockout.subjects_of(state, "ana", STRANGER.address)
        wait = lockout.seconds_to_wait(state, subjects, clock.now())
        waits.append(wait)
        clock.advance(wait)
        assert tries(state, clock, STRANGER) == "Name, password or code is not right."
    assert waits[: lockout.ACCOUNT_ATTEMPTS] == [0.0] * lockout.ACCOUNT_ATTEMPTS
    assert waits[lockout.ACCOUNT_ATTEMPTS :] == [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert "Too many attempts failed" in tries(state, clock, STRANGER, password=PASSWORD)
    clock.advance(900)
    assert tries(state, clock, STRANGER, password=PASSWORD) == "ana"
    assert tries(state, clock, STRANGER) == "Name, password or code is not right."
    assert told(state).count(("ana", "locked out", "refused")) == 10


def test_while_somebody_waits_nothing_is_counted_so_that_the_wait_ends(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    for _ in range(lockout.ACCOUNT_ATTEMPTS):
        tries(state, clock, STRANGER)
    for _ in range(30):
        assert "Try again in" in tries(state, clock, STRANGER)
    clock.advance(lockout.FIRST_WAIT_SECONDS)
    assert tries(state, clock, STRANGER, password=PASSWORD) == "ana"


def test_a_name_that_there_is_not_is_locked_out_like_one_that_there_is(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    real = [tries(state, clock, STRANGER, "ana") for _ in range(7)]
    assert [tries(state, clock, Caller("203.0.113.10"), "nobody") for _ in range(7)] == real


def test_a_stranger_does_not_lock_out_who_has_signed_in_from_elsewhere(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    for _ in range(30):
        tries(state, clock, STRANGER)
    assert "Too many" in tries(state, clock, STRANGER, password=PASSWORD)
    assert "Too many" in tries(state, clock, THERE, password=PASSWORD)
    assert tries(state, clock, HERE, password=PASSWORD) == "ana"


def test_an_address_that_tries_many_names_waits_and_the_others_do_not(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    for number in range(lockout.ADDRESS_ATTEMPTS):
        tries(state, clock, STRANGER, f"name-{number}")
    assert "Too many" in tries(state, clock, STRANGER, password=PASSWORD)
    assert tries(state, clock, THERE, password=PASSWORD) == "ana"


def test_a_success_takes_back_no_other_attempt_of_an_address(state: State, clock: FakeClock, ana: SignedIn) -> None:
    """Else whoever has an account could guess the passwords of the others for ever."""
    for number in range(lockout.ADDRESS_ATTEMPTS - 1):
        tries(state, clock, STRANGER, f"name-{number}")
        assert tries(state, clock, STRANGER, password=PASSWORD) == "ana"
    tries(state, clock, STRANGER, "one more")
    assert "Too many" in tries(state, clock, STRANGER, "boss")


def test_guesses_from_an_office_do_not_lock_out_who_has_signed_in_there(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    for number in range(lockout.ADDRESS_ATTEMPTS):
        tries(state, clock, HERE, f"name-{number}")
    assert "Too many" in tries(state, clock, HERE, "boss")
    assert tries(state, clock, HERE, password=PASSWORD) == "ana"
    for _ in range(lockout.ACCOUNT_ATTEMPTS):
        tries(state, clock, HERE)
    assert "Too many" in tries(state, clock, HERE, password=PASSWORD)


def test_addresses_of_one_network_of_ipv6_are_one(state: State, clock: FakeClock, ana: SignedIn) -> None:
    for number in range(lockout.ADDRESS_ATTEMPTS):
        tries(state, clock, Caller(f"2001:db8:1:2::{number + 1:x}"), f"name-{number}")
    assert "Too many" in tries(state, clock, Caller("2001:db8:1:2:ffff::1"), password=PASSWORD)
    assert tries(state, clock, Caller("2001:db8:1:3::1"), password=PASSWORD) == "ana"
    assert lockout.subjects_of(state, "ana", "2001:db8:1:3:a::b").address == "", "she is known in that network"


def test_an_address_of_ipv4_is_the_same_written_as_ipv6(state: State, ana: SignedIn) -> None:
    for address in (HERE.address, STRANGER.address):
        mapped = lockout.subjects_of(state, "ana", f"::ffff:{address}")
        assert mapped == lockout.subjects_of(state, "ana", address)
    assert lockout.subjects_of(state, "bob", "::ffff:127.0.0.1").address == ""


def test_many_attempts_at_once_get_no_further_than_one_by_one(
    state: State, clock: FakeClock, ana: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = passwords.is_right
    monkeypatch.setattr(passwords, "is_right", lambda password, kept: asked.append(password) or real(password, kept))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: tries(state, clock, STRANGER, password=f"guess {number}"), range(40)))
    assert len(asked) <= lockout.ACCOUNT_ATTEMPTS


def test_a_link_works_when_an_account_is_locked_out_and_ends_that(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    for _ in range(lockout.ACCOUNT_ATTEMPTS):
        tries(state, clock, STRANGER)
    link = reset(state, "ana", "boss", clock.now())
    assert use_link(state, secret_in(link), OTHER, "", STRANGER, clock.now()).account == "ana"
    assert tries(state, clock, THERE, password=OTHER) == "ana"


def test_a_link_works_once_for_a_day_and_makes_the_others_useless(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    first, second = (secret_in(reset(state, "ana", "boss", clock.now())) for _ in range(2))
    clock.advance(24 * 3_600 - 1)
    assert account_of(state, first, clock.now()) is not None
    assert account_of(state, first, clock.now()) is not None, "looking at it spends it"
    use_link(state, first, OTHER, "", HERE, clock.now())
    for secret in (first, second, "", "x", "é" * 500):
        with pytest.raises(SignInRefused):
            use_link(state, secret, PASSWORD, "", HERE, clock.now())
    late = secret_in(reset(state, "ana", "boss", clock.now()))
    clock.advance(24 * 3_600)
    with pytest.raises(SignInRefused):
        use_link(state, late, PASSWORD, "", HERE, clock.now())
    assert tries(state, clock, HERE, password=OTHER) == "ana"


def test_a_link_is_used_by_one_of_many_who_use_it_at_once(state: State, clock: FakeClock, ana: SignedIn) -> None:
    secret = secret_in(reset(state, "ana", "boss", clock.now()))

    def use(number: int) -> str:
        try:
            return use_link(state, secret, f"{OTHER} {number}", "", HERE, clock.now()).account
        except SignInRefused:
            return ""

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == ["", "", "", "ana"]


def test_a_refused_password_does_not_spend_the_link(state: State, clock: FakeClock, ana: SignedIn) -> None:
    secret = secret_in(reset(state, "ana", "boss", clock.now()))
    with pytest.raises(ChangeRejected) as refused:
        use_link(state, secret, "password1234", "", HERE, clock.now())
    assert "password" in refused.value.fields
    assert use_link(state, secret, OTHER, "", HERE, clock.now()).account == "ana"


@pytest.fixture
def signed(state: State, clock: FakeClock, tmp_path: object) -> Signed:
    return Signed(state, Settings(data_dir=tmp_path), clock)


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(clock: FakeClock, ana: SignedIn, signed: Signed) -> None:
    assert signed.who(ana.secret) is not None
    clock.advance(12 * 3_600 - 61)
    assert signed.who(ana.secret) is not None
    clock.advance(12 * 3_600)
    assert signed.who(ana.secret) is None


def test_a_session_that_is_used_all_the_time_ends_after_a_week(clock: FakeClock, ana: SignedIn, signed: Signed) -> None:
    for _ in range(7 * 24 - 1):
        clock.advance(3_600)
        assert signed.who(ana.secret) is not None
    clock.advance(3_600)
    assert signed.who(ana.secret) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda state, ana, now: end_sessions(state, "ana", now, by="boss"),
        lambda state, ana, now: end_session(state, "ana", digest_of(ana.secret), now, by="ana"),
        lambda state, ana, now: disable(state, "ana", "boss", now),
        lambda state, ana, now: sign_out(state, "ana", Caller("10.0.0.7", secret=ana.secret), now),
        lambda state, ana, now: change_password(state, "ana", PASSWORD, OTHER, THERE, now),
        lambda state, ana, now: use_link(
            state, secret_in(reset(state, "ana", "boss", now)), OTHER, "", THERE, now
        ),
        lambda state, ana, now: sign_in(state, "boss2", OTHER, "", Caller("1.2.3.4", secret=ana.secret), now),
    ],
    ids=["everywhere", "one", "disabled", "signed out", "password changed", "reset", "somebody else in this browser"],
)  # fmt: skip
def test_a_session_that_is_ended_lets_nobody_in_a_moment_later(
    state: State, clock: FakeClock, ana: SignedIn, signed: Signed, end: Callable[[State, SignedIn, float], object]
) -> None:
    link = add_account(state, "boss2", Role.ADMIN, (), "test", clock.now())
    use_link(state, secret_in(link), OTHER, "", THERE, clock.now())
    assert signed.who(ana.secret) is not None
    end(state, ana, clock.now())
    clock.advance(KNOWN_SECONDS)
    assert signed.who(ana.secret) is None


def test_a_session_cannot_be_brought_along(state: State, clock: FakeClock, ana: SignedIn, signed: Signed) -> None:
    """Fixation: a secret that somebody else has put into the browser is neither taken over nor good for anything."""
    planted = Caller("10.0.0.7", secret="planted")
    who = sign_in(state, "ana", PASSWORD, "", planted, clock.now())
    assert who.secret not in ("planted", ana.secret)
    assert signed.who("planted") is None


def test_who_is_enabled_again_has_to_sign_in_again(
    state: State, clock: FakeClock, ana: SignedIn, signed: Signed
) -> None:
    disable(state, "ana", "boss", clock.now())
    enable(state, "ana", "boss", clock.now())
    clock.advance(KNOWN_SECONDS)
    assert signed.who(ana.secret) is None
    assert tries(state, clock, HERE, password=PASSWORD) == "ana"


def test_a_role_counts_a_moment_after_it_is_given(
    state: State, clock: FakeClock, ana: SignedIn, signed: Signed
) -> None:
    assert signed.who(ana.secret).viewer.role == Role.ANALYST  # type: ignore[union-attr]
    set_role(state, "ana", Role.VIEWER, "boss", clock.now())
    clock.advance(KNOWN_SECONDS)
    assert signed.who(ana.secret).viewer.role == Role.VIEWER  # type: ignore[union-attr]


def test_a_request_writes_at_most_once_a_minute(state: State, clock: FakeClock, ana: SignedIn, signed: Signed) -> None:
    began = clock.now()
    for _ in range(50):
        clock.advance(1)
        signed.who(ana.secret)
    assert sessions_of(state, "ana")[0].seen_at == began
    clock.advance(20)
    signed.who(ana.secret)
    assert sessions_of(state, "ana")[0].seen_at == clock.now()
    account = find_account(state, "ana")
    assert account is not None and account.seen_at == clock.now()


def test_a_session_is_looked_up_while_another_process_writes(
    state: State, clock: FakeClock, ana: SignedIn, signed: Signed
) -> None:
    with state.begin():
        assert signed.who(ana.secret) is not None


def test_the_only_admin_stays_one(state: State, clock: FakeClock, ana: SignedIn) -> None:
    for change in (
        lambda: disable(state, "boss", "ana", clock.now()),
        lambda: set_role(state, "boss", Role.VIEWER, "ana", clock.now()),
    ):
        with pytest.raises(ChangeRejected) as refused:
            change()
        assert "only admin" in str(refused.value)
    boss = find_account(state, "boss")
    assert boss is not None and boss.role == Role.ADMIN and not boss.is_disabled


def test_an_account_is_limited_to_portfolios_that_there_are(state: State, clock: FakeClock, ana: SignedIn) -> None:
    put_portfolios(state, [Portfolio("own", "macro", "Global Macro")])
    set_portfolios(state, "ana", ["Global Macro"], "boss", clock.now())
    account = find_account(state, "ana")
    assert account is not None and account.portfolios == ("macro",)
    assert viewer_for(account, Settings()).portfolios == {"macro"}
    with pytest.raises(ChangeRejected) as refused:
        set_portfolios(state, "ana", ["macr"], "boss", clock.now())
    assert "did you mean macro?" in refused.value.fields["portfolios"]
    with pytest.raises(ChangeRejected):
        set_role(state, "ana", Role.ADMIN, "boss", clock.now())


@pytest.mark.parametrize("name", ["", "local", "a b", "ana", "<script>", "ä", "x" * 65, "-x"])
def test_a_name_that_cannot_be_is_refused_by_its_field(
    state: State, clock: FakeClock, ana: SignedIn, name: str
) -> None:
    with pytest.raises(ChangeRejected) as refused:
        add_account(state, name, Role.VIEWER, (), "boss", clock.now())
    assert "name" in refused.value.fields


def test_a_password_is_changed_by_who_knows_the_old_one(state: State, clock: FakeClock, ana: SignedIn) -> None:
    for old, new, field in (("wrong", OTHER, "old"), (PASSWORD, "short", "password"), (PASSWORD, PASSWORD, "password")):
        with pytest.raises(ChangeRejected) as refused:
            change_password(state, "ana", old, new, HERE, clock.now())
        assert field in refused.value.fields
    change_password(state, "ana", PASSWORD, OTHER, HERE, clock.now())
    assert tries(state, clock, HERE, password=OTHER) == "ana"


@pytest.fixture(params=["a link is used", "disabled"])
def ends_meanwhile(
    request: pytest.FixtureRequest, state: State, clock: FakeClock, ana: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[bool]:
    """While a password is compared the account gets another one, or is disabled; give whether it is the first."""
    real, link = passwords.is_right, secret_in(reset(state, "ana", "boss", clock.now()))

    def compared(password: str, kept: str) -> bool:
        is_right = real(password, kept)
        monkeypatch.setattr(passwords, "is_right", real)
        if request.param == "disabled":
            disable(state, "ana", "boss", clock.now())
        else:
            use_link(state, link, OTHER, "", THERE, clock.now())
        return is_right

    monkeypatch.setattr(passwords, "is_right", compared)
    yield request.param != "disabled"


@pytest.mark.parametrize("is_old", [False, True])
def test_a_sign_in_does_not_outlive_what_ended_the_password(
    state: State, clock: FakeClock, ends_meanwhile: bool, is_old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "is_old", lambda kept: is_old)
    assert tries(state, clock, HERE, password=PASSWORD) == "Name, password or code is not right."
    assert read_entries(state)[0].detail == "changed meanwhile"
    assert len(sessions_of(state, "ana")) == ends_meanwhile
    enable(state, "ana", "boss", clock.now())
    assert tries(state, clock, HERE, password=OTHER if ends_meanwhile else PASSWORD) == "ana"


def test_a_change_of_the_password_does_not_outlive_a_reset(
    state: State, clock: FakeClock, ends_meanwhile: bool
) -> None:
    with pytest.raises(ChangeRejected) as refused:
        change_password(state, "ana", PASSWORD, "third of many words", HERE, clock.now())
    assert "old" in refused.value.fields
    enable(state, "ana", "boss", clock.now())
    assert tries(state, clock, HERE, password=OTHER if ends_meanwhile else PASSWORD) == "ana"


def test_a_reset_between_the_comparison_and_the_new_password_holds(
    state: State, clock: FakeClock, ana: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, link = passwords.hashed, secret_in(reset(state, "ana", "boss", clock.now()))

    def made(password: str) -> str:
        monkeypatch.setattr(passwords, "hashed", real)
        use_link(state, link, OTHER, "", THERE, clock.now())
        return real(password)

    monkeypatch.setattr(passwords, "hashed", made)
    with pytest.raises(ChangeRejected):
        change_password(state, "ana", PASSWORD, "third of many words", HERE, clock.now())
    assert tries(state, clock, HERE, password=OTHER) == "ana"


def test_a_wrong_old_password_is_no_refused_sign_in(state: State, clock: FakeClock, ana: SignedIn) -> None:
    with pytest.raises(ChangeRejected):
        change_password(state, "ana", "wrong", OTHER, HERE, clock.now())
    last = read_entries(state)[0]
    assert (last.who, last.what, last.outcome, last.detail) == (
        "ana", "password change refused", "refused", "wrong password",
    )  # fmt: skip


def test_whether_a_new_password_is_good_is_told_to_who_knows_the_old_one(
    state: State, clock: FakeClock, ana: SignedIn
) -> None:
    with pytest.raises(ChangeRejected) as refused:
        change_password(state, "ana", "wrong", "short", HERE, clock.now())
    assert set(refused.value.fields) == {"old"}


def test_a_sign_in_counts_as_being_here(state: State, clock: FakeClock, ana: SignedIn) -> None:
    account = find_account(state, "ana")
    assert account is not None and account.seen_at == clock.now()
    clock.advance(7)
    sign_in(state, "ana", PASSWORD, "", HERE, clock.now())
    account = find_account(state, "ana")
    assert account is not None and account.seen_at == clock.now()


def test_no_name_whatever_its_characters_is_an_error_of_the_database(postgres_url: str, clock: FakeClock) -> None:
    with closing(fresh_postgres(postgres_url)) as state:
        for name in ("a\x00na", "\x00", "ana\x07", "\ud800", "x" * 10_000):
            assert tries(state, clock, HERE, name) == "Name, password or code is not right."


def test_the_first_start_makes_an_admin_and_a_link_until_a_password_is_set(state: State, tmp_path: object) -> None:
    settings = Settings(data_dir=tmp_path)
    first, again = first_link(state, settings, 1_000.0), first_link(state, settings, 2_000.0)
    assert first and again and first != again
    assert use_link(state, secret_in(first), PASSWORD, "", HERE, 3_000.0).account == "admin"
    assert first_link(state, settings, 4_000.0) == ""
    admin = find_account(state, "admin")
    assert admin is not None and admin.role == Role.ADMIN


def test_a_password_in_the_settings_is_taken_once(state: State, tmp_path: object) -> None:
    def given(password: str) -> Settings:
        return Settings.model_validate({"data_dir": tmp_path, "admin_password": password})

    with pytest.raises(StartError) as refused:
        first_link(state, given("short"), 1_000.0)
    assert "FUNDWATCH_ADMIN_PASSWORD" in str(refused.value)
    assert first_link(state, given(PASSWORD), 1_000.0) == ""
    assert first_link(state, given(OTHER), 2_000.0) == ""
    assert sign_in(state, "admin", PASSWORD, "", HERE, 3_000.0).account == "admin"
