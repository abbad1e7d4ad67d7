"""The first start: nobody could sign in yet, so an admin is made and a link is told to whoever started Fundwatch."""

from __future__ import annotations

from access import passwords
from access.audit import record_in
from access.links import new_link
from core.errors import StartError
from core.roles import Role
from core.settings.model import Settings
from storage.state.accounts import account_in, accounts_in, change_account, insert_account
from storage.state.database import State, Transaction

ADMIN = "admin"
AT_A_START = "(start)"
"""Who did it, as the audit has it."""


def first_link(state: State, settings: Settings, now: float) -> str:
    """Return the path of a new link for the account admin, which is made where there is no account at all.

    Empty: somebody has a password already, or the settings give admin one; that is taken only when admin is made.
    Raises StartError when that password is refused; StorageUnavailable.
    """
    given = settings.admin_password.get_secret_value()
    with state.deciding_accounts() as connection:
        if not accounts_in(connection):
            _make_admin(connection, given, now)
        if any(each.has_password and not each.is_disabled for each in accounts_in(connection)):
            return ""
        admin = account_in(connection, ADMIN)
        return new_link(connection, ADMIN, AT_A_START, now) if admin is not None and not admin.is_disabled else ""


def _make_admin(connection: Transaction, password: str, now: float) -> None:
    if not insert_account(connection, ADMIN, Role.ADMIN, (), AT_A_START, now):
        return
    if password:
        if wrong := passwords.what_is_wrong(password, ADMIN):
            raise StartError(f"FUNDWATCH_ADMIN_PASSWORD: {wrong}")
        change_account(connection, ADMIN, password=passwords.hashed(password), password_at=now)
    record_in(connection, who=AT_A_START, what="account added", target=ADMIN, detail=Role.ADMIN.word, at=now)
