"""What was taken or refused is moved with all that belongs to it, also to another disk, whatever happens in between."""

from __future__ import annotations

import dataclasses
import itertools
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.model import Reading, Status
from portfolio.imports.inbox import Inbox
from portfolio.imports.order import Order

CONTENT = b"date,portfolio,nav\n2023-01-02,Alpha,100\n"
ORDER = b'{"said": {"portfolio": "Alpha"}, "accept": true}'
STEPS = frozenset({"open", "os.rename", "os.remove", "os.utime", "shutil.copyfile"})
KILLED = 9


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than tmp_path."""
    try:
        place = tempfile.TemporaryDirectory(dir="/dev/shm")
    except OSError:
        pytest.skip("there is no /dev/shm")
    with place as path:
        if Path(path).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system")
        yield Path(path)


@dataclasses.dataclass(frozen=True)
class Result:
    rows: int = 1


def inbox(folder: Path) -> Inbox:
    """Return the importer of a folder, which writes down each file that it takes, and whether it had its order."""

    def take(name: str, content: bytes | None, order: Order) -> Result:
        with (folder.parent / "taken").open("a") as taken:
            taken.write(f"{name} {order.accept}\n")
        return Result()

    return Inbox(folder, take)


def look(inbox: Inbox, first: int = 0, times: int = 2) -> Reading:
    for number in range(times):
        reading = inbox.take_in(1e9 + (first + number) * inbox.interval_seconds)
    return reading


def taken(folder: Path) -> list[str]:
    return (folder.parent / "taken").read_text().splitlines()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put(folder: Path, name: str, content: bytes = CONTENT, order: bytes | None = None) -> None:
    folder.mkdir(exist_ok=True)
    if order is not None:
        (folder / f"{name}.import.json").write_bytes(order)
    (folder / name).write_bytes(content)


def test_a_file_is_moved_to_another_file_system(tmp_path: Path, elsewhere: Path) -> None:
    folder = tmp_path / "inbox"
    put(folder, "nav.csv", order=ORDER)
    (folder / "done").symlink_to(elsewhere)
    reading = look(inbox(folder), times=4)
    assert taken(folder) == ["nav.csv True"]
    assert names(folder) == ["done", "refused"]
    assert names(elsewhere) == ["nav.csv", "nav.csv.import.json", "nav.csv.taken.txt"]
    assert (elsewhere / "nav.csv").read_bytes() == CONTENT
    assert (elsewhere / "nav.csv.import.json").read_bytes() == ORDER
    assert reading.components[0].status is Status.OK


def test_a_file_that_cannot_be_moved_leaves_nothing_where_it_should_go(tmp_path: Path, elsewhere: Path) -> None:
    """There is room for what is told of it, and none for itself."""
    folder = tmp_path / "inbox"
    put(folder, "nav.csv", CONTENT * 1_000, ORDER)
    (folder / "done").symlink_to(elsewhere)

    def look_without_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        why = look(inbox(folder), times=6).components[0].why
        assert why == "nav.csv: was taken, and cannot be moved: File too large", why

    assert in_child(look_without_room) == 0
    assert taken(folder) == ["nav.csv True"]
    assert names(elsewhere) == []
    assert names(folder) == ["done", "nav.csv", "nav.csv.import.json", "refused"]


def test_a_file_that_changes_while_it_is_copied_stays(tmp_path: Path, elsewhere: Path) -> None:
    folder = tmp_path / "inbox"
    put(folder, "nav.csv")
    (folder / "done").symlink_to(elsewhere)

    def change(event: str, arguments: tuple[object, ...]) -> None:
        if event == "shutil.copyfile":
            (folder / "nav.csv").write_bytes(CONTENT * 2)

    def look_meanwhile() -> None:
        sys.addaudithook(change)
        look(inbox(folder), times=3)

    assert in_child(look_meanwhile) == 0
    assert names(elsewhere) == []
    assert (folder / "nav.csv").read_bytes() == CONTENT * 2


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_kill_in_the_middle_parts_no_file_from_what_says_how_to_take_it(
    tmp_path: Path, elsewhere: Path, is_elsewhere: bool
) -> None:
    for step in itertools.count(1):
        folder = tmp_path / str(step) / "inbox"
        folder.mkdir(parents=True)
        put(folder, "nav.csv", order=ORDER)
        if is_elsewhere:
            (elsewhere / str(step)).mkdir()
            (folder / "done").symlink_to(elsewhere / str(step))
        code = in_child(lambda folder=folder, step=step: look_and_be_killed(folder, step))  # type: ignore[misc]
        look(inbox(folder), first=10)
        assert set(taken(folder)) == {"nav.csv True"}, step
        # A later one of that name has no order of its own.
        put(folder, "nav.csv", CONTENT * 2)
        look(inbox(folder), first=20)
        assert taken(folder)[-1] == "nav.csv False", step
        assert names(folder) == ["done", "refused"], step
        if code == 0:
            break
    assert step > 5


def look_and_be_killed(folder: Path, step: int) -> None:
    """Look at a folder until the n-th time that a file is opened, copied, moved or removed."""
    left = itertools.count(step, -1)

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and next(left) == 1:
            os._exit(KILLED)

    sys.addaudithook(kill)
    look(inbox(folder))


def in_child(work: Callable[[], object]) -> int:
    """Return the exit code of a process that does this work alone: 0 when it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            # Whatever it raised: what belongs to the parent is not the child's to end.
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
