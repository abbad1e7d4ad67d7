"""Signing in: by name and password, or by a one-time link; and choosing another password.

What is answered to somebody who is not let in does not depend on whether there is such an account, and takes as long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from access import lockout, passwords, second_factor
from access.accounts import cleaned
from access.audit import Outcome, record, record_in
from access.links import account_in_of, account_of
from access.secrets import digest_of
from access.sessions import start_session
from core.errors import ChangeRejected, SignInRefused
from core.format import duration
from storage.state.accounts import Account, change_account, find_account, holds_password, password_hash
from storage.state.database import State, Transaction
from storage.state.links import use_up_links
from storage.state.sessions import mark_digest_ended, mark_ended

NOBODY = "(nobody)"
"""Who did it, as the audit has it, where no account is known. What was typed is not kept: it may be a password."""
NOT_RIGHT = "Name, password or code is not right."
NOT_YOURS = "This is not your password."
CHANGED_MEANWHILE = "changed meanwhile"
NO_LINK = "This link was used already, or it has expired. Ask an admin for another one."


@dataclass(frozen=True, slots=True)
class Caller:
    """From where somebody asks."""

    address: str
    agent: str = ""
    secret: str = ""
    """Of the session that the browser has already; empty: none. It ends when another one begins."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who was let in, and the secret of the session."""

    account: str
    secret: str


def sign_in(state: State, name: str, password: str, code: str, caller: Caller, now: float) -> SignedIn:
    """Let somebody in who knows the password of an account, and the code of its second factor where it has one.

    Raises SignInRefused; StorageUnavailable.
    """
    name = cleaned(name)
    subjects = lockout.subjects_of(state, name, caller.address)
    _refuse_who_waits(lockout.seconds_to_wait(state, subjects, now))
    with passwords.at_the_door():
        _refuse_who_waits(lockout.begin_attempt(state, subjects, now))
        account, kept = find_account(state, name), password_hash(state, name)
        is_right = passwords.is_right(password, kept)
        renewed = passwords.hashed(password) if is_right and passwords.is_old(kept) else ""
    why = _why_not(state, account, is_right, code, caller, now)
    if why or account is None:
        _tell_refused(state, account, why, subjects, caller, now)
        raise SignInRefused(NOT_RIGHT)
    with state.begin() as connection:
        if holds_password(connection, account.name, kept):
            lockout.attempt_succeeded(connection, subjects)
            if renewed:
                change_account(connection, name, password=renewed)
            return let_in(connection, account.name, "signed in", caller, now)
    _tell_refused(state, account, CHANGED_MEANWHILE, subjects, caller, now)
    raise SignInRefused(NOT_RIGHT)


def use_link(state: State, secret: str, password: str, code: str, caller: Caller, now: float) -> SignedIn:
    """Set the password of a link's account, end its sessions from before and let its owner in; the link is used up.

    Raises SignInRefused when the link does not work or the code of the second factor is wrong, ChangeRejected when the
    password is refused; StorageUnavailable.
    """
    account = account_of(state, secret, now)
    if account is None or account.is_external:
        raise SignInRefused(NO_LINK)
    if wrong := passwords.what_is_wrong(password, account.name):
        raise ChangeRejected("The password is not set.", {"password": wrong})
    subjects = lockout.Subjects(f"link {account.name}", "")
    if account.has_second_factor:
        _refuse_who_waits(lockout.begin_attempt(state, subjects, now))
        if why := _why_not(state, account, True, code, caller, now):
            _tell_refused(state, account, why, subjects, caller, now)
            raise SignInRefused("The code is not right.")
    with passwords.at_the_door():
        kept = passwords.hashed(password)
    with state.begin() as connection:
        change_account(connection, account.name, password=kept, password_at=now)  # first: who compares one waits for it
        if account_in_of(connection, secret, now) is None:
            raise SignInRefused(NO_LINK)
        lockout.attempt_succeeded(connection, subjects)
        lockout.forgive(connection, account.name)
        use_up_links(connection, account.name, now)
        mark_ended(connection, account.name, now)
        return let_in(connection, account.name, "signed in by link", caller, now)


def check_password(state: State, name: str, password: str, caller: Caller, now: float, *, refused: str) -> str:
    """Return the hash of the password of who is signed in, which it has to be.

    refused: what the audit says where it is not. Raises ChangeRejected then, SignInRefused after too many wrong ones.
    """
    subjects = lockout.subjects_of(state, name, caller.address)
    with passwords.at_the_door():
        _refuse_who_waits(lockout.begin_attempt(state, subjects, now))
        kept = password_hash(state, name)
        is_right = passwords.is_right(password, kept)
    why = "" if is_right else "wrong password"
    if is_right:
        with state.begin() as connection:
            if holds_password(connection, name, kept):
                lockout.attempt_succeeded(connection, subjects)
                return kept
        why = CHANGED_MEANWHILE
    _tell_refused(state, find_account(state, name), why, subjects, caller, now, what=refused)
    raise ChangeRejected("Not done.", {"old": NOT_YOURS})


def change_password(state: State, name: str, old: str, new: str, caller: Caller, now: float) -> SignedIn:
    """Set another password for who is signed in; the sessions elsewhere end, and this one gets another secret.

    Raises ChangeRejected that names the field, SignInRefused when the old one was wrong too often; StorageUnavailable.
    """
    compared = check_password(state, name, old, caller, now, refused="password change refused")
    if wrong := passwords.what_is_wrong(new, name):
        raise ChangeRejected("The password is not changed.", {"password": wrong})
    if old == new:
        raise ChangeRejected("The password is not changed.", {"password": "Choose another one than before."})
    with passwords.at_the_door():
        kept = passwords.hashed(new)
    with state.begin() as connection:
        if not holds_password(connection, name, compared):
            raise ChangeRejected("The password is not changed.", {"old": NOT_YOURS})
        change_account(connection, name, password=kept, password_at=now)
        use_up_links(connection, name, now)
        mark_ended(connection, name, now)
        return let_in(connection, name, "password changed", caller, now)


def sign_out(state: State, name: str, caller: Caller, now: float) -> None:
    """End the session of a browser."""
    with state.begin() as connection:
        mark_digest_ended(connection, digest_of(caller.secret), now)
        record_in(connection, who=name, what="signed out", target=name, address=caller.address, at=now)


def let_in(connection: Transaction, name: str, what: str, caller: Caller, now: float) -> SignedIn:
    """Begin a session of an account in place of the one that the browser had. what: as the audit says it."""
    if caller.secret:
        mark_digest_ended(connection, digest_of(caller.secret), now)
    secret = start_session(connection, name, now, caller.address, caller.agent)
    change_account(connection, name, seen_at=now)
    record_in(connection, who=name, what=what, target=name, address=caller.address, at=now)
    return SignedIn(name, secret)


def _why_not(state: State, account: Account | None, is_right: bool, code: str, caller: Caller, now: float) -> str:
    """Return why somebody is not let in, for the audit; empty: he is."""
    if account is None:
        return "no such account"
    if not is_right:
        return "wrong password"
    if account.is_disabled:
        return "account disabled"
    if account.has_second_factor and not second_factor.verify(state, account.name, code, now, address=caller.address):
        return "wrong code" if code else "no code"
    return ""


def _refuse_who_waits(seconds: float) -> None:
    if seconds > 0:
        raise SignInRefused(f"Too many attempts failed. Try again in {duration(math.ceil(seconds))}.", seconds)


def _tell_refused(
    state: State,
    account: Account | None,
    why: str,
    subjects: lockout.Subjects,
    caller: Caller,
    now: float,
    what: str = "sign-in refused",
) -> None:
    """Write to the audit what was refused to somebody, and that he has to wait where that begins now."""
    who = account.name if account else NOBODY
    tell = partial(record, state, who=who, target=who, address=caller.address, outcome=Outcome.REFUSED, at=now)
    tell(what=what, detail=why)
    if seconds := lockout.seconds_to_wait(state, subjects, now):
        tell(what="locked out", detail=f"for {duration(seconds)}")
