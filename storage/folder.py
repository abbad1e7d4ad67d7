"""The data folder: made, checked, private, and owned by one running Fundwatch."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from core.errors import FolderInUse, StartError
from core.format import count, noun

log = logging.getLogger(__name__)

OWNER = "owner.lock"
INBOX = "inbox"
OTHERS = 0o077
"""What a group and everybody may do, as bits of a mode."""
FOLDER, FILE = 0o700, 0o600


class FolderLock:
    """Holds the data folder until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the folder. Raises StartError when it cannot be written, FolderInUse when another Fundwatch has it."""
        check_writable(folder)
        self.folder = folder
        try:
            self._file = (folder / OWNER).open("a+", errors="replace")
        except OSError as error:
            raise StartError(f"{folder / OWNER}: {error.strerror or error}; move it away, it says nothing") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read(20).strip() or "unknown"
            self._file.close()
            raise FolderInUse(
                f"FUNDWATCH_DATA_DIR={folder}: in use by another running Fundwatch (process {owner}); "
                "stop it, or choose another folder"
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def is_there(self) -> bool:
        """Return whether the folder is still the one that was taken, rather than deleted, moved or replaced."""
        try:
            return os.path.samestat((self.folder / OWNER).stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def release(self) -> None:
        """Give the folder back."""
        self._file.close()


def check_writable(folder: Path) -> None:
    """Make the folder if absent. Raises StartError when that or writing into it fails.

    From here on everything that this process and its children make is for this user alone: 700 or 600.
    """
    os.umask(OTHERS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"FUNDWATCH_DATA_DIR={folder}: cannot be written ({error.strerror or error}); "
            "choose a folder that this user may write"
        ) from error


def check_free(folder: Path) -> None:
    """Raise StartError unless the folder can be written and no running Fundwatch owns it."""
    FolderLock(folder).release()


def keep_private(folder: Path) -> str:
    """Let nobody else read what is in the data folder; return what was changed, empty for nothing.

    The inbox itself stays as it is: who lets others drop files into it keeps that, and the folder above lets them
    through, no more.
    """
    changed = sum(_tightened(path, mode) for path, mode in _modes(folder))
    if not changed:
        return ""
    what = count(changed, "file or folder was", "files and folders were")
    return f"{folder}: {what} open to other users, and {noun(changed, 'is', 'are')} private now (700, 600)"


def _modes(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield everything in the folder with the mode that it should have."""
    yield folder, FOLDER | _passage(folder / INBOX)
    for place, folders, files in os.walk(folder):
        inside = Path(place)
        for name in folders:
            if inside / name != folder / INBOX:
                yield inside / name, FOLDER
        # What waits in the inbox is still its giver's.
        for name in files if inside != folder / INBOX else ():
            yield inside / name, FILE


def keep_file_private(path: Path) -> None:
    """Let nobody else read one file that has come into the data folder."""
    _tightened(path, FILE)


def _passage(inbox: Path) -> int:
    """Return who may pass through the data folder, as bits of a mode: those who may write into its inbox."""
    try:
        mode = inbox.stat().st_mode
    except OSError:
        return 0
    return (stat.S_IXGRP if mode & stat.S_IWGRP else 0) | (stat.S_IXOTH if mode & stat.S_IWOTH else 0)


def _tightened(path: Path, wanted: int) -> bool:
    """Take from others what `wanted` does not give them; return whether that changed anything."""
    try:
        mode = path.lstat().st_mode
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)) or not mode & OTHERS & ~wanted:
            return False
        path.chmod(stat.S_IMODE(mode) & ~(OTHERS & ~wanted))
    except OSError as error:
        # Another user's file, or one that went away meanwhile: the folder that it is in is closed to others anyway.
        log.debug("%s stays as it is: %s", path, error)
        return False
    return True
