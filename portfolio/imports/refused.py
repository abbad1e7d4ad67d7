"""Files that the inbox refused: why, which of them a person has looked at, and what is in one."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageError
from portfolio.imports.dropped import beside, read_beside, told_name
from portfolio.imports.order import CHANGE, ORDER, UNDO, Order, read_order
from portfolio.imports.take import read_file
from storage.state.looked_at import FileKey, looked_at_files, mark_looked_at
from storage.stores import Stores

PROBLEMS = ".problems.txt"
"""Ending of the file that says why another one was refused."""
MOST_REASON_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file in inbox/refused."""

    name: str
    stamp: str
    refused: float
    """Epoch seconds."""
    size_bytes: int
    path: Path
    """Where it lies: its name on disk may be no text."""

    @property
    def key(self) -> FileKey:
        """Return what it is told from others by."""
        return self.name, self.stamp

    @property
    def is_table(self) -> bool:
        """Return whether it was to be imported, rather than to undo an import or change a portfolio."""
        return not self.name.endswith((UNDO, CHANGE))


def refused_folder(stores: Stores) -> Path:
    """Return the folder that refused files lie in."""
    return stores.settings.data_dir / "inbox" / "refused"


def refused_files(folder: Path) -> list[RefusedFile]:
    """Return the files in a folder of refused ones, newest first. Raises OSError; no folder: there are none."""
    try:
        paths = [path for path in folder.iterdir() if not _is_beside(path.name)]
    except FileNotFoundError:
        return []
    found = []
    for path in paths:
        try:
            facts = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(facts.st_mode):
            stamp = f"{facts.st_ino}-{facts.st_ctime_ns}"
            found.append(RefusedFile(told_name(path.name), stamp, facts.st_ctime, facts.st_size, path))
    return sorted(found, key=lambda file: (-file.refused, file.name))


def to_look_at(stores: Stores) -> list[RefusedFile]:
    """Return the refused files that nobody has looked at, newest first. Raises OSError, StorageError."""
    found = refused_files(refused_folder(stores))
    seen = looked_at_files(stores.state) if found else set()
    return [file for file in found if file.key not in seen]


def reasons(file: RefusedFile) -> list[str]:
    """Return why a file was refused, a sentence a line, as its .problems.txt says."""
    path = beside(file.path, PROBLEMS)
    try:
        with path.open("rb") as text:
            lines = text.read(MOST_REASON_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return ["Its reasons are not there any more: look at it."]
    return [line for line in lines if line and line not in HOW][1:] or lines[:1]


def find_refused(stores: Stores, name: str) -> RefusedFile | None:
    """Return the refused file of exactly this name, or None: a name with a path in it is the name of none."""
    return next((file for file in refused_files(refused_folder(stores)) if file.name == name), None)


def read_refused(file: RefusedFile) -> tuple[bytes | None, Order]:
    """Return the content of a refused file (None: too large to read), and how it was to be taken. Raises OSError."""
    order = read_beside(beside(file.path, ORDER))
    found = read_order(order) if order is not None else Order()
    return read_file(file.path), Order() if found.wrong else found


def look_away(stores: Stores, files: Sequence[RefusedFile], who: str) -> None:
    """Mark files as looked at. They stay where they are. Raises StorageError."""
    mark_looked_at(stores.state, [file.key for file in files], who)
    stores.live.bump("imports")


def looked_at_of(stores: Stores) -> Callable[[], set[FileKey]]:
    """Return the function that tells which files were looked at: none where the state database does not answer."""

    def looked_at() -> set[FileKey]:
        try:
            return looked_at_files(stores.state)
        except StorageError:
            return set()

    return looked_at


def _is_beside(name: str) -> bool:
    """Return whether it lies next to a file, or is the part of one that is being moved over."""
    return name.startswith(".") or name.endswith((PROBLEMS, ORDER))


HOW = (
    "Answer what it leaves open on the page Import of Fundwatch, or drop it into the inbox again when it is right.",
    "On the command line: python -m collectors import FILE --help",
)
"""What a .problems.txt ends with."""
