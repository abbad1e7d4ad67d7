"""The watched folder: a file dropped into it is taken whole, or refused with every kind of mistake named.

A file is touched once it has stayed the same from one look to the next. Taken: moved to done/ next to NAME.taken.txt.
Refused: moved to refused/ next to NAME.problems.txt. While storage is away it stays where it is. How to read it may
stand next to it, in NAME.import.json, which moves with it. Nothing is ever deleted or overwritten.
"""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from core.errors import ChangeRejected, ImportRejected, SourceUnavailable, StorageError, UndoRejected
from core.format import count
from core.model import Component, Reading, Sample, Status, Table
from portfolio.imports.order import CHANGE, ORDER, UNDO, Order, read_order, read_undo
from portfolio.imports.refused import HOW, PROBLEMS, looked_at_of, refused_files
from portfolio.imports.take import read_file, take
from portfolio.imports.undo import undo
from portfolio.tree.order import carry_out, read_change
from storage.state.looked_at import FileKey
from storage.stores import Stores

UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".swp")
"""Endings of files that are still being written."""
TAKEN = ".taken.txt"
"""Ending of the file that says what came of one that was taken."""
RECENT_FILES = 20
MOST_FILES_A_RUN = 20

Identity = tuple[int, int, int]
"""Inode, size, time of change: the same twice means that nobody writes the file."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a file, as a row of the table "files": when (epoch seconds), and how many rows were taken."""

    ts: float
    name: str
    outcome: Literal["taken", "refused", "waits"]
    rows: int
    why: str


class Result(Protocol):
    """What came of a file: how many rows, and as a text."""

    @property
    def rows(self) -> int:
        """Return how many rows were taken, or taken back."""
        ...


Take = Callable[[str, bytes | None, Order], Result]
"""Takes name and content (None: too large) of a file, as ordered."""


class Inbox:
    """The importer of one folder. `take` is handed each file that came to rest."""

    name = "inbox"
    timeout_seconds = 60.0

    def __init__(
        self,
        folder: Path,
        take: Take,
        interval_seconds: float = 5.0,
        looked_at: Callable[[], set[FileKey]] = lambda: set(),
    ) -> None:
        """Return the importer of `folder`; `looked_at`: the refused files that a person has looked at."""
        self.interval_seconds = interval_seconds
        self._looked_at = looked_at
        self._folder = folder
        self._take = take
        self._last_look: dict[str, Identity] = {}
        self._recent: deque[Handled] = deque(maxlen=RECENT_FILES)

    def take_in(self, now: float) -> Reading:
        """Take every file at rest; return how many wait and were refused, and what came of the newest.

        Raises SourceUnavailable when the folder or storage does not answer.
        """
        look = self._look()
        at_rest = [name for name, identity in look.items() if self._last_look.get(name) == identity]
        self._last_look = look
        for name in sorted(at_rest)[:MOST_FILES_A_RUN]:
            self._handle(self._folder / name, now)
        return self._reading(now)

    def _look(self) -> dict[str, Identity]:
        """Return the identity of every file that could be taken; makes the folders if absent."""
        try:
            for folder in (self._folder, self._done, self._refused):
                folder.mkdir(parents=True, exist_ok=True)
            found = {path.name: path.lstat() for path in self._folder.iterdir() if _is_candidate(path.name)}
        except OSError as error:
            raise SourceUnavailable(f"{self._folder}: {error.strerror or error}") from error
        return {
            name: (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            for name, facts in found.items()
            if stat.S_ISREG(facts.st_mode)
        }

    def _handle(self, path: Path, now: float) -> None:
        try:
            content = read_file(path)
            if _identity(path) != self._last_look[path.name]:
                return
            try:
                result = self._take(path.name, content, _order(path))
            except (ImportRejected, UndoRejected, ChangeRejected) as error:
                self._refuse(path, error, now)
            else:
                target = _free(self._done, path.name, now)
                (self._done / f"{target.name}{TAKEN}").write_text(f"{result}\n", encoding="utf-8")
                _move(path, target)
                self._recent.appendleft(Handled(now, path.name, "taken", result.rows, str(result)))
        except StorageError as error:
            raise SourceUnavailable(f"{path.name} waits: storage does not answer ({error})") from error
        except OSError as error:
            why = f"cannot be read or moved: {error.strerror or error}"
            self._recent.appendleft(Handled(now, path.name, "waits", 0, why))

    def _refuse(self, path: Path, error: ImportRejected | UndoRejected | ChangeRejected, now: float) -> None:
        lines = error.lines()
        target = _free(self._refused, path.name, now)
        (self._refused / f"{target.name}{PROBLEMS}").write_text("\n".join([*lines, *HOW]) + "\n", encoding="utf-8")
        _move(path, target)
        self._recent.appendleft(Handled(now, path.name, "refused", 0, " ".join(lines[1:] or lines)))

    def _reading(self, now: float) -> Reading:
        waiting = sorted(path.name for path in self._folder.iterdir() if path.name in self._last_look)
        refused = refused_files(self._refused)
        seen = self._looked_at() if refused else set()
        unseen = [file.name for file in refused if file.key not in seen]
        return Reading(
            samples=(
                Sample("inbox_waiting_files", float(len(waiting))),
                Sample("inbox_refused_files", float(len(refused))),
            ),
            components=(self._component(waiting, unseen),),
            tables=(Table("files", ("ts", "name", "outcome", "rows", "why"), tuple(map(astuple, self._recent))),),
        )

    def _component(self, waiting: list[str], refused: list[str]) -> Component:
        stuck = [file.why for file in self._recent if file.outcome == "waits" and file.name in waiting]
        if stuck:
            return Component(self.name, Status.WARNING, f"{waiting[0]}: {stuck[0]}", float(len(waiting)), "count")
        if refused:
            why = f"{count(len(refused), 'refused file')} to look at on the page Import, newest {refused[0]}"
            return Component(self.name, Status.WARNING, why, float(len(refused)), "count")
        why = f"{len(waiting)} coming in" if waiting else f"watching {self._folder}"
        return Component(self.name, Status.OK, why, float(len(waiting)), "count")

    @property
    def _done(self) -> Path:
        return self._folder / "done"

    @property
    def _refused(self) -> Path:
        return self._folder / "refused"


def make(stores: Stores) -> Inbox:
    """Return the importer of the folder inbox in the data folder."""
    folder, interval_seconds = stores.settings.data_dir / "inbox", stores.settings.intervals.inbox_seconds
    return Inbox(folder, partial(_take_or_undo, stores), interval_seconds, looked_at_of(stores))


def _take_or_undo(stores: Stores, name: str, content: bytes | None, order: Order) -> Result:
    if name.endswith(UNDO):
        number, who = read_undo(name, content)
        return undo(stores, number, who)
    if name.endswith(CHANGE):
        return carry_out(stores, read_change(name, content))
    return take(stores, order.name or name, content, order.said, who=order.who, accept=order.accept)


def _order(path: Path) -> Order:
    """Return what lies next to a file about how to take it."""
    order = path.with_name(f"{path.name}{ORDER}")
    return read_order(path.name, order.read_text(encoding="utf-8")) if order.is_file() else Order()


def _move(path: Path, target: Path) -> None:
    """Move a file, and what lies next to it about how to take it before: what is there without its file is done."""
    order = path.with_name(f"{path.name}{ORDER}")
    if order.is_file():
        order.rename(target.with_name(f"{target.name}{ORDER}"))
    path.rename(target)


def _is_candidate(name: str) -> bool:
    return not name.startswith((".", "~")) and not name.lower().endswith((*UNFINISHED, PROBLEMS, TAKEN, ORDER))


def _identity(path: Path) -> Identity:
    facts = path.lstat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _free(folder: Path, name: str, now: float) -> Path:
    """Return a path in `folder` that no file has: `name`, else with the time, else with a number too."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem, suffix = Path(name).stem, Path(name).suffix
    tries = [name, f"{stem}.{stamp}{suffix}", *(f"{stem}.{stamp}-{number}{suffix}" for number in range(2, 10_000))]
    return next(folder / each for each in tries if not (folder / each).exists())
