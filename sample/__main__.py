"""`python -m sample load|remove`: bring the sample fund in, or take it away."""

from __future__ import annotations

import sys
from contextlib import closing

from core.errors import FundwatchError
from core.settings_load import load_settings
from sample.load import load_sample, remove_sample
from storage.stores import Stores, open_stores

USAGE = "usage: python -m sample load|remove"


def main(arguments: list[str]) -> int:
    """Do what the one argument says; return the exit code."""
    if arguments not in (["load"], ["remove"]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        with closing(open_stores(load_settings())) as stores:
            print(_do(arguments[0], stores))
    except FundwatchError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _do(action: str, stores: Stores) -> str:
    if action == "remove":
        return f"sample fund removed ({remove_sample(stores)} portfolios)"
    return f"sample fund loaded ({load_sample(stores)} rows)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
