"""The watched folder: a file dropped into it is taken whole, or refused with every kind of mistake named.

A file is touched once two looks an interval apart found it the same and its end is there (whole.py); one whose end does
not come is refused after ten minutes. Taken: moved to done/ next to NAME.taken.txt. Refused: moved to refused/ next to
NAME.problems.txt. While storage is away it stays where it is. How to read it may stand next to it, in NAME.import.json,
which moves with it. Nothing is ever deleted or overwritten. Each file is its own matter: none holds up another.
"""

from __future__ import annotations

import logging
import stat
import time
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from core.errors import (
    ChangeRejected,
    ImportRejected,
    Mistake,
    SourceUnavailable,
    StorageError,
    UndoRejected,
)
from core.format import count
from core.model import Component, Reading, Sample, Status, Table
from portfolio.imports.dropped import (
    Changed,
    Identity,
    beside,
    foreign,
    free_path,
    identity_of,
    opened_dropped,
    read_beside,
    read_dropped,
    read_end,
    told_name,
)
from portfolio.imports.moved import move, remove_left_over
from portfolio.imports.order import ORDER, Order, read_order
from portfolio.imports.refused import HOW, PROBLEMS, looked_at_of, refused_files
from portfolio.imports.taking import InParts, Result, take_large, take_or_undo
from portfolio.imports.whole import what_is_missing, what_is_missing_at
from portfolio.ingest.files import CutOff
from portfolio.ingest.large import Opened
from storage.state.looked_at import FileKey
from storage.stores import Stores

log = logging.getLogger(__name__)

UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".swp")
"""Endings of files that are still being written."""
TAKEN = ".taken.txt"
"""Ending of the file that says what came of one that was taken."""
RECENT_FILES = 20
MOST_FILES_A_RUN = 20
MOST_OUTAGES_A_RUN = 2
"""Files in a row that storage has no answer to until it is taken for away: one alone may be too much for it."""
PARTS_RATIO = 0.8
"""Share of the interval in which parts of a large file are taken: the rest is for the other files."""
AN_INTERVAL_RATIO = 0.9
"""Share of the interval that lies between two looks at least: a look may come a little early."""
STALLED_SECONDS = 600.0
"""How long the end of a file that does not change any more is waited for."""
_REMEDY = "If it is whole all the same, end its last line, or give it on the page Import."


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a file, as a row of the table "files": when (epoch seconds), and how many rows were taken."""

    ts: float
    name: str
    outcome: Literal["taken", "refused", "waits"]
    rows: int
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was found, and since when it is the same."""

    identity: Identity
    since: float


Take = Callable[[str, bytes | None, Order], Result]
"""Takes name and content (None: too large) of a file, as ordered."""
TakeLarge = Callable[[str, int, Opened, Order], InParts | None]
"""Begins to take a file of a name and a size, as ordered; None: it is taken by its content."""


@dataclass(frozen=True, slots=True)
class Going:
    """A file that is taken part by part, and how far it is, in words."""

    identity: Identity
    parts: InParts
    told: str = ""


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
        take_large: TakeLarge = lambda name, size, opened, order: None,
    ) -> None:
        """Return the importer of `folder`; `looked_at`: the refused files that a person has looked at."""
        self._take_large = take_large
        self._going: dict[str, Going] = {}
        """Files that are taken part by part, over several looks."""
        self._ends = 0.0
        """When this look takes no more parts, on the steady clock."""
        self.interval_seconds = interval_seconds
        self._looked_at = looked_at
        self._folder = folder
        self._take = take
        self._is_started = False
        self._seen: dict[str, Seen] = {}
        self._folders: list[str] = []
        self._waits: dict[str, Handled] = {}
        """What keeps a file that is there from being taken, by its name on disk."""
        self._settled: dict[str, tuple[Identity, Handled, str]] = {}
        """Files that were taken or refused and could not be moved yet, with what is to lie next to them."""
        self._recent: deque[Handled] = deque(maxlen=RECENT_FILES)
        self._told: Reading | None = None
        """What it said last."""

    def take_in(self, now: float) -> Reading:
        """Take every file at rest; return how many wait and were refused, and what came of the newest.

        Raises SourceUnavailable when the folder or storage does not answer.
        """
        self._look(now)
        self._ends = time.monotonic() + PARTS_RATIO * self.interval_seconds
        # Those that could not be taken lately come last: they never hold up another one.
        due = sorted(filter(partial(self._is_at_rest, now), self._seen), key=self._turn)
        away: list[tuple[str, StorageError]] = []
        is_answered = False
        for name in due[:MOST_FILES_A_RUN]:
            try:
                self._handle(self._folder / name, now)
            except StorageError as error:
                self._wait(name, now, f"storage does not answer ({error})")
                away.append((name, error))
            else:
                is_answered = is_answered or name not in self._waits
            if len(away) >= MOST_OUTAGES_A_RUN and not is_answered:
                break
        if away and not is_answered:
            name, first = away[0]
            raise SourceUnavailable(f"{told_name(name)} waits: storage does not answer ({first})") from first
        return self._reading()

    def _turn(self, name: str) -> tuple[float, str]:
        return self._waits[name].ts if name in self._waits else 0.0, name

    def _is_at_rest(self, now: float, name: str) -> bool:
        return now - self._seen[name].since >= AN_INTERVAL_RATIO * self.interval_seconds

    def _look(self, now: float) -> None:
        """Look at every file that could be taken; makes the folders if absent."""
        try:
            for folder in (self._folder, self._done, self._refused):
                folder.mkdir(parents=True, exist_ok=True)
            if not self._is_started:
                remove_left_over(self._folder, (self._done, self._refused))
                self._is_started = True
            paths = [path for path in self._folder.iterdir() if _is_candidate(path.name)]
        except OSError as error:
            why = f"{_in_the_way(error)} is no folder: move it away" if _in_the_way(error) else error.strerror or error
            raise SourceUnavailable(f"{self._folder}: {why}") from error
        seen: dict[str, Seen] = {}
        waits: dict[str, Handled] = {}
        folders = []
        for path in paths:
            try:
                facts = path.lstat()
            except OSError:
                continue  # it went away since it was listed
            if path in (self._done, self._refused):
                continue  # also where it is a link to a folder elsewhere
            before = self._seen.get(path.name)
            if stat.S_ISDIR(facts.st_mode):
                folders.append(told_name(path.name))
            elif what := foreign(facts):
                waits[path.name] = Handled(now, told_name(path.name), "waits", 0, f"is {what}")
            elif before is None or before.identity != identity_of(facts) or before.since > now:
                seen[path.name] = Seen(identity_of(facts), now)
            else:
                seen[path.name] = before
                if path.name in self._waits:
                    waits[path.name] = self._waits[path.name]
        self._seen, self._waits, self._folders = seen, waits, sorted(folders)
        self._settled = {name: each for name, each in self._settled.items() if name in seen}
        self._going = {
            name: each for name, each in self._going.items() if name in seen and each.identity == seen[name].identity
        }

    def _handle(self, path: Path, now: float) -> None:
        """Take or refuse a file. Raises StorageError."""
        identity = self._seen[path.name].identity
        try:
            settled = self._settled.get(path.name)
            if settled is None or settled[0] != identity:
                self._settled.pop(path.name, None)
                order = _order(path)
                if self._begins(path, identity, order):
                    missing = "" if order.is_whole else what_is_missing_at(path.name, read_end(path, identity))
                    work: Callable[[], Result | None] = partial(self._go_on, path.name)
                else:
                    content = read_dropped(path, identity)
                    missing = "" if content is None or order.is_whole else what_is_missing(path.name, content)
                    work = partial(self._take, told_name(path.name), content, order)
                if missing and self._is_young(path.name, now):
                    self._wait(path.name, now, missing)
                    return
                try:
                    outcome = self._outcome(path, order, missing, now, work)
                except CutOff as error:
                    self._wait(path.name, now, " ".join(map(str, error.mistakes)))
                    return
                if outcome is None:
                    return  # the next look goes on with it
                settled = identity, *outcome
                self._settled[path.name] = settled
            self._move(path, settled[1], settled[2], now)
        except Changed:
            self._seen.pop(path.name)
        except StorageError:
            raise
        except OSError as error:
            done = self._settled.get(path.name)
            is_done = f"was {done[1].outcome}, and " if done else ""
            self._wait(path.name, now, f"{is_done}cannot be {'moved' if done else 'read'}: {error.strerror or error}")

    def _begins(self, path: Path, identity: Identity, order: Order) -> bool:
        """Return whether a file is taken part by part. Raises Changed, OSError."""
        if path.name not in self._going and not order.wrong:
            opened = partial(opened_dropped, path, identity)
            begun = self._take_large(told_name(path.name), identity[1], opened, order)
            if begun is not None:
                self._going[path.name] = Going(identity, begun)
        return path.name in self._going

    def _go_on(self, name: str) -> Result | None:
        """Take more parts of a file, one at least; return what came of it, None: there are more, for the next look."""
        going = self._going.pop(name)  # one that fails begins anew
        told = ""
        try:
            while not told or time.monotonic() < self._ends:
                told = next(going.parts)
        except StopIteration as ended:
            found: Result = ended.value
            return found
        self._going[name] = replace(going, told=told)
        return None

    def _outcome(
        self, path: Path, order: Order, missing: str, now: float, work: Callable[[], Result | None]
    ) -> tuple[Handled, str] | None:
        """Take a file; return what came of it, and the text that tells it; None: it goes on. Raises StorageError, and
        CutOff for one whose end may still come.
        """  # fmt: skip
        name = told_name(path.name)
        try:
            if missing:
                raise ImportRejected(name, [Mistake(missing)], remedy=_REMEDY)
            if order.wrong:
                raise ImportRejected(name, [Mistake(f"{name}{ORDER} {order.wrong}")], remedy="Correct or remove it.")
            result = work()
            if result is None:
                return None
        except (ImportRejected, UndoRejected, ChangeRejected) as error:
            if isinstance(error, CutOff) and not order.is_whole and self._is_young(path.name, now):
                raise
            lines = error.lines()
        except (StorageError, OSError, Changed):
            raise
        except Exception as error:
            # Whatever a file makes our readers do, it is this file's matter: the next look would do the same.
            log.exception("inbox: %s cannot be taken", name)
            lines = [f"{name}: nothing imported.", f"Fundwatch failed on it ({type(error).__name__}): see its log."]
        else:
            return Handled(now, name, "taken", result.rows, str(result)), f"{result}\n"
        why = " ".join(lines[1:] or lines)
        return Handled(now, name, "refused", 0, why), "\n".join([*lines, *HOW]) + "\n"

    def _move(self, path: Path, handled: Handled, text: str, now: float) -> None:
        """Move a file that was taken or refused next to what is told of it."""
        is_taken = handled.outcome == "taken"
        target = free_path(self._done if is_taken else self._refused, path.name, now)
        told = beside(target, TAKEN if is_taken else PROBLEMS)
        try:
            told.write_text(text, encoding="utf-8", errors="replace")
            move(path, target)
        except (OSError, Changed):
            # The next look tries again, and would find the place taken.
            told.unlink(missing_ok=True)
            raise
        self._waits.pop(path.name, None)
        self._settled.pop(path.name, None)
        self._seen.pop(path.name, None)
        self._recent.appendleft(handled)

    def _is_young(self, name: str, now: float) -> bool:
        return now - self._seen[name].since < STALLED_SECONDS

    def _wait(self, name: str, now: float, why: str) -> None:
        self._waits[name] = Handled(now, told_name(name), "waits", 0, why)

    def _reading(self) -> Reading:
        refused = refused_files(self._refused)
        seen = self._looked_at() if refused else set()
        unseen = [file.name for file in refused if file.key not in seen]
        going = [Handled(self._seen[name].since, told_name(name), "waits", 0, each.told)
                 for name, each in self._going.items() if name in self._seen]  # fmt: skip
        rows = [*self._waits.values(), *going, *self._recent][:RECENT_FILES]
        before = self._told
        self._told = Reading(
            samples=(
                Sample("inbox_waiting_files", float(len(self._seen))),
                Sample("inbox_refused_files", float(len(refused))),
            ),
            components=(self._component(unseen),),
            tables=(Table("files", ("ts", "name", "outcome", "rows", "why"), tuple(map(astuple, rows))),),
        )
        return replace(self._told, is_news=self._told != before)

    def _component(self, refused: list[str]) -> Component:
        waiting = float(len(self._seen))
        if self._waits:
            name = min(self._waits)
            first = self._waits[name]
            more = f"; and {count(len(self._waits) - 1, 'more file')}" if len(self._waits) > 1 else ""
            return Component(self.name, Status.WARNING, f"{first.name}: {first.why}{more}", waiting, "count")
        if refused:
            why = f"{count(len(refused), 'refused file')} to look at on the page Import, newest {refused[0]}"
            return Component(self.name, Status.WARNING, why, float(len(refused)), "count")
        if self._going:
            name = min(self._going)
            why = f"taking {told_name(name)}: {self._going[name].told}"
            return Component(self.name, Status.OK, why, waiting, "count")
        why = f"{len(self._seen)} coming in" if self._seen else f"watching {self._folder}"
        left = f"; folders in it are left alone: {', '.join(self._folders)}" if self._folders else ""
        return Component(self.name, Status.OK, f"{why}{left}", waiting, "count")

    @property
    def _done(self) -> Path:
        return self._folder / "done"

    @property
    def _refused(self) -> Path:
        return self._folder / "refused"


def make(stores: Stores) -> Inbox:
    """Return the importer of the folder inbox in the data folder."""
    folder, interval_seconds = stores.settings.data_dir / "inbox", stores.settings.intervals.inbox_seconds
    return Inbox(
        folder, partial(take_or_undo, stores), interval_seconds, looked_at_of(stores), partial(take_large, stores)
    )  # fmt: skip


def _in_the_way(error: OSError) -> str:
    """Return the file that stands where a folder should, empty for another error."""
    return str(error.filename) if isinstance(error, FileExistsError | NotADirectoryError) else ""


def _order(path: Path) -> Order:
    """Return what lies next to a file about how to take it. Raises OSError."""
    text = read_beside(beside(path, ORDER))
    return Order() if text is None else read_order(text)


def _is_candidate(name: str) -> bool:
    return not name.startswith((".", "~")) and not name.lower().endswith((*UNFINISHED, PROBLEMS, TAKEN, ORDER))
