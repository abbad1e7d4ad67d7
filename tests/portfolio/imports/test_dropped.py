"""Whatever lands in the watched folder is its own matter: taken once, refused once, or told; no other waits for it."""

from __future__ import annotations

import dataclasses
import gzip
import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import SourceUnavailable, StorageUnavailable
from core.model import Reading, Status
from portfolio.imports.dropped import free_path, told_name
from portfolio.imports.handover import hand_over
from portfolio.imports.inbox import STALLED_SECONDS, Inbox, make
from portfolio.imports.order import Order
from portfolio.imports.refused import read_refused, reasons, to_look_at
from portfolio.imports.whole import what_is_missing
from storage.state.imports import recent_imports
from storage.stores import Stores
from tests.support.old_workbook import old_workbook

GOOD = b"date,portfolio,nav,flow\n2023-01-02,Alpha,100,0\n"
BAD = GOOD + b"2023-01-03,Alpha,oops,0\n"


@pytest.fixture
def folder(stores: Stores) -> Path:
    return stores.settings.data_dir / "inbox"


@pytest.fixture
def inbox(stores: Stores) -> Inbox:
    made = make(stores)
    made.take_in(stores.clock.now())
    return made


def look(inbox: Inbox, stores: Stores, times: int = 1) -> Reading:
    for _ in range(times):
        stores.clock.advance(inbox.interval_seconds)  # type: ignore[attr-defined]
        reading = inbox.take_in(stores.clock.now())
    return reading


def outcomes(stores: Stores) -> list[str]:
    return [item.outcome for item in recent_imports(stores.state)]


def put(folder: Path, name: bytes, content: bytes) -> None:
    (folder / os.fsdecode(name)).write_bytes(content)


@pytest.mark.parametrize("length", [230, 242, 246, 255])
@pytest.mark.parametrize("content", [GOOD, BAD])
def test_a_name_as_long_as_names_can_be_is_settled_once(
    inbox: Inbox, folder: Path, stores: Stores, length: int, content: bytes
) -> None:
    put(folder, b"n" * (length - 4) + b".csv", content)
    look(inbox, stores, 5)
    assert len(outcomes(stores)) == 1
    assert [path.name for path in folder.iterdir() if path.is_file()] == []
    place = folder / ("done" if content == GOOD else "refused")
    (kept,) = [path for path in place.iterdir() if path.name.endswith(".csv")]
    assert kept.read_bytes() == content
    (beside,) = [path for path in place.iterdir() if path != kept]
    assert beside.name.startswith(kept.name)


def test_a_name_that_is_no_text_is_taken_and_refused_like_any_other(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"a\xff\xfe.csv", BAD)
    put(folder, b"b\xe9t\xe9.csv", GOOD)
    put(folder, b"c\n\x1b[31m.csv", GOOD)
    put(folder, b"d.csv", GOOD)
    reading = look(inbox, stores, 2)
    assert sorted(outcomes(stores)) == ["refused", "taken", "taken", "taken"]
    names = {row[1] for row in reading.tables[0].rows}
    assert names == {"a��.csv", "b�t�.csv", "c��[31m.csv", "d.csv"}
    (refused,) = to_look_at(stores)
    assert refused.name == "a��.csv"
    assert "nav is no number" in " ".join(reasons(refused))
    assert read_refused(refused) == (BAD, Order())


def test_what_lies_in_refused_under_a_name_that_is_no_text_is_listed(
    folder: Path, inbox: Inbox, stores: Stores
) -> None:
    put(folder / "refused", b"\xff.csv", BAD)
    put(folder / "refused", b"\xff.csv.problems.txt", b"why\nbecause\n")
    (refused,) = to_look_at(stores)
    assert (refused.name, reasons(refused), read_refused(refused)[0]) == ("�.csv", ["because"], BAD)


@given(
    name=st.binary(min_size=1, max_size=255).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b".."))
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_has_a_free_place_that_leaves_room_for_what_is_told_of_it(tmp_path: Path, name: bytes) -> None:
    place = free_path(tmp_path, os.fsdecode(name), 1.7e9)
    assert len(os.fsencode(place.name)) <= 255 - len(".problems.txt")
    place.name.encode()
    for ending in ("", ".problems.txt"):
        place.with_name(f"{place.name}{ending}").touch()
    assert not free_path(tmp_path, os.fsdecode(name), 1.7e9).exists()


def test_a_file_whose_last_line_does_not_end_waits_for_the_rest(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv", GOOD[:-3])
    put(folder, b"other.csv", GOOD.replace(b"Alpha", b"Beta"))
    reading = look(inbox, stores, 4)
    assert outcomes(stores) == ["taken"]
    assert reading.components[0].status is Status.WARNING
    assert reading.components[0].why == "nav.csv: its last line does not end: the rest may not have come"
    put(folder, b"nav.csv", GOOD)
    look(inbox, stores, 2)
    assert outcomes(stores) == ["taken", "taken"]


def test_a_file_whose_end_never_comes_is_refused_with_what_to_do(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv", GOOD[:-3])
    look(inbox, stores, 2)
    stores.clock.advance(STALLED_SECONDS)  # type: ignore[attr-defined]
    look(inbox, stores)
    told = (folder / "refused" / "nav.csv.problems.txt").read_text(encoding="utf-8")
    assert "its last line does not end" in told and "on the page Import" in told
    assert (folder / "refused" / "nav.csv").read_bytes() == GOOD[:-3]


@pytest.mark.parametrize("name", ["nav.xlsx", "NAV.XLS", "nav.ods", "nav.parquet"])
def test_a_workbook_that_does_not_begin_as_one_has_no_last_line(name: str) -> None:
    assert what_is_missing(name, b"\0" * 4096) == "its end is missing: the rest may not have come"


def test_a_file_that_was_taken_or_refused_is_private_at_once(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv", GOOD)
    put(folder, b"bad.csv", BAD)
    for name in ("nav.csv", "bad.csv"):
        (folder / name).chmod(0o644)
    look(inbox, stores, 3)
    kept = [folder / "done" / "nav.csv", folder / "refused" / "bad.csv"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600, 0o600]


def test_two_looks_in_a_moment_are_no_interval(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv", GOOD)
    for _ in range(3):
        inbox.take_in(stores.clock.now())
    assert outcomes(stores) == []


def test_who_hands_a_file_over_knows_that_it_is_whole(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv.import.json", b'{"whole": true}')
    put(folder, b"nav.csv", GOOD[:-1])
    look(inbox, stores, 2)
    assert outcomes(stores) == ["taken"]


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _parquet() -> bytes:
    import pyarrow.parquet as pq

    packed = io.BytesIO()
    pq.write_table(pa.table({"date": ["2023-01-02"], "nav": [1.0]}), packed)
    return packed.getvalue()


@pytest.mark.parametrize(
    "made",
    [
        lambda: _zip("nav.csv", GOOD[:-1]),
        lambda: gzip.compress(GOOD[:-1] * 500),
        lambda: old_workbook([["date", "nav"], ["2023-01-02", 1.0]]),
        _parquet,
        lambda: GOOD.decode().encode("utf-16"),
        lambda: GOOD.decode().encode("utf-32-be"),
        lambda: GOOD.replace(b"\n", b"\r"),
    ],
)
def test_each_format_has_an_end_of_its_own(made: Callable[[], bytes]) -> None:
    content = made()
    assert what_is_missing("x", content) == ""
    for part in (0.3, 0.6, 0.9):
        assert what_is_missing("x", content[: int(len(content) * part)])
    # What is left out of the last sector of an .xls file, 512 bytes, may be nothing.
    assert what_is_missing("x", content[: -600 if content.startswith(b"\xd0\xcf") else -5])


def test_rows_have_the_end_of_how_they_are_written() -> None:
    table = pa.table({"value": [1.5] * 50})
    for new in (pa.ipc.new_stream, pa.ipc.new_file):
        sink = pa.BufferOutputStream()
        with new(sink, table.schema) as stream:
            stream.write_table(table)
        content = sink.getvalue().to_pybytes()
        assert what_is_missing("fills.arrow", content) == ""
        assert what_is_missing("fills.arrow", content[:-4])
    assert what_is_missing("fills.json", b'[{"value": 1}]') == ""
    assert what_is_missing("fills.json", b'[{"value": 1},')


def test_a_file_laid_out_before_it_is_written_is_not_whole() -> None:
    assert what_is_missing("x.csv", GOOD + b"\0" * 4096)


def test_what_is_no_file_is_told_and_holds_up_none(inbox: Inbox, folder: Path, stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(GOOD)
    (folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(folder / "b.csv")
    (folder / "c.csv").symlink_to(folder / "nowhere")
    (folder / "folder.csv").mkdir()
    put(folder, b"good.csv", GOOD)
    reading = look(inbox, stores, 2)
    assert outcomes(stores) == ["taken"]
    assert reading.components[0].status is Status.WARNING
    assert reading.components[0].why == "a.csv: is a link: give the file itself; and 2 more files"
    assert {row[1]: row[4] for row in reading.tables[0].rows if row[2] == "waits"} == {
        "a.csv": "is a link: give the file itself",
        "b.csv": "is a pipe: give a file",
        "c.csv": "is a link: give the file itself",
    }
    for name in ("a.csv", "b.csv", "c.csv"):
        (folder / name).unlink()
    assert look(inbox, stores).components[0].why.endswith("folders in it are left alone: folder.csv")


def test_a_pipe_or_a_link_put_in_a_files_place_is_not_opened(inbox: Inbox, folder: Path, stores: Stores) -> None:
    for name in (b"a.csv", b"b.csv"):
        put(folder, name, GOOD)
    look(inbox, stores)
    look_before = inbox._look

    def swap_after(now: float) -> None:
        look_before(now)
        (folder / "a.csv").unlink()
        os.mkfifo(folder / "a.csv")
        (folder / "b.csv").rename(folder / ".b")
        (folder / "b.csv").symlink_to(folder / ".b")

    inbox._look = swap_after  # type: ignore[method-assign]
    look(inbox, stores)
    assert outcomes(stores) == []


def test_a_file_that_vanishes_under_the_reader_is_no_failure(inbox: Inbox, folder: Path, stores: Stores) -> None:
    for name in (b"a.csv", b"b.csv"):
        put(folder, name, GOOD)
    look(inbox, stores)
    look_before = inbox._look

    def vanish_after(now: float) -> None:
        look_before(now)
        (folder / "a.csv").unlink()

    inbox._look = vanish_after  # type: ignore[method-assign]
    assert look(inbox, stores).components[0].status is Status.OK
    assert outcomes(stores) == ["taken"]


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read_is_told(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"a.csv", GOOD)
    (folder / "a.csv").chmod(0)
    reading = look(inbox, stores, 2)
    assert "cannot be read: Permission denied" in reading.components[0].why


def _failing(folder: Path, error: Callable[[], Exception]) -> tuple[Inbox, list[str]]:
    taken: list[str] = []

    def take(name: str, content: bytes | None, order: Order) -> object:
        if name.startswith("bad"):
            raise error()
        taken.append(name)
        return dataclasses.make_dataclass("Result", [("rows", int)])(1)

    return Inbox(folder, take), taken  # type: ignore[arg-type]


def test_a_file_that_breaks_the_reader_is_refused_and_the_others_are_taken(folder: Path, stores: Stores) -> None:
    inbox, taken = _failing(folder, lambda: RecursionError("deep"))
    look(inbox, stores)
    for name in (b"bad.csv", b"good.csv"):
        put(folder, name, GOOD)
    look(inbox, stores, 2)
    assert taken == ["good.csv"]
    assert "Fundwatch failed on it (RecursionError)" in (folder / "refused" / "bad.csv.problems.txt").read_text()


def test_a_file_that_is_too_much_for_storage_holds_up_no_other(folder: Path, stores: Stores) -> None:
    inbox, taken = _failing(folder, lambda: StorageUnavailable("memory limit exceeded"))
    look(inbox, stores)
    for number in range(30):
        put(folder, b"bad%d.csv" % number, GOOD)
    put(folder, b"good.csv", GOOD)
    for _ in range(20):
        try:
            look(inbox, stores)
        except SourceUnavailable:
            continue
    assert taken == ["good.csv"]
    assert (folder / "bad1.csv").exists()


def test_a_file_that_was_taken_and_cannot_be_moved_is_not_taken_again(
    inbox: Inbox, folder: Path, stores: Stores
) -> None:
    put(folder, b"nav.csv", GOOD)
    look(inbox, stores)
    (folder / "done").rmdir()
    make_before = inbox._look

    def without_done(now: float) -> None:
        make_before(now)
        (folder / "done").rmdir()

    inbox._look = without_done  # type: ignore[method-assign]
    reading = look(inbox, stores, 4)
    assert outcomes(stores) == ["taken"]
    assert "nav.csv: was taken, and cannot be moved" in reading.components[0].why
    inbox._look = make_before  # type: ignore[method-assign]
    look(inbox, stores)
    assert outcomes(stores) == ["taken"]
    assert (folder / "done" / "nav.csv").exists()


@pytest.mark.parametrize("beside", [b"\xff\xfe", b"[" * 100_000, b"{}{}", b'{"said": {"columns": 5}}'])
def test_what_lies_next_to_a_file_and_is_no_order_is_told(
    inbox: Inbox, folder: Path, stores: Stores, beside: bytes
) -> None:
    put(folder, b"a.csv.import.json", beside)
    put(folder, b"a.csv", GOOD)
    put(folder, b"b.csv", GOOD)
    look(inbox, stores, 2)
    assert outcomes(stores) == ["taken"]
    told = (folder / "refused" / "a.csv.problems.txt").read_text(encoding="utf-8")
    assert "a.csv.import.json does not say how to read it" in told
    assert (folder / "refused" / "a.csv.import.json").read_bytes() == beside


def test_a_file_of_any_name_can_be_handed_over(folder: Path, stores: Stores, tmp_path: Path) -> None:
    name = b"\xff" + b"n" * 250 + b".csv"
    put(tmp_path, name[:255], BAD)
    with pytest.raises(Exception, match="nothing imported"):
        hand_over(
            stores.settings.model_copy(update={"state_url": str(stores.state.url)}),
            tmp_path / os.fsdecode(name[:255]),
        )
    assert told_name(os.fsdecode(name[:255])).startswith("�nnn")


def test_kept_files_are_regular(inbox: Inbox, folder: Path, stores: Stores) -> None:
    put(folder, b"nav.csv", GOOD)
    look(inbox, stores, 2)
    assert all(stat.S_ISREG(path.lstat().st_mode) for path in (folder / "done").iterdir())
