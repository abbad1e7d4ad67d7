"""`python -m sample load|remove`: bring the sample fund in, or take it away."""

from __future__ import annotations

import sys
from contextlib import closing

from core.errors import FolderInUse, FundwatchError
from core.log import configure
from core.settings.load import load_settings
from core.settings.model import Settings
from sample.load import forget_sample, load_sample, remove_sample
from storage.live.redis import Live
from storage.state.database import State
from storage.stores import Stores, open_stores, running_valkey_url

USAGE = "usage: python -m sample load|remove"


def main(arguments: list[str]) -> int:
    """Do what the one argument says; return the exit code."""
    if arguments not in (["load"], ["remove"]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        settings = load_settings()
        configure("ERROR")
        print(_do_in(settings, arguments[0]))
    except FundwatchError as error:
        print(f"fundwatch: {error}", file=sys.stderr)
        return 2
    return 0


def _do_in(settings: Settings, action: str) -> str:
    try:
        stores = open_stores(settings)
    except FolderInUse:
        if action == "load":
            raise
        return _remove_beside_running(settings)
    with closing(stores):
        return _do(action, stores)


def _remove_beside_running(settings: Settings) -> str:
    """Take the sample off every page of the Fundwatch that runs; its rows leave the disk at the next start."""
    with closing(State(settings.state_dsn)) as state, closing(Live(running_valkey_url(settings))) as live:
        removed = forget_sample(state, live)
    return f"sample fund removed ({removed} portfolios) from the running Fundwatch; its rows leave at the next start"


def _do(action: str, stores: Stores) -> str:
    if action == "remove":
        return f"sample fund removed ({remove_sample(stores)} portfolios)"
    return f"sample fund loaded ({load_sample(stores)} rows)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
