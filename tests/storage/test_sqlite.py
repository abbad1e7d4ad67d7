"""SQLite files that several processes open at once."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from storage.sqlite import prepare


def test_a_new_file_that_another_process_is_opening_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.2, other.close).start()
    ours = sqlite3.connect(file, timeout=0)
    prepare(ours)
    assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ours.close()


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "notes.sqlite"
    file.write_text("not a database, but long enough to be looked at" * 20)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        prepare(sqlite3.connect(file))
