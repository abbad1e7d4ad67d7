"""Passwords: which are refused, and what is kept of those that are not."""

from __future__ import annotations

import threading

import pytest

from access import passwords
from core.errors import SignInRefused

GOOD = "violet kettle 81 moor"


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "PasswordPassword", "P4$$w0rdP4$$w0rd", "adminadmin2024!", "fundwatch-2025", "welcome-trader",
        "qwertyuiop123", "1qaz2wsx3edc4rfv", "abcdefghijklm", "000000000000", "abcabcabcabc", "123456789012",
        "letmeinletmein1", "TradingPassword99", "ana.smith2024ana.smith", "!@#$%^&*()_+",
    ],
)  # fmt: skip
def test_what_everybody_would_try_is_refused(password: str) -> None:
    assert "try this early" in passwords.what_is_wrong(password, "ana.smith")


@pytest.mark.parametrize(
    "password", [GOOD, "correct horse battery staple", "tX9#vq2!LmZr", "Grünkohl mit Pinkel 7", "ana likes old bridges"]
)
def test_what_nobody_else_has_is_taken(password: str) -> None:
    assert passwords.what_is_wrong(password, "ana") == ""


@pytest.mark.parametrize("length", [13, 41, 79, 80, 81, 121, 255, 256])
def test_a_repeat_is_seen_however_long_it_is(length: int) -> None:
    assert all(passwords.is_common((part * length)[:length]) for part in ("z", "zx", "z!x", "z!xk"))


def test_the_longest_password_is_looked_at_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, real = [], passwords._is_taken
    monkeypatch.setattr(passwords, "_is_taken", lambda part, words: looked.append(part) or real(part, words))
    assert passwords.what_is_wrong(("tX9#vq2!LmZr&k7" * 18)[: passwords.MOST_CHARACTERS], "ana") == ""
    assert len(looked) < 2 * passwords.MOST_CHARACTERS * passwords.LONGEST_RUN


def test_too_short_and_too_long_say_how_long() -> None:
    assert passwords.what_is_wrong("tX9#vq2!Lm", "ana") == "Choose at least 12 characters."
    assert passwords.what_is_wrong("é" * 257, "ana") == "Choose at most 256 characters."


def test_a_hash_is_of_its_password_however_accents_are_typed() -> None:
    kept = passwords.hashed("Grünkohl mit Pinkel")
    assert passwords.is_right("Gru\u0308nkohl mit Pinkel", kept)
    assert not passwords.is_right("Grunkohl mit Pinkel", kept)
    assert not passwords.is_old(kept)
    assert passwords.is_old(kept.replace("t=3", "t=1"))


def test_no_password_opens_an_account_without_one_and_comparing_costs_the_same() -> None:
    assert not passwords.is_right("nobody" * 9, "")  # what the hash for nobody was made of
    assert not passwords.is_right("x" * 10_000, passwords.hashed(GOOD))
    assert not passwords.is_right(GOOD, "no hash at all")
    assert not passwords.is_old(passwords.NOBODYS)


def test_few_passwords_are_compared_at_once_and_the_rest_is_sent_away() -> None:
    """Whoever floods the sign-in holds a few threads, and the others go on answering."""
    inside, leave = threading.Barrier(passwords.AT_ONCE + 1), threading.Event()

    def hold() -> None:
        with passwords.at_the_door():
            if not leave.is_set():
                inside.wait()
                leave.wait()

    holders = [threading.Thread(target=hold) for _ in range(passwords.AT_ONCE)]
    for each in holders:
        each.start()
    inside.wait()
    waiting = [threading.Thread(target=hold) for _ in range(passwords.MOST_AT_THE_DOOR - passwords.AT_ONCE)]
    for each in waiting:
        each.start()
    places = passwords._door._places
    while places.acquire(blocking=False):  # until those that wait have taken their places
        places.release()
    with pytest.raises(SignInRefused) as refused, passwords.at_the_door():
        pass
    assert "try again" in str(refused.value) and refused.value.wait_seconds
    leave.set()
    for each in [*holders, *waiting]:
        each.join()
    with passwords.at_the_door():
        pass
