"""`python -m collectors series`, `blend` and `risk-free`: list and change them, beside a running Fundwatch too."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from collectors.tree import carry_out_order, fields_of
from core.errors import ChangeRejected
from core.settings.model import Settings

if TYPE_CHECKING:
    from portfolio.tree.order import ChangeOrder
    from storage.state.database import State


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what can be done of benchmarks and rates to the command line."""
    series = commands.add_parser("series", help="list series of prices and rates, or set what they are")
    of_series = series.add_subparsers(dest="do")
    of_series.add_parser("list", help="list what was said of them (the default)")
    told = of_series.add_parser("set", help="name, kind (price, total_return, rate, fx), currency, day_count, note")
    told.add_argument("symbol", metavar="SYMBOL")
    told.add_argument("fields", nargs="+", metavar="FIELD=VALUE")
    blend = commands.add_parser("blend", help="list blends; add, change or remove one")
    of_blend = blend.add_subparsers(dest="do")
    of_blend.add_parser("list", help="list them (the default)")
    made = of_blend.add_parser("set", help="add or change one")
    made.add_argument("id", metavar="NAME")
    made.add_argument(
        "parts", nargs="*", metavar="SYMBOL=WEIGHT", help="percent, 100 in all; CASH earns the risk-free rate"
    )
    made.add_argument("--rebalancing", default="", help="daily, monthly (the default), quarterly, yearly or never")
    made.add_argument("--currency", default=None, help="that its parts are converted to; else the portfolio's")
    gone = of_blend.add_parser("remove", help="remove one that is no portfolio's benchmark")
    gone.add_argument("id", metavar="NAME")
    rate = commands.add_parser("risk-free", help="list the risk-free rates of currencies, or set one")
    rate.add_argument("currency", nargs="?", default="", metavar="CURRENCY")
    rate.add_argument(
        "rate", nargs="?", default=None, metavar="RATE", help="percent a year, a series of rates, or none"
    )


def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do what the arguments say. Return 0, or 1 when it was refused."""
    try:
        order = _order(chosen)
        if order is None:
            return _list(settings, chosen.command)
        print(carry_out_order(settings, order))
    except ChangeRejected as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _order(chosen: argparse.Namespace) -> ChangeOrder | None:
    """Return what is ordered; None: the list is asked for."""
    from portfolio.series import decide
    from portfolio.tree.order import ChangeOrder

    if chosen.command == "risk-free":
        if not chosen.currency:
            return None
        if chosen.rate is None:
            raise ChangeRejected(f"say the rate too: python -m collectors risk-free {chosen.currency} 4.3 (or none)")
        rate = "" if chosen.rate == "none" else chosen.rate
        return ChangeOrder(decide.RATED, chosen.currency, {"rate": rate})
    if chosen.do in (None, "list"):
        return None
    if chosen.command == "series":
        return ChangeOrder(decide.SERIES, chosen.symbol, fields_of(chosen.fields))
    if chosen.do == "remove":
        return ChangeOrder(decide.UNBLENDED, chosen.id)
    fields = {"parts": ", ".join(chosen.parts)} if chosen.parts else {}
    fields |= {"rebalancing": chosen.rebalancing} if chosen.rebalancing else {}
    return ChangeOrder(
        decide.BLENDED, chosen.id, fields | ({} if chosen.currency is None else {"currency": chosen.currency})
    )


def _list(settings: Settings, command: str) -> int:
    from storage.state.database import State

    with closing(State(settings.state_dsn)) as state:
        state.migrate()
        lines = {"series": _series, "blend": _blends, "risk-free": _rates}[command](state)
    for line in lines:
        print(line)
    return 0


def _series(state: State) -> list[str]:
    from storage.state.portfolios import OWN
    from storage.state.series import list_series

    found = [
        (each.symbol, each.name, each.kind, each.currency or "currency not known", each.day_count, each.note)
        for each in list_series(state, OWN)
    ]
    nothing = "there is no series yet: `python -m collectors import FILE --kind prices` (index, rates) brings one"
    return ["  ".join(filter(None, each)) for each in found] or [nothing]


def _blends(state: State) -> list[str]:
    from portfolio.series.decide import parts_text
    from storage.state.portfolios import OWN
    from storage.state.series import list_blends

    found = [f"{each.id}  {each.name}  {parts_text(each)}  {each.rebalancing}" for each in list_blends(state, OWN)]
    return found or ["there is no blend yet: `python -m collectors blend set 60/40 SPX=60 AGG=40` makes one"]


def _rates(state: State) -> list[str]:
    from storage.state.portfolios import OWN
    from storage.state.series import list_risk_free

    found = [f"{each.currency}  {each.series or f'{each.percent:g} % a year'}" for each in list_risk_free(state, OWN)]
    return found or ["no currency has a risk-free rate: 0 % is used. `python -m collectors risk-free USD 4.3` sets one"]
