"""The accounts of people: who there is, what each may, and how that changes. Every change is written to the audit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from access import links
from access.viewer import ACTING_ROLE, LOCAL_NAME, Viewer
from core.errors import ChangeRejected
from core.roles import Role
from storage.state import accounts
from storage.state.accounts import Account, find_account
from storage.state.database import State
from storage.state.links import end_links
from storage.state.portfolios import list_portfolios
from storage.state.sessions import mark_ended

if TYPE_CHECKING:
    from core.settings.model import Settings

__all__ = ["Account", "find_account"]

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
ADMIN = "admin"
"""Name of the account that the first start makes."""
AT_THE_START = "first start"
"""Who made it, as the audit has it."""


def list_accounts(state: State) -> list[Account]:
    """Return every account by name. Raises StorageUnavailable."""
    return accounts.all_accounts(state)


def cleaned(name: str) -> str:
    """Return the name of an account as somebody typed it: capitals and blanks around it do not count."""
    return name.strip().lower()


def viewer_for(account: Account, settings: Settings) -> Viewer:
    """Return what an account may see and do under these settings."""
    may_act = settings.actions_enabled and account.role >= ACTING_ROLE
    return Viewer(account.name, account.role, may_act, frozenset(account.portfolios) if account.portfolios else None)


def add_account(
    state: State, name: str, role: Role, portfolios: Sequence[str], by: str, now: float, *, address: str = ""
) -> str:
    """Add an account and return the path of its one-time link, by which its owner chooses a password.

    Raises ChangeRejected with what is wrong with name or portfolios.
    """
    name = cleaned(name)
    if not NAME.fullmatch(name) or name == LOCAL_NAME:
        raise ChangeRejected(
            "Not added.", {"name": "Give 1 to 64 letters (a to z), digits or . _ - @ +, and not the name local."}
        )
    known = _known_portfolios(state, role, portfolios)
    if not accounts.insert_account(state, name, role, known, by, now):
        raise ChangeRejected("Not added.", {"name": f"There is an account {name} already: choose another name."})
    return links.new_link(state, name, by, now)


def set_role(state: State, name: str, role: Role, by: str, now: float, *, address: str = "") -> None:
    """Give an account another role. Raises ChangeRejected: no such account, the only admin, limited to portfolios."""
    account = _existing(state, name)
    if role == Role.ADMIN and account.portfolios:
        raise ChangeRejected("Not changed.", {"role": "An admin sees every portfolio: take the limit away first."})
    accounts.change_account(state, account.name, role=role.word)


def set_portfolios(
    state: State, name: str, portfolios: Sequence[str], by: str, now: float, *, address: str = ""
) -> None:
    """Limit an account to portfolios and those below them; none: it sees every one.

    Raises ChangeRejected: no such account, an unknown portfolio, an admin.
    """
    account = _existing(state, name)
    known = _known_portfolios(state, account.role, portfolios)
    accounts.change_account(state, account.name, portfolios=accounts.packed(known))


def disable(state: State, name: str, by: str, now: float, *, address: str = "") -> None:
    """Let an account in no more, and end its sessions and links. Raises ChangeRejected: no such account, the only admin."""
    account = _existing(state, name)
    accounts.change_account(state, account.name, is_disabled=True)
    mark_ended(state, account.name, now)
    end_links(state, account.name, now)


def enable(state: State, name: str, by: str, now: float, *, address: str = "") -> None:
    """Let an account in again, with the password that it had. Raises ChangeRejected: no such account."""
    account = _existing(state, name)
    accounts.change_account(state, account.name, is_disabled=False)


def reset(state: State, name: str, by: str, now: float, *, address: str = "") -> str:
    """Return the path of a one-time link by which somebody who forgot his password chooses another one.

    The password and the sessions from before end when it is used. Raises ChangeRejected: no such account, a disabled one.
    """
    account = _existing(state, name)
    if account.is_disabled:
        raise ChangeRejected(f"{account.name} is disabled.", {"name": "Enable the account first."})
    return links.new_link(state, account.name, by, now)


def _existing(state: State, name: str) -> Account:
    found = find_account(state, cleaned(name))
    if found is not None:
        return found
    near = difflib.get_close_matches(cleaned(name), [each.name for each in list_accounts(state)], n=1, cutoff=0.5)
    raise ChangeRejected(
        f"There is no account {name}.", {"name": f"Did you mean {near[0]}?" if near else "Look at the list."}
    )


def _known_portfolios(state: State, role: Role, asked: Sequence[str]) -> tuple[str, ...]:
    """Return ids of portfolios that were asked for by id or name. Raises ChangeRejected when one is unknown."""
    if not asked:
        return ()
    if role == Role.ADMIN:
        raise ChangeRejected("Not changed.", {"portfolios": "An admin sees every portfolio: choose another role."})
    there = {each.id: each.id for each in list_portfolios(state)}
    by_name = {each.name: each.id for each in list_portfolios(state)}
    unknown = [each for each in asked if each not in there and each not in by_name]
    if unknown:
        near = difflib.get_close_matches(unknown[0], [*there, *by_name], n=1, cutoff=0.4)
        way_out = f"did you mean {near[0]}?" if near else "give ids as the page Portfolios has them."
        raise ChangeRejected("Not changed.", {"portfolios": f"There is no portfolio {unknown[0]}: {way_out}"})
    return tuple(dict.fromkeys(there.get(each) or by_name[each] for each in asked))
