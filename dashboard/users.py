"""`python -m dashboard.users`: who may sign in, also while Fundwatch runs. It needs the state database alone."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from access import accounts, second_factor
from access.accounts import Account
from core.errors import FundwatchError, StartError
from core.log import configure
from core.roles import Role
from core.settings.load import load_settings
from core.settings.model import Settings
from dashboard.access import token_command
from dashboard.access.token_command import COMMAND_LINE, aligned
from storage.state.database import State

ROLES = [role.word for role in Role]
REFUSED, WRONG = 1, 2
"""Exit codes: what was asked for was refused, or cannot be asked for here."""


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        configure("ERROR")
        with _state(settings) as state:
            return _do(state, settings, chosen)
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return WRONG if isinstance(error, StartError) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m dashboard.users", description="Who may sign in, and what each may do.")
    does = parser.add_subparsers(dest="do", required=True)
    does.add_parser("list", help="list the accounts")
    added = does.add_parser("add", help="add an account; prints the link by which its owner chooses a password")
    added.add_argument("name", metavar="NAME")
    added.add_argument("--role", choices=ROLES, default=Role.VIEWER.word)
    added.add_argument(
        "--portfolio", action="append", default=[], metavar="ID", help="see only this and what is below it"
    )
    role = does.add_parser("role", help="give an account another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    limited = does.add_parser("portfolios", help="limit an account to portfolios; without any it sees every one")
    limited.add_argument("name", metavar="NAME")
    limited.add_argument("portfolio", nargs="*", metavar="ID")
    reset = does.add_parser("reset", help="print a link by which a password is chosen anew")
    reset.add_argument("name", metavar="NAME")
    reset.add_argument("--without-second-factor", action="store_true", help="and take the second factor away")
    for name, what in (("disable", "let nobody in any more, and end the sessions"), ("enable", "let in again")):
        does.add_parser(name, help=what).add_argument("name", metavar="NAME")
    linked = does.add_parser("link", help="let an account sign in at the OpenID provider, and no more here")
    linked.add_argument("name", metavar="NAME")
    linked.add_argument("--subject", required=True, metavar="SUB", help="who it is there: sub of its ID token")
    token_command.declare(does.add_parser("token", help="tokens of programs"))
    return parser


@contextmanager
def _state(settings: Settings) -> Iterator[State]:
    """Give the state database. Raises StartError when Fundwatch was never started on these settings."""
    with closing(State(settings.state_dsn)) as state:
        if state.file is not None and not state.file.exists():
            raise StartError(
                f"{state.file}: there is no state database yet; start Fundwatch once, or look at FUNDWATCH_DATA_DIR"
            )
        state.migrate()
        yield state


def _do(state: State, settings: Settings, chosen: argparse.Namespace) -> int:
    by, now = COMMAND_LINE.name, time.time()
    match chosen.do:
        case "token":
            return token_command.run(chosen, state, now)
        case "list":
            _list(accounts.list_accounts(state))
        case "add":
            link = accounts.add_account(state, chosen.name, Role[chosen.role.upper()], chosen.portfolio, by, now)
            _tell_link(settings, f"{accounts.cleaned(chosen.name)} is added as {chosen.role}.", link)
        case "role":
            accounts.set_role(state, chosen.name, Role[chosen.role.upper()], by, now)
            print(f"{accounts.cleaned(chosen.name)} is {chosen.role} now.")
        case "portfolios":
            accounts.set_portfolios(state, chosen.name, chosen.portfolio, by, now)
            sees = ", ".join(chosen.portfolio) if chosen.portfolio else "every portfolio"
            print(f"{accounts.cleaned(chosen.name)} may see {sees} now.")
        case "reset":
            link = accounts.reset(state, chosen.name, by, now)
            if chosen.without_second_factor:
                second_factor.remove(state, accounts.cleaned(chosen.name), now, by=by)
            _tell_link(
                settings, f"Until it is used, the password from before lets {accounts.cleaned(chosen.name)} in.", link
            )
        case "link":
            accounts.link(state, settings.oidc, chosen.name, chosen.subject, by, now)
            print(f"{accounts.cleaned(chosen.name)} signs in at {settings.oidc.issuer} from now on.")
        case "disable":
            accounts.disable(state, chosen.name, by, now)
            print(f"{accounts.cleaned(chosen.name)} is disabled; its sessions are ended.")
        case _:
            accounts.enable(state, chosen.name, by, now)
            print(f"{accounts.cleaned(chosen.name)} may sign in again.")
    return 0


def _tell_link(settings: Settings, done: str, link: str) -> None:
    print(f"{done}\nChoose a password here, once, within a day: {settings.address}{link}")


def _list(found: list[Account]) -> None:
    columns: list[tuple[str, Callable[[Account], str]]] = [
        ("name", lambda each: each.name),
        ("role", lambda each: each.role.word),
        ("sees", lambda each: ", ".join(each.portfolios) or "every portfolio"),
        ("state", _told),
        ("last here", lambda each: _moment(each.seen_at)),
    ]
    rows = [[title for title, _ in columns], *([text(each) for _, text in columns] for each in found)]
    for line in aligned(rows):
        print(line)


def _told(account: Account) -> str:
    if account.is_disabled:
        return "disabled"
    if account.is_external:
        return "OpenID provider"
    if not account.has_password:
        return "no password yet"
    return "second factor" if account.has_second_factor else "password"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
