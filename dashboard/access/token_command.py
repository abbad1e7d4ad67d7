"""`python -m dashboard.users token add|list|revoke`: tokens of services, from the machine that Fundwatch runs on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from access.tokens import SCOPES, Scope, list_tokens, make_token, revoke
from access.viewer import Viewer
from core.clock import DAY_SECONDS
from core.roles import Role

if TYPE_CHECKING:
    from storage.state.database import State
    from storage.state.tokens import Token

COMMAND_LINE = Viewer("command line", Role.ADMIN)
"""Who whoever may run commands on Fundwatch's machine is, in the audit too."""
TITLES = ("number", "for", "of", "scopes", "sees", "state", "last used")


def declare(parser: ArgumentParser) -> None:
    """Give the parser of `token` its sub-commands."""
    does = parser.add_subparsers(dest="token_does", required=True, metavar="add|list|revoke")
    add = does.add_parser("add", help="make a token for a service and print it, once")
    add.add_argument("name", help="what it is for")
    add.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        help="what it may, once for each; default: read. "
        + " ".join(f"{scope}: {told}" for scope, (_, _, told) in SCOPES.items()),
    )
    add.add_argument("--portfolio", action="append", default=[], help="id that it is limited to, once for each")
    add.add_argument("--days", type=int, default=365, help="after which it expires, 0: never; default: 365")
    does.add_parser("list", help="list every token, those of people too")
    does.add_parser("revoke", help="revoke a token").add_argument("id", type=int, help="its number in the list")


def run(said: Namespace, state: State, now: float, tell: Callable[[str], None] = print) -> int:
    """Do what was said and return the exit code, 0. Raises ChangeRejected, StorageUnavailable."""
    if said.token_does == "add":
        token, secret = make_token(
            state,
            name=said.name,
            account="",
            scopes=said.scope or [Scope.READ],
            portfolios=said.portfolio,
            expires_at=now + said.days * DAY_SECONDS if said.days else 0.0,
            by=COMMAND_LINE,
            now=now,
        )
        tell(f"Token {token.id} for {token.name}, kept nowhere and never shown again:\n{secret}")
    elif said.token_does == "revoke":
        tell(f"Token {said.id} for {revoke(state, said.id, by=COMMAND_LINE, now=now).name} revoked.")
    else:
        rows = [TITLES, *(_row(token, now) for token in list_tokens(state, COMMAND_LINE))]
        for line in aligned(rows):
            tell(line)
    return 0


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose first row are its headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(token: Token, now: float) -> tuple[str, ...]:
    is_expired = 0 < token.expires_at <= now
    state = "revoked" if token.revoked_at else "expired" if is_expired else f"expires {_day(token.expires_at)}"
    whose = token.account or "a service"
    sees = ", ".join(sorted(token.portfolios)) or ("every portfolio" if not token.account else "what its owner sees")
    return str(token.id), token.name, whose, ", ".join(sorted(token.scopes)), sees, state, _day(token.used_at)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else "never"
