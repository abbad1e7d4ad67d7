"""The data folder: made, checked, and owned by one running Fundwatch."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import StartError


class FolderLock:
    """Holds the data folder until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the folder. Raises StartError when it cannot be written or another Fundwatch runs on it."""
        check_writable(folder)
        self._file = (folder / "owner.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise StartError(
                f"FUNDWATCH_DATA_DIR={folder}: in use by another running Fundwatch (process {owner}); "
                "stop it, or choose another folder"
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Give the folder back."""
        self._file.close()


def check_writable(folder: Path) -> None:
    """Make the folder if absent. Raises StartError when that or writing into it fails."""
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
