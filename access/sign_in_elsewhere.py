"""Signing in as somebody whom the OpenID provider has told: the account is made at the first time.

The provider says role and portfolios by its groups, anew at each sign-in, and asks for its own second factor. An
account that was made here is nobody else's, whatever name the provider tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.accounts import NAME, cleaned, limited, record_limits
from access.audit import Outcome, record, record_in
from access.sign_in import NOBODY, Caller, SignedIn, let_in
from access.tokens import revoke_all
from access.viewer import LOCAL_NAME
from core.errors import SignInRefused
from core.roles import Role
from storage.state.accounts import (
    Account,
    account_in,
    account_of_subject,
    change_account,
    insert_account,
    packed,
)
from storage.state.database import State, Transaction
from storage.state.sessions import mark_ended

if TYPE_CHECKING:
    from access.provider import Identity
    from core.settings.oidc import Oidc

PROVIDER = "(provider)"
"""Who did it, as the audit has it."""


def sign_in_as(state: State, oidc: Oidc, identity: Identity, caller: Caller, now: float) -> SignedIn:
    """Let somebody in whom the provider has told, with the role that his groups have now.

    Raises SignInRefused, which says why and is written to the audit: no group has a role (sessions and tokens end
    then), the account is disabled, or its name cannot be had; StorageUnavailable.
    """
    role, portfolios = oidc.role_of(identity.groups), oidc.portfolios_of(identity.groups)
    refused = ""
    with state.deciding_accounts() as connection:
        account = account_of_subject(connection, identity.subject)
        if role is None:
            refused = "You are in none of the groups that may sign in here: ask an admin."
            if account is not None:
                _take_away(connection, account, now)
        elif account is not None and account.is_disabled:
            refused = f"The account {account.name} is disabled: ask an admin."
        else:
            limits = () if role == Role.ADMIN else portfolios
            name = cleaned(identity.name) if account is None else account.name
            refused = _why_no_account(connection, oidc, name, identity.name) if account is None else ""
            if not refused:
                _keep(connection, account, name, role, limits, identity, now)
                return let_in(connection, name, "signed in at the provider", caller, now)
    who = account.name if account is not None else NOBODY
    record(
        state, who=who, what="sign-in refused", target=who, address=caller.address, outcome=Outcome.REFUSED,
        detail=f"at the provider: {refused} Subject: {identity.subject}", at=now,
    )  # fmt: skip
    raise SignInRefused(refused)


def tell_not_believed(state: State, why: str, caller: Caller, now: float) -> None:
    """Write to the audit that an answer of the provider was not believed, and why."""
    record(
        state, who=NOBODY, what="sign-in refused", target=NOBODY, address=caller.address, outcome=Outcome.REFUSED,
        detail=f"at the provider: {why}", at=now,
    )  # fmt: skip


def _why_no_account(connection: Transaction, oidc: Oidc, name: str, told: str) -> str:
    """Return why no account of this name can be made; empty: it can."""
    if not NAME.fullmatch(name) or name == LOCAL_NAME:
        return f"The provider calls you {told[:80]!r}, which cannot be the name of an account here: ask an admin."
    there = account_in(connection, name)
    if there is None:
        return ""
    if not there.is_external:
        return f"There is an account {name} here that is not the provider's: ask whoever runs Fundwatch to link it."
    if not oidc.is_of(there.subject):
        return f"The account {name} is that of another provider: ask whoever runs Fundwatch to link it to this one."
    return f"The account {name} is that of another person at the provider: ask an admin there for another name."


def _keep(
    connection: Transaction, account: Account | None, name: str, role: Role, limits: tuple[str, ...],
    identity: Identity, now: float,
) -> None:  # fmt: skip
    """Make the account, or give it role and portfolios as they are now; each change is written to the audit."""
    if account is None:
        insert_account(connection, name, role, limits, PROVIDER, now)
        change_account(connection, name, subject=identity.subject)
        record_in(
            connection, who=PROVIDER, what="account added", target=name, detail=role.word + limited(limits), at=now
        )
        return
    _give_role(connection, account, role, now)
    if account.portfolios != limits:
        change_account(connection, name, portfolios=packed(limits))
        record_limits(connection, account, limits, PROVIDER, now)


def _give_role(connection: Transaction, account: Account, role: Role, now: float) -> None:
    if account.role == role:
        return
    change_account(connection, account.name, role=role.word)
    detail = f"{account.role.word} → {role.word}"
    record_in(connection, who=PROVIDER, what="role changed", target=account.name, detail=detail, at=now)


def _take_away(connection: Transaction, account: Account, now: float) -> None:
    """Leave an account nothing that lets anybody in, and the least role."""
    mark_ended(connection, account.name, now)
    revoke_all(connection, account.name, by=PROVIDER, now=now)
    _give_role(connection, account, Role.VIEWER, now)
