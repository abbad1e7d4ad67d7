"""The watched folder: a NAV file dropped into it is taken whole, or refused with every wrong line named.

A file is touched once it has stayed the same from one look to the next. Taken: moved to done/ next to NAME.taken.txt.
Refused: moved to refused/ next to NAME.problems.txt. While storage is away it stays where it is. Nothing is ever
deleted or overwritten.
"""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from core.errors import ImportRejected, SourceUnavailable, StorageError
from core.model import Component, Reading, Sample, Status, Table
from portfolio.imports.files import LARGEST_BYTES, ImportResult, take_nav
from storage.stores import Stores

UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".swp")
"""Endings of files that are still being written."""
PROBLEMS = ".problems.txt"
TAKEN = ".taken.txt"
"""Endings of the files that say why a file was refused, and what came of one that was taken."""
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


class Inbox:
    """The importer of one folder. `take` is handed the name and content of each file that came to rest."""

    name = "inbox"
    timeout_seconds = 60.0

    def __init__(
        self, folder: Path, take: Callable[[str, bytes | None], ImportResult], interval_seconds: float = 5.0
    ) -> None:
        self.interval_seconds = interval_seconds
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
            content = path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None
            if _identity(path) != self._last_look[path.name]:
                return
            try:
                result = self._take(path.name, content)
            except ImportRejected as error:
                self._refuse(path, error, now)
            else:
                target = _free(self._done, path.name, now)
                (self._done / f"{target.name}{TAKEN}").write_text(f"{result}\n", encoding="utf-8")
                path.rename(target)
                self._recent.appendleft(Handled(now, path.name, "taken", result.rows, str(result)))
        except StorageError as error:
            raise SourceUnavailable(f"{path.name} waits: storage does not answer ({error})") from error
        except OSError as error:
            why = f"cannot be read or moved: {error.strerror or error}"
            self._recent.appendleft(Handled(now, path.name, "waits", 0, why))

    def _refuse(self, path: Path, error: ImportRejected, now: float) -> None:
        lines = [f"{path.name} was refused; nothing of it was taken. Correct it and drop it into the inbox again."]
        lines += [f"line {line}: {reason}" for line, reason in error.problems]
        target = _free(self._refused, path.name, now)
        (self._refused / f"{target.name}{PROBLEMS}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.rename(target)
        line, reason = error.problems[0]
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        self._recent.appendleft(Handled(now, path.name, "refused", 0, f"line {line}: {reason}{more}"))

    def _reading(self, now: float) -> Reading:
        waiting = sorted(path.name for path in self._folder.iterdir() if path.name in self._last_look)
        refused = sorted(path.name for path in self._refused.iterdir() if not path.name.endswith(PROBLEMS))
        return Reading(
            samples=(
                Sample("inbox_waiting_files", float(len(waiting))),
                Sample("inbox_refused_files", float(len(refused))),
            ),
            components=(self._component(waiting, refused),),
            tables=(Table("files", ("ts", "name", "outcome", "rows", "why"), tuple(map(astuple, self._recent))),),
        )

    def _component(self, waiting: list[str], refused: list[str]) -> Component:
        stuck = [file.why for file in self._recent if file.outcome == "waits" and file.name in waiting]
        if stuck:
            return Component(self.name, Status.WARNING, f"{waiting[0]}: {stuck[0]}", float(len(waiting)), "count")
        if refused:
            why = f"{len(refused)} refused: see {self._refused / refused[-1]}{PROBLEMS}"
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
    return Inbox(folder, lambda name, content: take_nav(stores, name, content), interval_seconds)


def _is_candidate(name: str) -> bool:
    return not name.startswith((".", "~")) and not name.lower().endswith((*UNFINISHED, PROBLEMS, TAKEN))


def _identity(path: Path) -> Identity:
    facts = path.lstat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _free(folder: Path, name: str, now: float) -> Path:
    """Return a path in `folder` that no file has: `name`, else with the time, else with a number too."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem, suffix = Path(name).stem, Path(name).suffix
    tries = [name, f"{stem}.{stamp}{suffix}", *(f"{stem}.{stamp}-{number}{suffix}" for number in range(2, 10_000))]
    return next(folder / each for each in tries if not (folder / each).exists())
