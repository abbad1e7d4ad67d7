"""Who guesses passwords waits, longer each time: counted by account and by address, in the state database.

An attempt is counted as failed before its password is looked at, so that many at once get no further than one by one.
While somebody waits nothing is counted: waits end. A stranger's guesses do not lock out a person at an address from
which he has signed in before, and a one-time link works at any time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from core.settings.binding import address_of, is_loopback
from storage.state.database import State, Transaction
from storage.state.failed_sign_ins import (
    Failures,
    count_attempt,
    failures_of,
    forget_failures,
    take_back,
)
from storage.state.sessions import known_addresses

ACCOUNT_ATTEMPTS, ADDRESS_ATTEMPTS = 5, 20
"""That may fail in a row before the next one has to wait."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 15.0, 900.0
ONE_SITE_BITS = 64
"""Of an address of IPv6 those that are counted: the rest is chosen freely by whoever has one such network."""
FORGET_SECONDS = 3_600.0
"""After the last one that failed, nothing is held against anybody."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What an attempt is counted for. On this machine everybody has the same address: there it is not counted.

    Nor is it where the account is known at it: whoever else guesses there does not lock its owner out.
    """

    account: str
    address: str
    """Empty: not counted."""

    @property
    def all(self) -> tuple[str, ...]:
        """Return both, or the one that counts."""
        return (self.account, self.address) if self.address else (self.account,)


def subjects_of(state: State, account: str, address: str) -> Subjects:
    """Return what an attempt to sign in to `account` from `address` is counted for; there may be no such account."""
    account, site = account[:64], site_of(address)
    if site in map(site_of, known_addresses(state, account)):
        return Subjects(f"{_own(account)}{site}", "")
    return Subjects(f"account {account}", "" if is_loopback(address) else f"address {site}")


def seconds_to_wait(state: State, subjects: Subjects, now: float) -> float:
    """Return for how long no attempt is looked at; 0: it may be made now."""
    return _wait(now, failures_of(state, subjects.all))


def begin_attempt(state: State, subjects: Subjects, now: float) -> float:
    """Count an attempt as failed, and return 0; or count nothing, and return the seconds to wait."""
    return count_attempt(state, subjects.all, now, partial(_wait, now), now - FORGET_SECONDS)


def attempt_succeeded(connection: Transaction, subjects: Subjects) -> None:
    """Take back that an attempt was counted, and forget those of its account that failed before it."""
    forget_failures(connection, [subjects.account])
    if subjects.address:
        take_back(connection, subjects.address)


def forgive(connection: Transaction, account: str) -> None:
    """Forget every attempt at an account that failed: it has another password now."""
    forget_failures(connection, [f"account {account}"], _own(account))


def wait_after(times: int, free: int) -> float:
    """Return the seconds to wait after so many attempts in a row failed of which the first `free` cost nothing."""
    return 0.0 if times < free else min(FIRST_WAIT_SECONDS * 2.0 ** min(times - free, 20), LONGEST_WAIT_SECONDS)


def site_of(address: str) -> str:
    """Return what is counted of an address: that of IPv4 whole, of one of IPv6 its network."""
    found = address_of(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), ONE_SITE_BITS), strict=False))
    return str(found or address)


def _wait(now: float, found: Mapping[str, Failures]) -> float:
    return max((_left(subject, failures, now) for subject, failures in found.items()), default=0.0)


def _left(subject: str, failures: Failures, now: float) -> float:
    wait = wait_after(failures.times, ADDRESS_ATTEMPTS if subject.startswith("address ") else ACCOUNT_ATTEMPTS)
    return max(0.0, min(wait, failures.last_at + wait - now))  # a clock that was put back makes no wait longer


def _own(account: str) -> str:
    return f"account {account} at "
