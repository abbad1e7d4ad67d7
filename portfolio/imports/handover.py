"""Giving a file to the Fundwatch that owns the data folder: through its inbox, waiting for its answer."""

from __future__ import annotations

import os
import shutil
import time
from itertools import count
from pathlib import Path

from core.errors import FundwatchError, ImportRejected
from core.settings.model import Settings
from portfolio.imports.files import parse_nav
from portfolio.imports.inbox import PROBLEMS, TAKEN

POLL_SECONDS = 0.1


def hand_over(settings: Settings, path: Path) -> str:
    """Return what the running Fundwatch said of the file.

    Raises ImportRejected when the file is wrong (then nothing was handed over), FundwatchError when no answer came.
    """
    parse_nav(path.name, path.read_bytes(), time.time())
    inbox = settings.data_dir / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    name = _free_name(inbox, path)
    shutil.copyfile(path, inbox / f"{name}.part")
    (inbox / f"{name}.part").rename(inbox / name)
    deadline = time.monotonic() + 6 * settings.intervals.inbox_seconds
    while time.monotonic() < deadline:
        if (inbox / "done" / name).exists():
            said = (inbox / "done" / f"{name}{TAKEN}").read_text(encoding="utf-8").strip()
            return f"{path.name}: {said.removeprefix(f'{name}: ')} (by the running Fundwatch)"
        problems = inbox / "refused" / f"{name}{PROBLEMS}"
        if problems.exists():
            raise ImportRejected(path.name, [(1, problems.read_text(encoding="utf-8").strip())])
        time.sleep(POLL_SECONDS)
    raise FundwatchError(f"{path.name} waits in {inbox}: the running Fundwatch has not taken it yet")


def _free_name(inbox: Path, path: Path) -> str:
    """Return a name that no file in the inbox had: the answer to an earlier one is not the answer to this one."""
    names = (f"{path.stem}-{os.getpid()}{f'-{number}' if number > 1 else ''}{path.suffix}" for number in count(1))
    places = (inbox, inbox / "done", inbox / "refused")
    return next(name for name in names if not any((place / name).exists() for place in places))
