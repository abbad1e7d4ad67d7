"""Following changed settings: nobody who asks is missed, and a store that is away is no change."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from core.settings.follow import follow


class SetAfterTheLook(threading.Event):
    """An event that is set at the very moment at which waiting for it has timed out."""

    def wait(self, timeout: float | None = None) -> bool:
        was_set = self.is_set()
        self.set()
        return was_set


class SetNever(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return False


def taken(asked: threading.Event, versions: Sequence[str | None]) -> list[bool]:
    """Return what was taken, and whether it was asked for, while the version went through `versions`."""
    stopping, found, left = threading.Event(), list[bool](), list(versions)

    def version() -> str | None:
        if len(left) == 1:
            stopping.set()
        return left.pop(0)

    follow(asked, version, found.append, stopping)
    return found


def test_one_who_asks_just_after_a_look_is_not_missed() -> None:
    assert taken(SetAfterTheLook(), ["1", "1", "1"]) == [True]


def test_what_another_process_took_is_taken_once_and_a_version_that_is_not_known_says_nothing() -> None:
    assert taken(SetNever(), ["1", None, "1", None, "2", "2", None, "2"]) == [False]
