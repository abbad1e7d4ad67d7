"""The accounts of people: who there is, what each may, and how that changes. Every change is written to the audit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from access.audit import record_in
from access.links import new_link
from access.viewer import ACTING_ROLE, LOCAL_NAME, Viewer
from core.errors import ChangeRejected
from core.roles import Role
from storage.state.accounts import (
    Account,
    account_in,
    account_of_subject,
    accounts_in,
    change_account,
    find_account,
    has_admin,
    insert_account,
    packed,
)
from storage.state.database import State, Transaction
from storage.state.links import use_up_links
from storage.state.portfolios import portfolios_in
from storage.state.second_factors import take_away
from storage.state.sessions import mark_ended

if TYPE_CHECKING:
    from core.settings.model import Settings
    from core.settings.oidc import Oidc

__all__ = ["Account", "find_account"]

LONGEST_SUBJECT = 255
"""Characters of issuer and subject."""
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


def list_accounts(state: State) -> list[Account]:
    """Return every account by name. Raises StorageUnavailable."""
    with state.reading() as connection:
        return accounts_in(connection)


def cleaned(name: str) -> str:
    """Return the name of an account as somebody typed it: capitals and blanks around it do not count.

    Empty, which no account is called, where it has what cannot be printed: databases refuse some of that.
    """
    return name.strip().lower() if name.strip().isprintable() else ""


def viewer_for(account: Account, settings: Settings) -> Viewer:
    """Return what an account may see and do under these settings."""
    may_act = settings.actions_enabled and account.role >= ACTING_ROLE
    return Viewer(account.name, account.role, may_act, frozenset(account.portfolios) if account.portfolios else None)


def add_account(state: State, name: str, role: Role, portfolios: Sequence[str], by: str, now: float) -> str:
    """Add an account and return the path of its one-time link, by which its owner chooses a password.

    Raises ChangeRejected with what is wrong with name or portfolios.
    """
    name = cleaned(name)
    if not NAME.fullmatch(name) or name == LOCAL_NAME:
        raise ChangeRejected(
            "Not added.", {"name": "Give 1 to 64 letters (a to z), digits or . _ - @ +, and not the name local."}
        )
    with state.deciding_accounts() as connection:
        known = _known_portfolios(connection, role, portfolios, "Not added.")
        if not insert_account(connection, name, role, known, by, now):
            raise ChangeRejected("Not added.", {"name": f"There is an account {name}: choose another name."})
        detail = role.word + limited(known)
        record_in(connection, who=by, what="account added", target=name, detail=detail, at=now)
        return new_link(connection, name, by, now)


def set_role(state: State, name: str, role: Role, by: str, now: float) -> None:
    """Give an account another role.

    Raises ChangeRejected: no such account, the only admin, limited to portfolios, one of the OpenID provider.
    """
    with state.deciding_accounts() as connection:
        account = _made_here(connection, name)
        if role == Role.ADMIN and account.portfolios:
            raise ChangeRejected("Not changed.", {"role": "An admin sees every portfolio: take the limit away first."})
        change_account(connection, account.name, role=role.word)
        _keep_an_admin(connection, account)
        detail = f"{account.role.word} → {role.word}"
        record_in(connection, who=by, what="role changed", target=account.name, detail=detail, at=now)


def set_portfolios(state: State, name: str, portfolios: Sequence[str], by: str, now: float) -> None:
    """Limit an account to portfolios, by id or name, and those below them; none: it sees every one.

    Raises ChangeRejected: no such account, an unknown portfolio, an admin, one of the OpenID provider.
    """
    with state.deciding_accounts() as connection:
        account = _made_here(connection, name)
        known = _known_portfolios(connection, account.role, portfolios)
        change_account(connection, account.name, portfolios=packed(known))
        record_limits(connection, account, known, by, now)


def record_limits(connection: Transaction, account: Account, limits: Sequence[str], by: str, now: float) -> None:
    """Write to the audit that an account has other limits now than those it had."""
    detail = f"every portfolio{limited(account.portfolios)} → every portfolio{limited(limits)}"
    record_in(connection, who=by, what="portfolios changed", target=account.name, detail=detail, at=now)


def disable(state: State, name: str, by: str, now: float) -> None:
    """Let an account in no more, and end its sessions and links.

    Raises ChangeRejected: no such account, the only admin.
    """
    with state.deciding_accounts() as connection:
        account = _existing(connection, name)
        change_account(connection, account.name, is_disabled=True)
        _keep_an_admin(connection, account)
        mark_ended(connection, account.name, now)
        use_up_links(connection, account.name, now)
        record_in(connection, who=by, what="account disabled", target=account.name, at=now)


def enable(state: State, name: str, by: str, now: float) -> None:
    """Let an account in again, with the password that it had. Raises ChangeRejected: no such account."""
    with state.deciding_accounts() as connection:
        account = _existing(connection, name)
        change_account(connection, account.name, is_disabled=False)
        record_in(connection, who=by, what="account enabled", target=account.name, at=now)


def link(state: State, oidc: Oidc, name: str, subject: str, by: str, now: float) -> None:
    """Let an account sign in at the OpenID provider from now on, and no more here, as who has this subject there.

    Password, second factor, links and sessions end; the provider says the role at the next sign-in. Raises
    ChangeRejected: no such account, the only admin who signs in here, a subject that is another account's or cannot be
    kept, no provider.
    """
    refusal, whole = "Not linked.", oidc.subject_of(subject)
    if not oidc.is_on:
        raise ChangeRejected(refusal, {"subject": "There is no OpenID provider: set oidc first."})
    if not subject or not subject.isprintable() or len(whole) > LONGEST_SUBJECT:
        said = f"Give what the provider calls sub, {LONGEST_SUBJECT} characters at most with the issuer's."
        raise ChangeRejected(refusal, {"subject": said})
    with state.deciding_accounts() as connection:
        account, other = _existing(connection, name), account_of_subject(connection, whole)
        if other is not None:
            raise ChangeRejected(refusal, {"subject": f"It is that of the account {other.name}."})
        change_account(connection, account.name, subject=whole, password="")
        take_away(connection, account.name)
        _keep_an_admin(connection, account)
        mark_ended(connection, account.name, now)
        use_up_links(connection, account.name, now)
        record_in(connection, who=by, what="account linked", target=account.name, detail=f"to {whole}", at=now)


def reset(state: State, name: str, by: str, now: float) -> str:
    """Return the path of a one-time link by which somebody who forgot his password chooses another one.

    The password and the sessions from before end when it is used. Raises ChangeRejected: no such account, a disabled
    one, or one of the OpenID provider.
    """
    with state.deciding_accounts() as connection:
        account = _made_here(connection, name)
        if account.is_disabled:
            raise ChangeRejected(f"{account.name} is disabled.", {"name": "Enable the account first."})
        record_in(connection, who=by, what="sign-in link made", target=account.name, at=now)
        return new_link(connection, account.name, by, now)


def _made_here(connection: Transaction, name: str) -> Account:
    """Return an account that signs in here. Raises ChangeRejected for one whose provider says what it may."""
    account = _existing(connection, name)
    if account.is_external:
        said = "Change its groups there; disabling works here too."
        raise ChangeRejected(f"{account.name} signs in at the OpenID provider, which says what it may.", {"name": said})
    return account


def _existing(connection: Transaction, name: str) -> Account:
    found = account_in(connection, cleaned(name))
    if found is not None:
        return found
    near = difflib.get_close_matches(cleaned(name), [each.name for each in accounts_in(connection)], n=1, cutoff=0.5)
    way_out = f"Did you mean {near[0]}?" if near else "Give a name as the list has it."
    raise ChangeRejected(f"There is no account {name[:80]}.", {"name": way_out})


def _keep_an_admin(connection: Transaction, account: Account) -> None:
    """Raise ChangeRejected when a change would leave nobody who signs in here and manages accounts."""
    if not account.is_external and not has_admin(connection):
        told = f"{account.name} is the only admin who signs in here."
        raise ChangeRejected(told, {"name": "Make somebody else an admin first."})


def _known_portfolios(
    connection: Transaction, role: Role, asked: Sequence[str], refusal: str = "Not changed."
) -> tuple[str, ...]:
    """Return ids of portfolios that were asked for by id or name.

    Raises ChangeRejected with `refusal` when one is unknown or the role has no limits.
    """
    if not asked:
        return ()
    if role == Role.ADMIN:
        raise ChangeRejected(refusal, {"portfolios": "An admin sees every portfolio: choose another role."})
    there = portfolios_in(connection)
    ids = {each.name: each.id for each in there} | {each.id: each.id for each in there}
    for each in asked:
        if each not in ids:
            near = difflib.get_close_matches(each, ids, n=1, cutoff=0.4)
            way_out = f"did you mean {near[0]}?" if near else "give ids as the page Portfolios has them."
            raise ChangeRejected(refusal, {"portfolios": f"There is no portfolio {each[:80]}: {way_out}"})
    return tuple(dict.fromkeys(ids[each] for each in asked))


def limited(portfolios: Sequence[str]) -> str:
    """Return what the audit says of limits behind what they limit."""
    return f", only {', '.join(portfolios)}" if portfolios else ""
