"""Giving a file to the Fundwatch that owns the data folder: through its inbox, waiting for its answer."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

from core.errors import ChangeRejected, FundwatchError, ImportRejected, Mistake, UndoRejected
from core.settings.model import Settings
from portfolio.imports.dropped import told_name
from portfolio.imports.inbox import TAKEN
from portfolio.imports.known import as_known
from portfolio.imports.mapping import Mapping
from portfolio.imports.order import CHANGE, ORDER, UNDO, Order, undo_order
from portfolio.imports.refused import PROBLEMS
from portfolio.imports.remembered import recall_from
from portfolio.imports.take import read_file
from portfolio.imports.understand import Understood, understand
from portfolio.tree.names import ids_by_name
from portfolio.tree.order import ChangeOrder
from storage.state.database import State

POLL_SECONDS = 0.1
SLOWEST_BYTES_A_SECOND = 200_000
"""Of a large file of rows: so long its answer is waited for."""
LONGEST_STEM_BYTES, LONGEST_ENDING = 160, 32
"""Of a name in the inbox, so that what is added to it fits."""


def look_from_outside(settings: Settings, path: Path, said: Mapping) -> Understood:
    """Return what a file says, knowing what is remembered of files like it, not what is stored round its points."""
    with closing(State(settings.state_dsn)) as state:
        understood = understand(told_name(path.name), read_file(path), said, time.time(), recall_from(state))
        return as_known(understood, ids_by_name(state))


def hand_over(
    settings: Settings, path: Path, said: Mapping | None = None, *, who: str = "", accept: bool = False
) -> str:
    """Return what the running Fundwatch said of the file.

    Raises ImportRejected when the file is wrong (then nothing was handed over), FundwatchError when no answer came.
    """
    said = said or Mapping()
    look_from_outside(settings, path, said).check(accept)
    return _hand_over_file(settings, path, path.suffix, Order(told_name(path.name), said, accept, who, is_whole=True))


def hand_over_rows(settings: Settings, path: Path, kind: str, who: str) -> str:
    """Return what the running Fundwatch said of a file of rows of a kind. Raises as `hand_over` does."""
    endings = "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".zst") else path.suffix
    order = Order(told_name(path.name), who=who, is_whole=True)
    return _hand_over_file(settings, path, f".{kind}{endings}", order)


def _hand_over_file(settings: Settings, path: Path, ending: str, order: Order) -> str:
    inbox = _inbox(settings)
    name = _free_name(inbox, path.stem, ending)
    order = replace(order, who=order.who or "command line")
    (inbox / f"{name}{ORDER}").write_text(order.to_json(), encoding="utf-8")
    shutil.copyfile(path, inbox / f"{name}.part")
    (inbox / f"{name}.part").rename(inbox / name)
    told, is_taken = _answer(settings, inbox, name, told_name(path.name), path.stat().st_size)
    if not is_taken:
        raise ImportRejected(told_name(path.name), [Mistake(line) for line in told.splitlines()[1:-2]])
    return f"{told} (by the running Fundwatch)"


def hand_over_undo(settings: Settings, number: int, who: str) -> str:
    """Return what the running Fundwatch said of undoing an import. Raises UndoRejected, or FundwatchError."""
    told, is_taken = _hand_over_order(settings, f"import-{number}", UNDO, undo_order(number, who))
    if not is_taken:
        raise UndoRejected(told.splitlines()[0])
    return told


def hand_over_change(settings: Settings, order: ChangeOrder) -> str:
    """Return what the running Fundwatch said of changing a portfolio. Raises ChangeRejected, or FundwatchError."""
    told, is_taken = _hand_over_order(settings, order.do, CHANGE, order.to_json())
    if not is_taken:
        raise ChangeRejected("\n  ".join(told.splitlines()[:-2]))
    return told


def _hand_over_order(settings: Settings, stem: str, ending: str, text: str) -> tuple[str, bool]:
    inbox = _inbox(settings)
    name = _free_name(inbox, stem, ending)
    (inbox / f"{name}.part").write_text(text, encoding="utf-8")
    (inbox / f"{name}.part").rename(inbox / name)
    told, is_taken = _answer(settings, inbox, name, name)
    return (f"{told} (by the running Fundwatch)" if is_taken else told), is_taken


def _inbox(settings: Settings) -> Path:
    inbox = settings.data_dir / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    return inbox


def _answer(settings: Settings, inbox: Path, name: str, called: str, size_bytes: int = 0) -> tuple[str, bool]:
    """Return what was said of a file, and whether it was taken. Raises FundwatchError when nothing is said in time."""
    deadline = time.monotonic() + 6 * settings.intervals.inbox_seconds + size_bytes / SLOWEST_BYTES_A_SECOND
    while time.monotonic() < deadline:
        if (inbox / "done" / name).exists():
            return (inbox / "done" / f"{name}{TAKEN}").read_text(encoding="utf-8").strip(), True
        if (inbox / "refused" / name).exists():
            return (inbox / "refused" / f"{name}{PROBLEMS}").read_text(encoding="utf-8").strip(), False
        time.sleep(POLL_SECONDS)
    raise FundwatchError(f"{called} waits in {inbox}: the running Fundwatch has not taken it yet")


def _free_name(inbox: Path, stem: str, suffix: str) -> str:
    """Return a name that no file in the inbox had: the answer to an earlier one is not the answer to this one."""
    stem = told_name(stem).encode()[:LONGEST_STEM_BYTES].decode("utf-8", "ignore")
    suffix = told_name(suffix)[:LONGEST_ENDING]
    names = (f"{stem}-{os.getpid()}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    places = (inbox, inbox / "done", inbox / "refused")
    return next(name for name in names if not any((place / name).exists() for place in places))
