"""`python -m collectors`: collect without a web server, or import NAV files.

python -m collectors                  collect until a signal
python -m collectors import FILE...   take NAV files (CSV: date, portfolio, nav, flow), each whole or not at all
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import FundwatchError, ImportRejected, StartError
from core.log import configure
from core.settings.load import load_settings
from core.settings.model import Settings

if TYPE_CHECKING:
    from storage.stores import Stores

STOP_SECONDS = 20.0


def main(arguments: list[str]) -> int:
    """Do what the arguments say. Return 0, 1 when a file was refused, 2 when nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m collectors", description="Collect, or import NAV files.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help="collect until a signal (the default)")
    files = commands.add_parser("import", help="take NAV files: date, portfolio, nav, flow")
    files.add_argument("files", nargs="+", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings()
        configure(settings.log_level if chosen.command != "import" else "ERROR")
        return _import(settings, chosen.files) if chosen.command == "import" else _run(settings)
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2


def _run(settings: Settings) -> int:
    from collectors.runtime.start import start_collectors
    from storage.stores import open_stores

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    console = Console()
    with closing(open_stores(settings, step=console.step)) as stores:
        runner = start_collectors(stores)
        console.line(f"Collecting on {settings.machine}; Ctrl-C stops")
        stop.wait()
        runner.stop(STOP_SECONDS)
    return 0


def _import(settings: Settings, files: list[Path]) -> int:
    from storage.stores import open_stores

    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise StartError(f"{', '.join(missing)}: there is no such file; nothing imported")
    try:
        stores = open_stores(settings)
    except StartError:
        from portfolio.imports.handover import hand_over

        return max(_tell(partial(hand_over, settings, path)) for path in files)
    with closing(stores):
        return max(_tell(partial(_take, stores, path)) for path in files)


def _take(stores: Stores, path: Path) -> str:
    from portfolio.imports.files import import_nav_file

    return str(import_nav_file(stores, path))


def _tell(take: Callable[[], str]) -> int:
    """Take one file and print what came of it; a refused one does not stop the others."""
    try:
        print(take())
    except ImportRejected as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
