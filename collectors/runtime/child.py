"""A module in a process of its own, for libraries that may take the process down that they run in.

A library that links native network code may abort or crash on what a peer sends or fails to send. Such a library is
loaded by no process that holds data: its module calls `serve` (collectors/runtime/served.py) and is run as a `Child`,
which asks it one question at a time. A line of JSON goes there and a line comes back, over one socket: no code, no
pickle. A child that crashes is started again by the next question, with a growing pause when it does so again and
again; one that does not answer in time is killed; all end with this process, since they read the end of the socket.
"""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.format import count
from core.net.reach import Address, Connection, Deadline

SETTLED_SECONDS = 60.0
"""A child that lived this long has not crashed "again" when it does."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
"""From one start to the next after two crashes in a row, doubled with each more; after the first it starts at once."""
START_SECONDS = 10.0
"""How long a child may take until its first question, whoever asks: Python, and the library. Once a start."""
LEAVE_SECONDS, END_SECONDS = 0.2, 2.0
LONGEST_ANSWER_BYTES = 64 * 2**20
ROOT = Path(__file__).parents[2]

T = TypeVar("T")

log = logging.getLogger(__name__)


class ChildEnded(SourceUnavailable):
    """The child ended before it answered: that tells of it, and nothing of the source."""


class _Left(ChildEnded):
    """It ended by itself: it had grown, and left after the answer before (collectors/runtime/served.py)."""


class Child:
    """A module that runs in a process of its own; safe to call from any thread, which then take turns.

    module: what `python -m` runs. title: what it is called in sentences. setup: parameters of the question "open" that
    it is asked first after each start.
    """

    def __init__(
        self, module: str, title: str, setup: Mapping[str, Any], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._module = module
        self._title = title
        self._setup = setup
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._crashes = 0
        self._rests_until = 0.0

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._running.process.pid if self._running else None

    def ask(self, question: str, answer: type[T], within_seconds: float, /, **parameters: Any) -> T:
        """Return what the child answers within that time, as the data class `answer`.

        Raises SourceUnavailable or SourceRejected as the child raised them; ChildEnded when it crashed;
        SourceUnavailable when it is left alone after crashes, or had to be killed because it did not answer.
        """
        with self._turn(within_seconds):
            try:
                return self._asked(self._started(), question, answer, within_seconds, parameters)
            except _Left:
                return self._asked(self._started(), question, answer, within_seconds, parameters)

    def start(self) -> None:
        """Start the process unless it runs, and wait until it is ready. Raises as `ask` does."""
        with self._turn(START_SECONDS):
            self._started()

    def close(self) -> None:
        """End the process. The next question starts another one."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    @contextmanager
    def _turn(self, seconds: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=seconds):
            raise SourceUnavailable(f"{self._title} is still busy with the question before")
        try:
            yield
        finally:
            self._lock.release()

    def _started(self) -> _Running:
        running = self._running
        if running is not None and running.process.poll() is None:
            return running
        if running is not None:
            self._ended(running)
        rest = self._rests_until - self._monotonic()
        if rest > 0:
            raise SourceUnavailable(
                f"{self._title} ended {count(self._crashes, 'time')} in a row; it is started again in {rest:.0f} s"
            )
        running = self._running = _Running(self._module, self._monotonic())
        try:
            self._asked(running, "open", type(None), START_SECONDS, self._setup)
        except BaseException:
            self.close()
            raise
        return running

    def _asked(
        self, running: _Running, question: str, answer: type[T], seconds: float, parameters: Mapping[str, Any]
    ) -> T:
        connection = running.connection
        connection.deadline = Deadline(seconds)
        try:
            connection.send(orjson.dumps({"question": question, "parameters": parameters}) + b"\n")
            line = connection.line(LONGEST_ANSWER_BYTES)
        except TimeoutError:
            self.close()
            raise SourceUnavailable(f"{self._title} did not answer within {seconds:.3g} s and was ended") from None
        except (OSError, SourceError):
            said = f"{self._ended(running)}; the next question starts it again"
            raise (_Left if running.process.returncode == 0 else ChildEnded)(said) from None
        return self._answered(line, answer)

    def _answered(self, line: bytes, answer: type[T]) -> T:
        said = orjson.loads(line)
        if "rejected" in said:
            raise SourceRejected(said["rejected"])
        if "unavailable" in said:
            raise SourceUnavailable(said["unavailable"])
        if "failed" in said:
            raise RuntimeError(f"{self._title}: {said['failed']}")
        reader = _reader(answer)  # type: ignore[arg-type]
        try:
            found: T = reader.validate_python(said["answer"])
        except ValidationError as error:
            raise RuntimeError(f"{self._title} gave an answer that cannot be read: {error}") from error
        return found

    def _ended(self, running: _Running) -> str:
        """Take away what is left of a child that has ended, and return by what. A crash is logged and counted."""
        self.close()
        code = running.process.returncode
        said = f"{self._title} ended by {_name(code)}"
        if code == 0:
            return said
        now = self._monotonic()
        self._crashes = 1 if now - running.since >= SETTLED_SECONDS else self._crashes + 1
        pause = 0.0 if self._crashes == 1 else PAUSE_SECONDS * 2.0 ** min(self._crashes - 2, 10)
        self._rests_until = running.since + min(pause, LONGEST_PAUSE_SECONDS)
        log.warning("%s", said)
        return said


class _Running:
    """A started process and our end of its socket; it ends when this object is forgotten, too."""

    def __init__(self, module: str, since: float) -> None:
        self.since = since
        ours, theirs = socket.socketpair()
        with theirs:
            # Without a function to call before exec, so that no lock of another thread can hold the start up.
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                cwd=ROOT,
                start_new_session=True,
            )
        self.connection = Connection(ours, Address(path=module), Deadline(START_SECONDS))
        self.end = weakref.finalize(self, _end, self.process, self.connection)


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    connection.close()
    try:
        process.wait(LEAVE_SECONDS)  # it ends when the socket does
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)


def _name(code: int | None) -> str:
    if code is None or code >= 0:
        return f"itself (code {code})"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


@cache
def _reader(answer: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(answer)
