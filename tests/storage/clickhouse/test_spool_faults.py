"""A spool that is damaged: what cannot be read is set aside and told, everything else goes on."""

from __future__ import annotations

import math
import sqlite3
import zlib
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from collectors.pipeline import storage_components
from core.errors import SpoolUnavailable, StorageRejected, StorageUnavailable
from core.model import Facts, Status
from storage.clickhouse.spool import Spool, pack, unpack
from storage.clickhouse.writer import Writer
from storage.damage import set_aside


def numbers(*values: float) -> Facts:
    return Facts("samples", ("series", "ts", "value"), ([1] * len(values), [0] * len(values), list(values)))


def spooled(file: Path, count: int) -> None:
    spool = Spool(file, 2**26)
    for value in range(count):
        spool.append(numbers(value, value + 0.5))
    spool.close()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not packed",
        b"x\x9c\x03\x00",
        zlib.compress(b"[1, 2]"),
        zlib.compress(b"{}"),
        None,
    ],
    ids=["empty", "noise", "cut", "a list", "no keys", "nothing"],
)
def test_a_batch_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, payload: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "spool.sqlite"
    spooled(file, 4)
    with closing(sqlite3.connect(file)) as damaged:
        damaged.execute("UPDATE batches SET payload = ? WHERE id = 2", (payload,))
        damaged.commit()
    stored: list[float] = []
    writer = Writer(lambda facts: stored.extend(facts.data[2]), Spool(file, 2**26))
    writer.put_facts(numbers(9))
    writer.flush()
    assert stored == [0, 0.5, 2, 2.5, 3, 3.5, 9]
    (part,) = [each for each in storage_components(writer.stats(), "", 2**26) if each.name == "spool"]
    assert part.status is Status.WARNING
    assert part.why == "1 batch (2 rows) set aside: refused by ClickHouse or unreadable"
    assert [line for line in caplog.messages if "a batch of 2 rows in the spool cannot be read" in line]
    again = Spool(file, 2**26)
    assert (len(again), again.stats().refused_batches, again.stats().refused_rows) == (0, 1, 2)
    with closing(sqlite3.connect(file)) as kept:
        assert kept.execute("SELECT payload, rows FROM refused").fetchall() == [(payload, 2)]


def test_a_batch_that_trips_what_sends_it_is_set_aside_too(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    spooled(file, 3)
    stored: list[float] = []

    def insert(facts: Facts) -> None:
        if facts.data[2][0] == 1:
            raise ZeroDivisionError("a fault of ours")
        stored.extend(facts.data[2])

    writer = Writer(insert, Spool(file, 2**26))
    writer.flush()
    assert stored == [0, 0.5, 2, 2.5]
    assert writer.stats().refused_rows == 2


class Wordless:
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError("no text")


ODD = [2**70, "half of \udcff a pair", math.inf, -math.inf, object(), Wordless()]
KEPT = ODD[:-1]


@pytest.mark.parametrize("fault", [StorageUnavailable("away"), StorageRejected("no such column"), OSError("a fault")])
@pytest.mark.parametrize("odd", ODD, ids=["long", "surrogate", "infinity", "-infinity", "object", "wordless"])
def test_a_batch_that_is_hard_to_write_holds_up_no_other(tmp_path: Path, fault: Exception, odd: object) -> None:
    stored: list[float] = []

    def insert(facts: Facts) -> None:
        if facts.table == "odd":
            raise fault
        stored.extend(facts.data[2])

    writer = Writer(insert, Spool(tmp_path / "spool.sqlite", 2**26))
    writer.put_facts(Facts("odd", ("value",), ([odd],)))
    writer.put_facts(numbers(1))
    writer.flush()
    stats = writer.stats()
    assert (stats.queued_rows, stats.stuck_why) == (0, "")
    assert stats.dropped_rows == (0 if odd in KEPT else 1)
    assert stats.refused_rows + stats.spooled_rows + stats.dropped_rows + len(stored) == 2


def test_what_cannot_be_written_at_the_end_takes_nothing_along(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    writer = Writer(lambda facts: None, spool)
    spool.append(numbers(1))
    writer.put_facts(Facts("odd", ("value",), ([Wordless()],)))
    writer.put_facts(numbers(2))
    writer.stop()
    assert (spool.stats().rows, writer.stats().dropped_rows) == (2, 1)


@pytest.mark.parametrize(
    ("odd", "back"),
    [
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (None, None),
        (2**70, 2.0**70),
        ("half of \udcff a pair", "half of ? a pair"),
        (np.float64(0.5), 0.5),
        (Decimal("1.5"), "1.5"),
    ],
)
def test_a_value_comes_back_from_disk_as_near_as_it_can(odd: object, back: object) -> None:
    facts = Facts("odd", ("value", "array"), ([odd], np.array([1.5])), "token")
    assert unpack(pack(facts)) == Facts("odd", ("value", "array"), ([back], [1.5]), "token")


def test_no_number_comes_back_from_disk_as_no_number() -> None:
    (value,) = unpack(pack(Facts("odd", ("value",), ([math.nan],)))).data[0]
    assert math.isnan(value)


def test_what_is_set_aside_is_bounded_and_what_no_longer_fits_is_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", limit_bytes=8_000)
    for value in range(100):
        spool.refuse(numbers(value), "no such table")
    stats = spool.stats()
    assert stats.refused_bytes <= 1_000
    assert stats.refused_batches > 0
    assert stats.refused_rows + stats.dropped_rows == 100
    spool.close()
    assert Spool(tmp_path / "spool.sqlite", limit_bytes=8_000).stats() == stats


def turned_to_noise(file: Path) -> Spool:
    """Return a spool whose file is damaged under it."""
    spooled(file, 300)
    with closing(sqlite3.connect(file)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool = Spool(file, 2**26)
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * (file.stat().st_size - 4096))
    return spool


def test_a_file_that_turns_to_noise_is_kept_aside_and_storing_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    spool = turned_to_noise(file)
    waiting = spool.stats().rows
    stored: list[float] = []
    writer = Writer(lambda facts: stored.extend(facts.data[2]), spool)
    writer.put_facts(numbers(7))
    writer.flush()
    writer.flush()
    assert stored == [7]
    assert writer.stats().spool_dropped_rows == waiting
    assert [path for path in tmp_path.iterdir() if ".damaged-" in path.name]
    spool.close()


def test_a_damaged_file_is_made_anew_as_soon_as_a_new_one_can_be_opened(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    spool = turned_to_noise(file)
    waiting = spool.stats().rows
    with pytest.raises(SpoolUnavailable):
        spool.oldest()
    file.mkdir()
    for _ in range(2):
        with pytest.raises(SpoolUnavailable, match="unable to open"):
            spool.append(numbers(1))
    file.rmdir()
    spool.append(numbers(1))
    assert (spool.stats().rows, spool.stats().dropped_rows) == (1, waiting)
    spool.close()
    assert Spool(file, 2**26).stats() == spool.stats()


def test_a_damaged_file_that_cannot_be_moved_stays_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = turned_to_noise(tmp_path / "spool.sqlite")
    waiting = spool.stats().rows

    def refused(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refused)
        for _ in range(2):
            with pytest.raises(SpoolUnavailable, match="cannot be set aside"):
                spool.oldest()
    with pytest.raises(SpoolUnavailable, match="malformed"):
        spool.oldest()
    spool.append(numbers(1))
    assert (spool.stats().rows, spool.stats().dropped_rows) == (1, waiting)
    spool.close()


def test_another_process_goes_over_to_the_new_file_too(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    first, second = Spool(file, 2**26), Spool(file, 2**26)
    assert set_aside(file) is not None
    new = Spool(file, 2**26)
    first.append(numbers(1))
    second.append(numbers(2))
    new.append(numbers(3))
    assert Spool(file, 2**26).stats().rows == 3
