"""Portfolios that accounts and tokens are limited to, once such a portfolio is gone.

Another one may get its id later, by a file or a person. So what stands in a limit then can be no id: it is seen by
nobody, and tells an admin what was there. It is not taken out, since a limit to nothing would be none.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from storage.state.access_tables import accounts, tokens
from storage.state.database import Transaction


def gone(id: str) -> str:
    """Return what stands in a limit for a portfolio that is gone: no id begins with a blank."""
    return f" {id} (gone)"


def forget_in_limits(connection: Transaction, id: str) -> None:
    """Let no limit of an account or a token mean whatever gets this id next."""
    for table, key in ((accounts, accounts.c.name), (tokens, tokens.c.id)):
        limited = sa.select(key, table.c.portfolios).where(table.c.portfolios != "")
        for name, text in connection.execute(limited).all():
            limits = json.loads(text)
            if id in limits:
                now = json.dumps([gone(each) if each == id else each for each in limits])
                connection.execute(sa.update(table).where(key == name).values(portfolios=now))
