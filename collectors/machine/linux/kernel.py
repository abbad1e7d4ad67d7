"""Reading the text files under /proc and /sys."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kernel:
    """The kernel's text files; other roots let tests use captured ones.

    A file that is absent, unreadable or answers with an error (a link that is down has no speed) reads as
    None: its samples are then left out, never zero.
    """

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._proc = proc
        self._sys = sys

    def proc(self, name: str) -> str | None:
        """Return the text of /proc/`name`, or None."""
        return _text(f"{self._proc}/{name}")

    def sys(self, name: str) -> str | None:
        """Return the text of /sys/`name`, or None."""
        return _text(f"{self._sys}/{name}")

    def sys_number(self, name: str) -> float | None:
        """Return the number that /sys/`name` holds, or None when it holds none."""
        text = self.sys(name)
        if text is None:
            return None
        try:
            return float(text)
        except ValueError:
            return None

    def list_proc(self) -> list[str]:
        """Return the names in /proc."""
        return _names(self._proc)

    def list_sys(self, name: str) -> list[str]:
        """Return the sorted names in /sys/`name`; empty when there is no such folder."""
        return sorted(_names(f"{self._sys}/{name}"))


def _text(path: str) -> str | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path object costs more than the read
            return file.read().decode("utf-8", "replace")
    except OSError:
        return None


def _names(path: str) -> list[str]:
    try:
        return [entry.name for entry in Path(path).iterdir()]
    except OSError:
        return []


class Remembered(Generic[Value]):
    """A value that is worth reading only once a minute (the list of mounts, a link's speed)."""

    SECONDS = 60.0

    def __init__(self) -> None:
        self._value: Value | None = None
        self._due = float("-inf")

    def is_due(self, monotonic: float) -> bool:
        """Tell whether the value must be read again."""
        return monotonic >= self._due

    def put(self, value: Value, monotonic: float) -> None:
        """Keep a value just read."""
        self._value = value
        self._due = monotonic + self.SECONDS

    @property
    def value(self) -> Value | None:
        """Return the value last read, None before the first."""
        return self._value
