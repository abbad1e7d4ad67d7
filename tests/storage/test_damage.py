"""What a start says of a data folder that was hurt: the file, the cause and the way out; nothing is lost silently."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.folder import FolderLock, keep_private
from tests.support.servers import ROOT

START = """
import sys
from pathlib import Path
from core.errors import FundwatchError
from core.settings.model import Settings
from storage.stores import open_stores
from portfolio.imports.take import import_file
try:
    stores = open_stores(Settings(data_dir=Path(sys.argv[1]), machine="m"))
except FundwatchError as error:
    print(f"{type(error).__name__}: {error}".encode("ascii", "replace").decode())
    raise SystemExit(2)
for sentence in stores.told:
    print(sentence)
for file in sys.argv[2:]:
    import_file(stores, Path(file))
stores.close()
"""
"""A process of its own: one can have one in-process ClickHouse."""


def start(folder: Path, *files: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", START, str(folder), *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.strip()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with NAV of two portfolios."""
    place = tmp_path_factory.mktemp("whole")
    (place / "nav.csv").write_text("date,portfolio,nav,flow\n2024-01-02,A,1,0\n2024-01-03,B,1,0\n")
    assert start(place / "data", place / "nav.csv") == (0, "")
    return place / "data"


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "data", symlinks=True))


def in_sqlite(file: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute(sql)
        database.commit()


def into_a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "x").touch()


def into_a_file(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


@pytest.mark.parametrize(
    ("hurt", "told"),
    [
        (lambda at: into_a_folder(at / "owner.lock"), ("owner.lock: Is a directory", "move it away")),
        (lambda at: (at / "state.sqlite").write_bytes(os.urandom(9_000)), ("state.sqlite: it is damaged", "restore")),
        (lambda at: os.truncate(at / "state.sqlite", 50_000), ("state.sqlite: it is damaged", "restore")),
        (lambda at: into_a_folder(at / "state.sqlite"), ("state.sqlite: it is a folder", "restore")),
        (
            lambda at: in_sqlite(at / "state.sqlite", "UPDATE alembic_version SET version_num = '9999'"),
            ("state.sqlite: made by a newer Fundwatch (schema 9999", "start that one"),
        ),
        (
            lambda at: in_sqlite(at / "state.sqlite", "DROP TABLE alembic_version"),
            ("state.sqlite: has tables and no schema version", "restore"),
        ),
        (lambda at: into_a_file(at / "clickhouse"), ("clickhouse: Code:", "restore")),
        (
            lambda at: next((at / "clickhouse").rglob("nav.sql")).write_bytes(os.urandom(500)),
            ("clickhouse: Code:", "restore"),
        ),
    ],
)
def test_what_a_start_cannot_do_without_is_named_with_the_way_out(
    folder: Path, hurt: Callable[[Path], object], told: tuple[str, str]
) -> None:
    hurt(folder)
    code, said = start(folder)
    assert code == 2
    assert said.startswith("StartError: ") and "\n" not in said
    assert all(words in said for words in told)


@pytest.mark.parametrize(
    ("hurt", "kept", "told"),
    [
        (
            lambda at: (at / "spool.sqlite").write_bytes(b"x" * 9_000),
            "spool.sqlite",
            "rows that waited in it for ClickHouse",
        ),
        (lambda at: into_a_folder(at / "spool.sqlite"), "spool.sqlite", "rows that waited in it for ClickHouse"),
        (lambda at: (at / "valkey" / "dump.rdb").write_bytes(b"x" * 90), "valkey", "newest readings come again"),
        (lambda at: into_a_folder(at / "valkey" / "valkey.log"), "valkey", "newest readings come again"),
        (lambda at: into_a_file(at / "valkey"), "valkey", "newest readings come again"),
    ],
)
def test_what_can_be_spared_is_moved_aside_and_told(
    folder: Path, hurt: Callable[[Path], object], kept: str, told: str
) -> None:
    hurt(folder)
    code, said = start(folder)
    assert (code, said.count("\n")) == (0, 0)
    (aside,) = folder.glob(f"{kept}.damaged-*")
    assert f"{folder / kept}: " in said and told in said and aside.name in said
    assert start(folder) == (0, ""), "told once"


def test_an_emptied_state_database_is_told_with_what_it_does_not_know(folder: Path) -> None:
    (folder / "state.sqlite").write_bytes(b"")
    code, said = start(folder)
    assert code == 0
    assert said.startswith("the state database was empty, and ClickHouse holds NAV of 2 portfolios: names")
    assert "restore state.sqlite" in said


def test_damaged_parts_are_counted_with_their_rows(folder: Path) -> None:
    for file in (folder / "clickhouse").rglob("checksums.txt"):
        file.write_bytes(b"no checksums")
    code, said = start(folder)
    assert code == 0
    parts, lost = said.splitlines()
    assert parts.startswith("ClickHouse set aside ") and "nav 1" in parts and "restore a copy" in parts
    assert lost.startswith("ClickHouse holds no NAV, and 1 import brought 2 rows: they are missing")
    assert start(folder)[1].splitlines()[0].startswith("ClickHouse set aside "), "as long as they are missing"


def test_a_lost_clickhouse_is_told_with_what_it_held(folder: Path) -> None:
    shutil.rmtree(folder / "clickhouse")
    assert "1 import brought 2 rows: they are missing" in start(folder)[1]


def open_to_others(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [str(path) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()]


def test_everything_in_the_data_folder_is_private_from_the_first_start_on(whole: Path, tmp_path: Path) -> None:
    assert open_to_others(whole) == []


def test_an_open_data_folder_is_closed_once_and_told(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "inbox" / "done").mkdir(parents=True)
    (folder / "inbox" / "done" / "nav.csv").touch(0o644)
    said = keep_private(folder)
    assert "open to other users, and are private now (700, 600)" in said
    assert open_to_others(folder) == [str(folder / "inbox")], "it is as whoever made it made it"
    assert keep_private(folder) == ""


@pytest.mark.parametrize(("inbox", "above"), [(0o700, 0o700), (0o2770, 0o710), (0o777, 0o711), (0o755, 0o700)])
def test_who_may_drop_files_keeps_the_way_to_the_inbox(tmp_path: Path, inbox: int, above: int) -> None:
    folder = tmp_path / "data"
    (folder / "inbox").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "inbox").chmod(inbox)
    given = folder / "inbox" / "nav.csv"
    given.touch()
    given.chmod(0o644)
    keep_private(folder)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "inbox", given)]
    assert modes == [above, inbox, 0o644]


def test_a_folder_that_was_deleted_or_replaced_under_its_owner_is_noticed(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "data")
    assert lock.is_there()
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")
    assert not lock.is_there()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "owner.lock").touch()
    assert not lock.is_there()
    lock.release()
