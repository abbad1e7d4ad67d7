"""The watched folder loses nothing, takes nothing half, and says what is wrong."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import pytest

from core.errors import SourceUnavailable
from core.model import Reading, Status
from portfolio.imports.handover import hand_over
from portfolio.imports.inbox import Inbox, make
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.restatements import restatements
from storage.stores import Stores

GOOD = "date,portfolio,nav,flow\n2023-01-02,Alpha,100,0\n"
BAD = "date,portfolio,nav,flow\n2023-01-02,Alpha,100,0\n2023-01-03,Alpha,oops,0\n"


@pytest.fixture
def folder(stores: Stores) -> Path:
    return stores.settings.data_dir / "inbox"


@pytest.fixture
def inbox(stores: Stores) -> Inbox:
    made = make(stores)
    made.take_in(stores.clock.now())
    return made


def look(inbox: Inbox, stores: Stores) -> Reading:
    stores.clock.advance(inbox.interval_seconds)  # type: ignore[attr-defined]
    return inbox.take_in(stores.clock.now())


def nav(stores: Stores) -> list[tuple[str, float]]:
    return [(str(name), value) for name, value in stores.clickhouse.rows("SELECT portfolio, nav FROM nav FINAL")]


def test_a_good_file_is_taken_and_kept_in_done(inbox: Inbox, folder: Path, stores: Stores) -> None:
    (folder / "nav.csv").write_text(GOOD, encoding="utf-8")
    look(inbox, stores)
    assert nav(stores) == []
    reading = look(inbox, stores)
    assert nav(stores) == [("Alpha", 100.0)]
    assert (folder / "done" / "nav.csv").read_text(encoding="utf-8") == GOOD
    assert not (folder / "nav.csv").exists()
    assert reading.components[0].status is Status.OK
    assert reading.tables[0].rows[0][1:4] == ("nav.csv", "taken", 1)


def test_a_look_that_finds_nothing_new_is_no_news(inbox: Inbox, folder: Path, stores: Stores) -> None:
    assert not look(inbox, stores).is_news
    (folder / "nav.csv").write_text(GOOD, encoding="utf-8")
    assert [look(inbox, stores).is_news for _ in range(3)] == [True, True, False]


def test_a_restating_file_says_how_much_it_restated(inbox: Inbox, folder: Path, stores: Stores) -> None:
    for nav_of_the_day, why in (
        ("100", "to 2023-01-02; new portfolio: Alpha; currency of Alpha not told: USD"),
        ("90", "to 2023-01-02, 1 of them restated"),
        ("90", "as import 2."),
    ):
        (folder / "nav.csv").write_text(GOOD.replace("100", nav_of_the_day), encoding="utf-8")
        look(inbox, stores)
        reading = look(inbox, stores)
        assert reading.tables[0].rows[0][4].endswith(why)
    (mark,) = restatements(stores.clickhouse, "own", ["Alpha"])
    assert (mark.was, mark.now, mark.source) == (100.0, 90.0, "nav.csv")


def test_whoever_hands_a_file_over_hears_what_came_of_it(
    inbox: Inbox, folder: Path, stores: Stores, tmp_path: Path
) -> None:
    settings = stores.settings.model_copy(update={"state_url": f"sqlite:///{tmp_path / 'state.sqlite'}"})
    said = []
    pause = threading.Event()
    for nav_of_the_day in ("100", "90"):
        (tmp_path / "nav.csv").write_text(GOOD.replace("100", nav_of_the_day), encoding="utf-8")
        giver = threading.Thread(target=lambda: said.append(hand_over(settings, tmp_path / "nav.csv")))
        giver.start()
        while giver.is_alive():
            look(inbox, stores)
            pause.wait(0.05)
    assert said == [
        "nav.csv: 1 row of Alpha taken, 2023-01-02 to 2023-01-02; new portfolio: Alpha; "
        "currency of Alpha not told: USD (by the running Fundwatch)",
        "nav.csv: 1 row of Alpha taken, 2023-01-02 to 2023-01-02, 1 of them restated (by the running Fundwatch)",
    ]


def test_a_file_still_being_written_is_left_alone(inbox: Inbox, folder: Path, stores: Stores) -> None:
    file = folder / "nav.csv"
    file.write_text(GOOD, encoding="utf-8")
    for day in range(3, 6):
        look(inbox, stores)
        with file.open("a", encoding="utf-8") as growing:
            growing.write(f"2023-01-0{day},Alpha,100,0\n")
    look(inbox, stores)
    assert nav(stores) == []
    look(inbox, stores)
    assert len(nav(stores)) == 4


def test_a_bad_file_is_refused_with_line_and_reason(inbox: Inbox, folder: Path, stores: Stores) -> None:
    (folder / "nav.csv").write_text(BAD, encoding="utf-8")
    look(inbox, stores)
    reading = look(inbox, stores)
    assert nav(stores) == []
    assert (folder / "refused" / "nav.csv").read_text(encoding="utf-8") == BAD
    report = (folder / "refused" / "nav.csv.problems.txt").read_text(encoding="utf-8")
    assert "line 3 ('oops'): nav is no number" in report
    assert reading.components[0].status is Status.WARNING
    assert reading.components[0].why == "1 refused file to look at on the page Import, newest nav.csv"


def test_a_wrong_encoding_and_a_bad_file_do_not_hold_up_a_good_one(inbox: Inbox, folder: Path, stores: Stores) -> None:
    (folder / "a.csv").write_bytes(b"\xff\x00\x81" + GOOD.encode())
    (folder / "b.csv").write_text(BAD, encoding="utf-8")
    (folder / "c.csv").write_text(GOOD, encoding="utf-8")
    look(inbox, stores)
    look(inbox, stores)
    assert nav(stores) == [("Alpha", 100.0)]
    assert sorted(path.name for path in (folder / "refused").glob("*.csv")) == ["a.csv", "b.csv"]


def test_no_file_is_ever_overwritten(inbox: Inbox, folder: Path, stores: Stores) -> None:
    contents = [GOOD, GOOD.replace("100", "200"), GOOD.replace("100", "300")]
    for content in contents:
        (folder / "nav.csv").write_text(content, encoding="utf-8")
        look(inbox, stores)
        look(inbox, stores)
    kept = {path.read_text(encoding="utf-8") for path in (folder / "done").glob("*.csv")}
    assert kept == set(contents)
    assert nav(stores) == [("Alpha", 300.0)]


def test_while_clickhouse_is_away_the_file_waits(inbox: Inbox, folder: Path, stores: Stores) -> None:
    away = dataclasses.replace(stores, clickhouse=ClickHouse("http://127.0.0.1:9", "none"))
    waiting = make(away)
    (folder / "nav.csv").write_text(GOOD, encoding="utf-8")
    look(waiting, stores)
    with pytest.raises(SourceUnavailable, match=r"nav\.csv waits"):
        look(waiting, stores)
    assert (folder / "nav.csv").read_text(encoding="utf-8") == GOOD
    look(inbox, stores)
    look(inbox, stores)
    assert nav(stores) == [("Alpha", 100.0)]


def test_a_file_changed_after_the_look_waits_for_the_next(folder: Path, stores: Stores) -> None:
    """The writer may come back between the look and the reading: what was read then must not be taken."""
    inbox = make(stores)
    inbox.take_in(stores.clock.now())
    file = folder / "nav.csv"
    file.write_text(GOOD, encoding="utf-8")
    os.utime(file, ns=(1, 1))
    look(inbox, stores)
    file.write_text(GOOD, encoding="utf-8")
    look(inbox, stores)
    assert nav(stores) == []


def test_unfinished_hidden_and_foreign_things_stay_untouched(inbox: Inbox, folder: Path, stores: Stores) -> None:
    for name in ("nav.csv.part", ".hidden.csv", "~lock.csv"):
        (folder / name).write_text(GOOD, encoding="utf-8")
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(folder / ".hidden.csv")
    look(inbox, stores)
    look(inbox, stores)
    assert nav(stores) == []
    assert len(list(folder.iterdir())) == 5 + 2


def test_a_folder_that_cannot_be_made_is_an_outage_of_the_source(tmp_path: Path, stores: Stores) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    inbox = Inbox(tmp_path / "file" / "inbox", lambda name, content, order: pytest.fail("nothing to take"))
    with pytest.raises(SourceUnavailable, match="inbox"):
        inbox.take_in(stores.clock.now())


def test_what_lies_next_to_a_file_says_how_to_take_it_and_moves_with_it(
    inbox: Inbox, folder: Path, stores: Stores
) -> None:
    (folder / "x.csv.import.json").write_text('{"said": {"portfolio": "A"}, "accept": true}', encoding="utf-8")
    (folder / "x.csv").write_text("date,nav\n2023-01-02,1\n2023-01-03,100\n", encoding="utf-8")
    look(inbox, stores)
    reading = look(inbox, stores)
    assert nav(stores) == [("A", 1.0), ("A", 100.0)]
    assert sorted(path.name for path in (folder / "done").iterdir()) == [
        "x.csv",
        "x.csv.import.json",
        "x.csv.taken.txt",
    ]
    assert reading.components[0].status is Status.OK
    (folder / "y.csv.import.json").write_text('{"said": {"kind": "fund"}}', encoding="utf-8")
    (folder / "y.csv").write_text(GOOD, encoding="utf-8")
    look(inbox, stores)
    reading = look(inbox, stores)
    report = (folder / "refused" / "y.csv.problems.txt").read_text(encoding="utf-8")
    assert "does not say how to read it: kind 'fund': give one of nav, returns, prices" in report
    assert reading.components[0].why.startswith("1 refused")


def test_an_undo_that_is_none_is_refused(inbox: Inbox, folder: Path, stores: Stores) -> None:
    (folder / "a.undo.json").write_text("{}", encoding="utf-8")
    look(inbox, stores)
    look(inbox, stores)
    assert "does not say which import" in (folder / "refused" / "a.undo.json.problems.txt").read_text(encoding="utf-8")
