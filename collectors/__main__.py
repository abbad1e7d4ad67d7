"""`python -m collectors`: collect without a web server; try a source; import files, list imports, undo one.

python -m collectors                       collect until a signal; SIGHUP takes the sources of a changed fundwatch.yaml
python -m collectors try NAME              read a source once and print what was found
python -m collectors import FILE...        take files of NAV, returns, prices or rates, each whole or not at all
python -m collectors imports               list what was imported
python -m collectors undo NUMBER           undo an import
python -m collectors portfolios            list the fund's tree, or change it: set, add, rename, merge, end, delete
python -m collectors series                list series of prices and rates, or set what they are
python -m collectors blend                 list blends of them; add, change or remove one
python -m collectors risk-free             list the risk-free rates of currencies, or set one
"""

from __future__ import annotations

import argparse
import getpass
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from collectors import benchmarks, tree
from core.console import Console
from core.errors import FolderInUse, FundwatchError, ImportDoubted, ImportRejected, StartError, UndoRejected
from core.format import count
from core.log import configure
from core.settings.load import load_settings
from core.settings.model import Settings

if TYPE_CHECKING:
    from core.ingest.kinds import Kind
    from portfolio.imports.mapping import Mapping
    from portfolio.imports.understand import Understood
    from storage.state.imports import Import
    from storage.stores import Stores

STOP_SECONDS = 20.0
LISTED_IMPORTS = 50


def main(arguments: list[str]) -> int:
    """Do what the arguments say.

    Return 0, 1 when a file or an undo was refused or a source is in trouble, 2 when nothing could be tried.
    """
    chosen = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        configure(settings.log_level if chosen.command in (None, "run") else "ERROR")
        match chosen.command:
            case "try":
                from collectors.trying import try_source

                return try_source(settings, chosen.name)
            case "import":
                return _import(settings, chosen)
            case "imports":
                return _list(settings, chosen.limit)
            case "undo":
                return _undo(settings, chosen.number)
            case "series" | "blend" | "risk-free":
                return benchmarks.run(settings, chosen)
            case "portfolios":
                return tree.run(settings, chosen, _who())
            case _:
                return _run(settings)
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m collectors", description="Collect, or import files.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help="collect until a signal (the default)")
    tried = commands.add_parser(
        "try",
        help="read a source once and print what was found",
        description="Read a source of fundwatch.yaml once and print what was found; nothing is stored. Exit code "
        "0: fine, 1: in trouble or without an answer, 2: there is no such source or the settings are wrong.",
    )
    tried.add_argument("name", metavar="NAME", help="redis:main, or main where only one source is named so; or system")
    files = commands.add_parser(
        "import",
        help="take files of NAV, returns, prices or rates",
        description="Take files: text, .xlsx, .xls, .ods, Parquet, plain or in one .gz or .zip. Say only what a file "
        "does not tell itself; it is remembered for the next file with the same header.",
    )
    files.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files.add_argument("--portfolio", default="", metavar="NAME", help="whose it is, when no column says so")
    files.add_argument(
        "--kind",
        default="",
        help="nav, returns, prices, index (returns of an instrument) or rates; or rows as docs/your-data.md has them, "
        "which their columns tell as well: positions, cash, instruments, orders, trades, transactions, fx, samples",
    )
    files.add_argument("--date-order", default="", help="dmy, mdy or ymd")
    files.add_argument("--decimal", default="", metavar="MARK", help="decimal mark: . or ,")
    files.add_argument("--thousands", default="", metavar="MARK", help="mark between thousands: , . ' or a blank")
    files.add_argument("--unit", default="", help="how returns or rates are written: percent or ratio")
    files.add_argument("--currency", default="", help="such as EUR; new portfolios are in USD without it")
    files.add_argument("--sheet", default="", metavar="NAME", help="which sheet of a workbook")
    files.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="HEADER=ROLE",
        help="what a column is: date, time, portfolio, instrument, nav, price, return, rate, flow, withdrawal, "
        "currency, series (a portfolio of its own), skip",
    )
    files.add_argument("--accept", action="store_true", help="take it although some of its values are hard to believe")
    files.add_argument("--dry-run", action="store_true", help="show what was understood and take nothing")
    listed = commands.add_parser("imports", help="list what was imported, the newest first")
    listed.add_argument("--limit", type=int, default=LISTED_IMPORTS, help=f"how many, {LISTED_IMPORTS} by default")
    undone = commands.add_parser("undo", help="undo an import: what it added goes, what it replaced comes back")
    undone.add_argument("number", type=int, metavar="NUMBER", help="as `imports` lists it")
    tree.add_commands(commands)
    benchmarks.add_commands(commands)
    return parser


def _run(settings: Settings) -> int:
    from collectors.runtime.start import start_collectors
    from portfolio.tree.configured import prepare_tree, when_storage_answers
    from storage.stores import open_stores

    stop, reload = threading.Event(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    console = Console()
    with closing(open_stores(settings, step=console.step, may_wait=True)) as stores:
        when_storage_answers(stores, partial(prepare_tree, stores))
        # By its name: collectors and alerting know nothing of each other, here a process is put together of both.
        start = import_module("alerting.start")
        alerting = start.prepare_alerting(stores)
        runner = start_collectors(stores, reload, *([alerting.take] if alerting else []))
        alerts = start.start_alerting(stores, alerting) if alerting else None
        console.line(f"Collecting on {settings.machine}; Ctrl-C stops, SIGHUP takes changed sources")
        stop.wait()
        ending = threading.Thread(target=alerts.stop, args=(STOP_SECONDS,)) if alerts is not None else None
        if ending is not None:
            ending.start()
        runner.stop(STOP_SECONDS)
        if ending is not None:
            ending.join()
    return 0


def _import(settings: Settings, chosen: argparse.Namespace) -> int:
    from portfolio.imports.dropped import told_name
    from storage.stores import open_stores

    missing = [str(path) for path in chosen.files if not path.is_file()]
    if missing:
        raise StartError(f"{', '.join(map(told_name, missing))}: there is no such file; nothing imported")
    said = _said(chosen) if _row_kind(chosen.kind) is None else None
    try:
        stores = open_stores(settings)
    except FolderInUse:
        return max(_tell(partial(_hand_over, settings, chosen, path, said)) for path in chosen.files)
    with closing(stores):
        return max(_tell(partial(_take_file, stores, chosen, path, said)) for path in chosen.files)


def _hand_over(settings: Settings, chosen: argparse.Namespace, path: Path, said: Mapping | None) -> str:
    """Return what the running Fundwatch said of a file."""
    from portfolio.imports.handover import hand_over, hand_over_rows, look_from_outside

    rows = _rows_of(path, chosen)
    if rows is not None:
        return hand_over_rows(settings, path, rows.name, _who())
    assert said is not None
    if chosen.dry_run:
        return _look(partial(look_from_outside, settings), path, said)
    return hand_over(settings, path, said, who=_who(), accept=chosen.accept)


def _take_file(stores: Stores, chosen: argparse.Namespace, path: Path, said: Mapping | None) -> str:
    """Return what came of a file."""
    rows = _rows_of(path, chosen)
    if rows is not None:
        return _take_rows(stores, path, rows)
    assert said is not None
    return (
        _look(partial(_look_inside, stores), path, said) if chosen.dry_run else _take(stores, path, said, chosen.accept)
    )


def _row_kind(name: str) -> Kind | None:
    """Return the kind of rows that is called so; None: it is none of rows."""
    from core.ingest.kinds import KINDS
    from portfolio.ingest.names import ROW_KINDS

    return KINDS[name] if name in ROW_KINDS else None


def _rows_of(path: Path, chosen: argparse.Namespace) -> Kind | None:
    """Return the kind of rows that a file has, as was said, else by its name or its columns; None: none of rows.

    Raises ImportRejected where its columns fit several, StartError for rows that are only to be looked at.
    """
    from portfolio.imports.dropped import told_name
    from portfolio.ingest.files import row_kind
    from portfolio.ingest.header import peeked

    found = _row_kind(chosen.kind)
    if found is None and not chosen.kind:
        with path.open("rb") as file:
            found = row_kind(told_name(path.name), peeked(told_name(path.name), file))
    if found is not None and chosen.dry_run:
        raise StartError(f"--dry-run: rows of {found.name} are taken whole or refused with every reason; leave it out")
    return found


def _take_rows(stores: Stores, path: Path, kind: Kind) -> str:
    from portfolio.imports.dropped import told_name
    from portfolio.ingest.files import take_rows_path

    return str(take_rows_path(stores, path, told_name(path.name), kind, _who()))


def _said(chosen: argparse.Namespace) -> Mapping:
    """Return what the options say. Raises StartError that names the one that cannot be."""
    from portfolio.imports.mapping import Mapping

    columns = [tuple(pair.rpartition("=")[::2]) for pair in chosen.column]
    try:
        return Mapping(
            chosen.portfolio,
            chosen.kind,
            chosen.date_order,
            chosen.decimal,
            chosen.thousands,
            chosen.unit,
            chosen.currency,
            chosen.sheet,
            tuple((header, role) for header, role in columns),
        )
    except ValueError as error:
        raise StartError(f"--{error}") from error


def _take(stores: Stores, path: Path, said: Mapping, accept: bool) -> str:
    from portfolio.imports.take import import_file
    from portfolio.ingest.files import like_rows
    from portfolio.ingest.header import peeked

    try:
        result = import_file(stores, path, said, who=_who(), accept=accept)
    except ImportDoubted:
        raise
    except ImportRejected as error:
        with path.open("rb") as file:
            raise like_rows(error, peeked(error.name, file)) from error
    return f"{result} (import {result.number})"


def _look_inside(stores: Stores, path: Path, said: Mapping) -> Understood:
    from portfolio.imports.dropped import told_name
    from portfolio.imports.take import look_at, read_file

    return look_at(stores, told_name(path.name), read_file(path), said)


def _look(look: Callable[[Path, Mapping], Understood], path: Path, said: Mapping) -> str:
    """Return what was understood of a file. Raises ImportRejected where it would be refused."""
    understood = look(path, said)
    if understood.points is None:
        understood.check()
    return "\n  ".join([*understood.lines(), "dry run: nothing was taken"])


def _tell(take: Callable[[], str]) -> int:
    """Take one file and print what came of it; a refused one does not stop the others."""
    try:
        print(take())
    except (ImportRejected, UndoRejected) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(settings: Settings, limit: int) -> int:
    from storage.state.database import State
    from storage.state.imports import recent_imports

    with closing(State(settings.state_dsn)) as state:
        state.migrate()
        found = recent_imports(state, limit)
    for item in found:
        print(_line(item))
    if not found:
        print("nothing was imported yet")
    return 0


def _line(item: Import) -> str:
    """Return an import on a line: number, when, who, file, rows, span, outcome."""
    from portfolio.imports.understand import day

    when = datetime.fromtimestamp(item.imported).astimezone()
    what = [f"{item.id:>4}  {when:%Y-%m-%d %H:%M %Z}", item.outcome, item.name]
    if item.rows:
        what.append(count(item.rows, "row"))
    if item.names:
        what.append(f"{item.kind} of {', '.join(item.names)}, {day(item.first)} to {day(item.last)}")
    if item.restated:
        what.append(f"{item.restated} restated")
    if item.detail:
        what.append(item.detail.split("\n")[1 if "\n" in item.detail else 0].strip())
    by = [f"by {item.who}"] if item.who else []
    undone = [f"undone {datetime.fromtimestamp(item.undone).astimezone():%Y-%m-%d %H:%M}"] if item.undone else []
    return "  ".join([*what, *by, *undone, *([f"by {item.undone_by}"] if item.undone_by else [])])


def _undo(settings: Settings, number: int) -> int:
    from storage.stores import open_stores

    try:
        stores = open_stores(settings)
    except FolderInUse:
        from portfolio.imports.handover import hand_over_undo

        return _tell(partial(hand_over_undo, settings, number, _who()))
    from portfolio.imports.undo import undo

    with closing(stores):
        return _tell(lambda: str(undo(stores, number, _who())))


def _who() -> str:
    """Return who sits at the command line."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError, ImportError):
        return "command line"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
