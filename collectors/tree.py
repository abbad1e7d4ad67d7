"""`python -m collectors portfolios`: list the fund's tree and change it, beside a running Fundwatch too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import ChangeRejected, FolderInUse
from core.portfolios import RULES, WHOLE
from core.settings.model import Settings

if TYPE_CHECKING:
    from portfolio.tree.order import ChangeOrder
    from storage.state.portfolios import Portfolio

INDENT = "  "
LISTED_CHANGES = 10


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what can be done of portfolios to the command line."""
    fields = ", ".join(rule.name for rule in RULES)
    parser = commands.add_parser("portfolios", help="list the fund's tree, or change it")
    does = parser.add_subparsers(dest="do")
    does.add_parser("list", help="list the tree and its newest changes (the default)")
    changed = does.add_parser("set", help="change settings", description=f"Settings: {fields}. An empty value unsets.")
    changed.add_argument("portfolio", metavar="ID", help="id or name, as the list has it")
    changed.add_argument("fields", nargs="+", metavar="FIELD=VALUE")
    added = does.add_parser("add", help="add a portfolio without values, such as the sum of its parts")
    added.add_argument("name", metavar="NAME")
    added.add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    renamed = does.add_parser("rename", help="give it another name; files may use the old one too")
    renamed.add_argument("portfolio", metavar="ID")
    renamed.add_argument("name", metavar="NAME")
    merged = does.add_parser("merge", help="make one of two: values, files and parts of the first become the second's")
    merged.add_argument("portfolio", metavar="ID")
    merged.add_argument("into", metavar="INTO")
    merged.add_argument("--wins", default="", metavar="ID", help="whose values stay on days that both have")
    ended = does.add_parser("end", help="say its last day: values after it are left out, none is expected")
    ended.add_argument("portfolio", metavar="ID")
    ended.add_argument("day", metavar="DAY", help="such as 2020-01-31")
    gone = does.add_parser("delete", help="delete it with everything that was stored of it")
    gone.add_argument("portfolio", metavar="ID")
    gone.add_argument("--name", default="", metavar="NAME", help="its name, typed by who means it; else it is asked")


def run(settings: Settings, chosen: argparse.Namespace, who: str) -> int:
    """Do what the arguments say. Return 0, or 1 when it was refused."""
    if chosen.do in (None, "list"):
        return _list(settings)
    try:
        print(carry_out_order(settings, _order(chosen, who)))
    except ChangeRejected as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _order(chosen: argparse.Namespace, who: str) -> ChangeOrder:
    from portfolio.tree.order import ChangeOrder

    match chosen.do:
        case "add":
            return ChangeOrder("add", "", {"name": chosen.name, **fields_of(chosen.fields)}, who)
        case "set":
            return ChangeOrder("set", chosen.portfolio, fields_of(chosen.fields), who)
        case "rename":
            return ChangeOrder("set", chosen.portfolio, {"name": chosen.name}, who)
        case "end":
            return ChangeOrder("set", chosen.portfolio, {"ended": chosen.day}, who)
        case "merge":
            return ChangeOrder("merge", chosen.portfolio, {"into": chosen.into, "wins": chosen.wins}, who)
        case _:
            return ChangeOrder("delete", chosen.portfolio, {"typed": chosen.name or _asked()}, who)


def _asked() -> str:
    if not sys.stdin.isatty():
        return ""
    return input("Type its name to delete it with everything that was stored of it: ")


def fields_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return what FIELD=VALUE arguments say. Raises ChangeRejected for another one."""
    split = [pair.partition("=") for pair in pairs]
    wrong = [name for name, sign, _ in split if not sign]
    if wrong:
        raise ChangeRejected(f"{wrong[0]!r} is no setting: write FIELD=VALUE, such as currency=EUR")
    # 0 unsets a number as nothing does a text.
    return {name: value or ("0" if name in WHOLE else "") for name, _, value in split}


def carry_out_order(settings: Settings, order: ChangeOrder) -> str:
    """Do what is ordered here, or by the Fundwatch that owns the data, and return what was done."""
    from storage.stores import open_stores

    try:
        stores = open_stores(settings)
    except FolderInUse:
        from portfolio.imports.handover import hand_over_change

        return hand_over_change(settings, order)
    from portfolio.tree.order import carry_out

    with closing(stores):
        return str(carry_out(stores, order))


def _list(settings: Settings) -> int:
    from portfolio.tree.listing import in_order
    from storage.state.changes import recent_changes
    from storage.state.database import State
    from storage.state.portfolios import list_known_names, list_portfolios

    with closing(State(settings.state_dsn)) as state:
        state.migrate()
        found, known, changes = list_portfolios(state), list_known_names(state), recent_changes(state, LISTED_CHANGES)
    for depth, each in in_order(found):
        print(_line(depth, each, [name for name, id in known.items() if id == each.id and each.origin == "own"]))
    if not found:
        print("there is no portfolio yet: `python -m collectors import FILE` brings the first")
    for change in changes:
        when = datetime.fromtimestamp(change.at).astimezone()
        cut_off = "" if change.stage == "done" else "  going on, or cut off: do it again"
        print(f"{when:%Y-%m-%d %H:%M %Z}  {change.portfolio}: {change.detail}  by {change.who or '–'}{cut_off}")
    return 0


def _line(depth: int, each: Portfolio, others: list[str]) -> str:
    """Return a portfolio on a line: name, id, origin where it is none of one's own, and what is set."""
    shown = {rule.name: getattr(each, rule.name) for rule in RULES if rule.name not in ("name", "parent", "position")}
    what = [f"{name} {value}" for name, value in shown.items() if value]
    id = [f"id {each.id}"] if each.id != each.name else []
    origin = [each.origin] if each.origin != "own" else []
    also = [f"also known as {', '.join(sorted(others))}"] if others else []
    return INDENT * depth + "  ".join([each.name, *id, *origin, *what, *also])
