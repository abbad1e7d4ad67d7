"""Second factors as they are kept: a secret an account, the last step that was used, and digests of recovery codes."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from storage.state.access_tables import accounts, recovery_codes
from storage.state.database import State, Transaction


def offer_secret(connection: Transaction, account: str, secret: str, now: float) -> bool:
    """Keep a secret that is shown to an account, beside the one in force; return whether there is such an account."""
    offered = {"second_factor_offered": secret, "second_factor_offered_at": now, "second_factor_wrong": 0}
    change = sa.update(accounts).where(_is(account)).values(**offered)
    return bool(connection.execute(change).rowcount)


def offered_secret(connection: Transaction, account: str, since: float) -> tuple[str, int]:
    """Return the secret that was shown last, after `since`, and not confirmed, with how many codes were wrong.

    Empty: none. Who asks for it after this waits for the end of the transaction.
    """
    columns = accounts.c.second_factor_offered, accounts.c.second_factor_wrong
    offered = _is(account) & (accounts.c.second_factor_offered_at > since)
    row = connection.execute(sa.select(*columns).where(offered).with_for_update()).first()
    return (row.second_factor_offered, row.second_factor_wrong) if row else ("", 0)


def keep_wrong(connection: Transaction, account: str, wrong: int) -> None:
    """Keep how many codes of the secret that was shown were wrong."""
    connection.execute(sa.update(accounts).where(_is(account)).values(second_factor_wrong=wrong))


def secret_of(connection: Transaction, account: str) -> str:
    """Return the secret in force; empty: no second factor."""
    return str(connection.execute(sa.select(accounts.c.second_factor).where(_is(account))).scalar() or "")


def put_in_force(connection: Transaction, account: str, secret: str, step: int, codes: Sequence[str]) -> None:
    """Put a secret in force, with the step whose code confirmed it and the digests of its recovery codes."""
    values = {"second_factor": secret, "second_factor_offered": "", "second_factor_step": step}
    connection.execute(sa.update(accounts).where(_is(account)).values(**values))
    connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.account == account))
    if codes:
        connection.execute(sa.insert(recovery_codes), [{"digest": each, "account": account} for each in codes])


def use_step(connection: Transaction, account: str, secret: str, step: int) -> bool:
    """Use up a step and those before it; return whether it was not used up yet."""
    which = _is(account) & (accounts.c.second_factor == secret) & (accounts.c.second_factor_step < step)
    return bool(connection.execute(sa.update(accounts).where(which).values(second_factor_step=step)).rowcount)


def use_code(connection: Transaction, account: str, digest: str, now: float) -> bool:
    """Use up a recovery code; return whether it was an unused one of the account."""
    mine = (recovery_codes.c.digest == digest) & (recovery_codes.c.account == account) & (recovery_codes.c.used_at == 0)
    return bool(connection.execute(sa.update(recovery_codes).where(mine).values(used_at=now)).rowcount)


def unused_codes(state: State, account: str) -> int:
    """Return how many recovery codes are left to an account. Raises StorageUnavailable."""
    mine = (recovery_codes.c.account == account) & (recovery_codes.c.used_at == 0)
    with state.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one())


def take_away(connection: Transaction, account: str) -> bool:
    """Remove an account's second factor and its recovery codes; return whether it had one."""
    had = bool(secret_of(connection, account))
    put_in_force(connection, account, "", 0, ())
    return had


def _is(account: str) -> sa.ColumnElement[bool]:
    return accounts.c.name == account
