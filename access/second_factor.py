"""The second factor of an account: a code of six digits that an app makes from a shared secret every 30 seconds.

TOTP, RFC 6238, with pyotp; a code works once (section 5.2), and one step of 30 s early or late. Recovery codes stand in
for an app that is lost: 80 random bits each, kept as digests, each good for once.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pyotp
import segno
from pyotp.utils import strings_equal

from access.audit import record_in
from core.errors import ChangeRejected
from core.roles import Role
from storage.state.database import State, Transaction
from storage.state.second_factors import (
    keep_wrong,
    offer_secret,
    offered_secret,
    put_in_force,
    secret_of,
    take_away,
    unused_codes,
    use_code,
    use_step,
)

if TYPE_CHECKING:
    from core.settings.model import Settings

__all__ = ["unused_codes"]

ISSUER = "Fundwatch"
STEP_SECONDS = 30
DIGITS = 6
TOLERATED_STEPS = 1
"""Steps that an app's clock may be early or late."""
OFFERED_SECONDS, MOST_WRONG = 900.0, 5
"""For how long a secret that was shown may be confirmed, and how many wrong codes end that earlier."""
START_ANEW = "Too many codes were wrong, or it took too long: start anew."
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
RECOVERY_CHARACTERS = 16
PERSON = b"fundwatch recov"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is shown to set a second factor up. Nothing is in force until `confirm` has seen a code of it."""

    secret: str
    """In base32, to be typed where nothing can be scanned."""
    url: str
    """otpauth://…, which opens an app on the same device."""
    svg: str
    """The same as a QR code: an inline SVG, dark on light whatever the theme, or apps cannot read it."""


def must_have(settings: Settings, role: Role) -> bool:
    """Return whether the settings want a second factor of everybody of a role."""
    return role.word in settings.second_factor_roles


def start(state: State, name: str, now: float) -> Setup:
    """Return a new secret for an account; the one in force, if any, stays until the new one is confirmed.

    It may be confirmed within OFFERED_SECONDS. Raises ChangeRejected when there is no such account, StorageUnavailable.
    """
    secret = pyotp.random_base32()
    with state.begin() as connection:
        if not offer_secret(connection, name, secret, now):
            raise ChangeRejected(f"There is no account {name}.", {"name": "sign in to an account first"})
    return _setup(name, secret)


def offered(state: State, name: str, now: float) -> Setup | None:
    """Return what `start` did last, for as long as it may be confirmed; None: start anew. Raises StorageUnavailable."""
    with state.begin() as connection:
        secret, _ = offered_secret(connection, name, now - OFFERED_SECONDS)
    return _setup(name, secret) if secret else None


def _setup(name: str, secret: str) -> Setup:
    url = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    return Setup(secret, url, _qr(url))


def confirm(state: State, name: str, code: str, now: float) -> tuple[str, ...]:
    """Put the secret that was shown last in force and return its recovery codes, which are shown once.

    code: what the app shows, so that nobody locks himself out. Raises ChangeRejected when it is not that; after
    MOST_WRONG of them, or OFFERED_SECONDS, the secret is forgotten.
    """
    codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
    with state.begin() as connection:
        secret, wrong = offered_secret(connection, name, now - OFFERED_SECONDS)
        step = _step_of(secret, _digits(code), now) if secret else None
        if step is not None:
            put_in_force(connection, name, secret, step, [_digest(each) for each in codes])
            record_in(connection, who=name, what="second factor set up", target=name, at=now)
            return codes
        if wrong + 1 >= MOST_WRONG:
            secret = ""
        if secret:
            keep_wrong(connection, name, wrong + 1)
        else:
            offer_secret(connection, name, "", 0.0)
    told = "This is not the code that the app shows now: look at the clock of that device." if secret else START_ANEW
    raise ChangeRejected("The second factor is not set up.", {"code": told})


def verify(state: State, name: str, code: str, now: float, *, address: str = "") -> bool:
    """Return whether a code, of the app or for recovery, lets an account in; it is used up by that.

    The code of an account without a second factor never does. Failed attempts are the caller's to count and to record.
    """
    with state.begin() as connection:
        secret = secret_of(connection, name)
        if not secret:
            return False
        digits = _digits(code)
        if len(digits) == DIGITS:
            step = _step_of(secret, digits, now)
            return step is not None and use_step(connection, name, secret, step)
        return _recovered(connection, name, code, now, address)


def remove(state: State, name: str, now: float, *, by: str = "") -> None:
    """Take the second factor of an account away, with its recovery codes. Without one it is harmless."""
    with state.begin() as connection:
        if take_away(connection, name):
            record_in(connection, who=by or name, what="second factor removed", target=name, at=now)


def _recovered(connection: Transaction, name: str, code: str, now: float, address: str) -> bool:
    if not use_code(connection, name, _digest(code), now):
        return False
    record_in(connection, who=name, what="recovery code used", target=name, address=address, at=now)
    return True


def _step_of(secret: str, digits: str, now: float) -> int | None:
    """Return the step whose code this is, of those that are near enough; None: of none. Each takes the same time."""
    totp, step_now = pyotp.TOTP(secret), int(now // STEP_SECONDS)
    steps = range(step_now - TOLERATED_STEPS, step_now + TOLERATED_STEPS + 1)
    right = [step for step in steps if strings_equal(digits, totp.generate_otp(step))]
    return right[-1] if right else None


def _digits(code: str) -> str:
    """Return a code as apps show it, without the gap in its middle; empty when it is none."""
    text = "".join(code.split())
    return text if text.isascii() and text.isdigit() else ""


def _new_recovery_code() -> str:
    text = b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + 4] for at in range(0, RECOVERY_CHARACTERS, 4))


def _digest(code: str) -> str:
    """Return what is kept of a recovery code, however it was typed: 64 hexadecimal digits."""
    plain = "".join(each for each in code.upper() if each.isalnum())
    return hashlib.blake2b(plain.encode(), digest_size=32, person=PERSON).hexdigest()


def _qr(url: str) -> str:
    out = BytesIO()
    segno.make_qr(url, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, scale=4, border=4, dark="#000", light="#fff", omitsize=True,
        title="QR code of the second factor",
    )  # fmt: skip
    return out.getvalue().decode()
