"""Asks a store that may hang, in a thread of its own: the other checks do not wait, and silence is no answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.clock import Clock
from core.errors import FundwatchError
from core.format import duration
from status.freshness import stale_after_seconds

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Answer]):
    """What a store answered, or why it did not."""

    answer: Answer | None
    problem: str
    """Why there is no answer; empty: there is one."""
    at: float
    """When it was asked, epoch seconds."""
    asked: float
    """The same on the steady clock."""


class Probe(Generic[Answer]):
    """Asks again and again while `is_active` says so. `told` may be called by any thread; tests call `step`."""

    def __init__(
        self,
        name: str,
        ask: Callable[[], Answer],
        clock: Clock,
        every_seconds: float,
        within_seconds: float,
        is_active: Callable[[], bool],
    ) -> None:
        """Return it. within_seconds: an answer that takes longer is none."""
        self.name = name
        self._ask = ask
        self._clock = clock
        self.every_seconds = every_seconds
        self._within = within_seconds
        self._is_active = is_active
        self._began: float | None = None
        """When it was asked what is not answered yet, on the steady clock."""
        self._newest: Outcome[Answer] | None = None
        self._said = ""

    def run(self, stopping: threading.Event) -> None:
        """Ask until told to stop."""
        while not stopping.is_set():
            self.step()
            stopping.wait(self.every_seconds)

    def step(self) -> None:
        """Ask once, if it is this process's turn; what was known before is forgotten when it is not."""
        if not self._is_active():
            self._newest = None
            return
        at, asked = self._clock.now(), self._clock.monotonic()
        self._began = asked
        answer, problem = None, ""
        try:
            answer = self._ask()
        except FundwatchError as error:
            problem = str(error) or type(error).__name__
        except Exception as error:  # without its loop nobody would learn that it is over
            problem = f"{type(error).__name__}: {error}"
            if problem != self._said:
                log.exception("readiness: %s cannot be asked", self.name)
        self._said = problem
        self._newest = Outcome(answer, problem, at, asked)
        self._began = None

    def told(self) -> Outcome[Answer] | str:
        """Return the newest outcome; a sentence instead where nothing counts: not asked yet, too old, no answer."""
        now, began, newest = self._clock.monotonic(), self._began, self._newest
        if began is not None and now - began > self._within:
            return f"no answer for {duration(now - began)}"
        if newest is None:
            return "not looked at yet"
        age = now - newest.asked
        if age > stale_after_seconds(self.every_seconds, self._within):
            return f"the newest answer is {duration(age)} old"
        return newest
