"""The accounts of people, as they are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.roles import Role
from storage.state.access_tables import accounts
from storage.state.database import State, Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. What proves it, password and second factor, is not part of it."""

    name: str
    role: Role
    portfolios: tuple[str, ...]
    """Ids of the only portfolios that may be seen, with those below them; empty: every one."""
    is_disabled: bool
    has_password: bool
    has_second_factor: bool
    made_at: float
    made_by: str
    seen_at: float
    """When it was last here, epoch seconds, to the minute; 0: never."""
    subject: str = ""
    """Who it is at the OpenID provider where it signs in; empty: it signs in here."""

    @property
    def is_external(self) -> bool:
        """Whether it signs in at a provider, which says its role too, and has no password here."""
        return bool(self.subject)


def account_of(row: Any) -> Account:
    """Return the account of a row that has every column of the table."""
    return Account(
        row.name,
        Role[row.role.upper()],
        tuple(json.loads(row.portfolios or "[]")),
        bool(row.is_disabled),
        bool(row.password),
        bool(row.second_factor),
        row.made_at,
        row.made_by,
        row.seen_at,
        row.subject,
    )


def accounts_in(connection: Transaction) -> list[Account]:
    """Return every account by name."""
    return [account_of(row) for row in connection.execute(sa.select(accounts).order_by(accounts.c.name))]


def find_account(state: State, name: str) -> Account | None:
    """Return the account of this name; None: there is none. Raises StorageUnavailable."""
    with state.reading() as connection:
        return account_in(connection, name)


def password_hash(state: State, name: str) -> str:
    """Return the hash of an account's password; empty: there is no such account, or it has none yet."""
    with state.reading() as connection:
        return str(connection.execute(sa.select(accounts.c.password).where(accounts.c.name == name)).scalar() or "")


def account_in(connection: Transaction, name: str) -> Account | None:
    """Do what `find_account` does as part of a transaction."""
    row = connection.execute(sa.select(accounts).where(accounts.c.name == name)).first()
    return account_of(row) if row else None


def account_of_subject(connection: Transaction, subject: str) -> Account | None:
    """Return the account of who is this at an OpenID provider; None: there is none yet."""
    row = connection.execute(sa.select(accounts).where(accounts.c.subject == subject)).first()
    return account_of(row) if row else None


def holds_password(connection: Transaction, name: str, kept: str) -> bool:
    """Return whether an account is not disabled and its password still has this hash; both stay so till the end.

    Whoever changes the account waits for this transaction.
    """
    query = sa.select(accounts.c.password, accounts.c.is_disabled).where(accounts.c.name == name).with_for_update()
    row = connection.execute(query).first()
    return row is not None and row.password == kept and not row.is_disabled


def insert_account(
    connection: Transaction, name: str, role: Role, portfolios: Sequence[str], by: str, now: float
) -> bool:
    """Add an account without a password; return False when there is one of this name."""
    if account_in(connection, name) is not None:
        return False
    row = {"name": name, "role": role.word, "portfolios": packed(portfolios), "made_at": now, "made_by": by}
    connection.execute(sa.insert(accounts).values(**row))
    return True


def change_account(connection: Transaction, name: str, **values: Any) -> None:
    """Change columns of an account."""
    connection.execute(sa.update(accounts).where(accounts.c.name == name).values(**values))


def has_admin(connection: Transaction) -> bool:
    """Return whether there is an admin who is not disabled and signs in here: a provider may be switched off."""
    admin = (accounts.c.role == Role.ADMIN.word) & accounts.c.is_disabled.is_(False) & (accounts.c.subject == "")
    return connection.execute(sa.select(accounts.c.name).where(admin).limit(1)).first() is not None


def packed(portfolios: Sequence[str]) -> str:
    """Return ids of portfolios as the column has them."""
    return json.dumps(list(portfolios)) if portfolios else ""
