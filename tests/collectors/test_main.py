"""The command line says what it understood, takes, lists and undoes; options that cannot be are named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.__main__ import main
from portfolio.imports.inbox import make
from storage.clickhouse.client import ClickHouse
from storage.folder import FolderLock
from storage.live.embedded import Valkey
from storage.stores import Stores

AMBIGUOUS = "Tag;Wert\n03/04/2023;1.000\n04/04/2023;1.100\n"
SAID = ["--portfolio", "Alpha", "--date-order", "dmy", "--decimal", ",", "--thousands", ".", "--currency", "EUR"]


@pytest.fixture
def file(
    tmp_path: Path, clickhouse_url: str, clickhouse: ClickHouse, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A file that leaves much open, and the settings of the stores that tests have."""
    for name, value in {
        "DATA_DIR": str(tmp_path / "data"),
        "CLICKHOUSE_URL": clickhouse_url,
        "CLICKHOUSE_DATABASE": clickhouse.database,
        "REDIS_URL": valkey.url,
        "STATE_URL": f"sqlite:///{tmp_path / 'state.sqlite'}",
    }.items():
        monkeypatch.setenv(f"FUNDWATCH_{name}", value)
    path = tmp_path / "alpha-2023-04.csv"
    path.write_text(AMBIGUOUS, encoding="utf-8")
    return path


def stored(clickhouse: ClickHouse) -> list[tuple[str, str, float]]:
    rows = clickhouse.rows("SELECT portfolio, toString(toDate(ts)), nav FROM nav FINAL ORDER BY 1, 2")
    return [(str(name), str(day), nav) for name, day, nav in rows]


def test_from_the_question_to_the_undo(file: Path, clickhouse: ClickHouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(file)]) == 1
    asked = capsys.readouterr().err
    assert "--portfolio NAME" in asked
    assert "2023-04-04 (--date-order dmy)" not in asked
    assert "2023-04-03 (--date-order dmy) or 2023-03-04 (--date-order mdy)" in asked
    assert "can be 1000 or 1.000" in asked
    assert main(["import", str(file), "--dry-run", *SAID]) == 0
    shown = capsys.readouterr().out
    assert "NAV of Alpha (too few to tell); 2 points, 2023-04-03 to 2023-04-04" in shown
    assert "line 3: 2023-04-04 Alpha 1,100" in shown
    assert stored(clickhouse) == []
    assert main(["import", str(file), *SAID]) == 0
    assert stored(clickhouse) == [("Alpha", "2023-04-03", 1000.0), ("Alpha", "2023-04-04", 1100.0)]
    following = file.with_name("alpha-2023-05.csv")
    following.write_text("Tag;Wert\n03/05/2023;1.200\n", encoding="utf-8")
    assert main(["import", str(following)]) == 0
    assert stored(clickhouse)[-1] == ("Alpha", "2023-05-03", 1200.0)
    capsys.readouterr()
    assert main(["imports"]) == 0
    newest, before, refused = capsys.readouterr().out.splitlines()
    assert "taken  alpha-2023-05.csv  1 row  nav of Alpha, 2023-05-03 to 2023-05-03  by " in newest
    assert "taken  alpha-2023-04.csv  2 rows" in before
    assert "refused  alpha-2023-04.csv" in refused
    number = before.split()[0]
    assert main(["undo", number]) == 0
    assert stored(clickhouse) == [("Alpha", "2023-05-03", 1200.0)]
    assert main(["undo", number]) == 1
    assert "is undone already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--kind", "fund"], "--kind 'fund': give one of nav, returns, prices"),
        (["--date-order", "ddmm"], "--date-order 'ddmm': give one of dmy, mdy, ymd"),
        (["--decimal", ",", "--thousands", ","], "--decimal and thousands are both ','"),
        (["--currency", "euro"], "--currency 'euro': give three capitals"),
        (["--currency", "ZZZ"], "--currency 'ZZZ': there is no currency ZZZ: give a code of ISO 4217 such as EUR"),
        (["--column", "Wert=worth"], "--column role 'worth': give one of date"),
    ],
)
def test_an_option_that_cannot_be_is_named(
    file: Path, option: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *option]) == 2
    assert told in capsys.readouterr().err


def test_options_and_undo_travel_to_the_fundwatch_that_runs(
    file: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CLICKHOUSE_URL", "REDIS_URL"):
        monkeypatch.delenv(f"FUNDWATCH_{name}")
    with running(stores):
        assert main(["import", str(file), "--dry-run", *SAID]) == 0
        assert "2 points, 2023-04-03 to 2023-04-04" in capsys.readouterr().out
        assert stored(stores.clickhouse) == []
        assert main(["import", str(file), *SAID]) == 0
        assert "new portfolio: Alpha (by the running Fundwatch)" in capsys.readouterr().out
        assert stored(stores.clickhouse) == [("Alpha", "2023-04-03", 1000.0), ("Alpha", "2023-04-04", 1100.0)]
        file.write_text("Tag;Wert\n05/04/2023;120.000\n", encoding="utf-8")
        assert main(["import", str(file)]) == 1
        assert "1,100 became 120,000" in capsys.readouterr().err
        assert main(["import", str(file), "--accept"]) == 0
        assert main(["imports"]) == 0
        number = capsys.readouterr().out.splitlines()[1].split()[0]
        assert main(["undo", number]) == 0
        assert "undone: 1 row removed" in capsys.readouterr().out
        assert stored(stores.clickhouse) == [("Alpha", "2023-04-03", 1000.0), ("Alpha", "2023-04-04", 1100.0)]
        assert main(["undo", "99"]) == 1
        assert "there is no import 99" in capsys.readouterr().err


def test_the_tree_is_listed_and_changed(file: Path, clickhouse: ClickHouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["portfolios"]) == 0
    assert "there is no portfolio yet" in capsys.readouterr().out
    assert main(["import", str(file), *SAID]) == 0
    assert main(["portfolios", "add", "Whole fund", "currency=EUR"]) == 0
    assert main(["portfolios", "set", "Alpha", "parent=Whole fund", "strategy=macro", "position="]) == 0
    assert main(["portfolios", "rename", "Alpha", "First"]) == 0
    capsys.readouterr()
    assert main(["portfolios"]) == 0
    whole, first, newest, *_ = capsys.readouterr().out.splitlines()
    assert whole == "Whole fund  currency EUR"
    assert first == "  First  id Alpha  strategy macro  currency EUR"
    assert "Alpha: name Alpha → First  by " in newest
    assert main(["portfolios", "set", "First", "currency=euro", "colour=9"]) == 1
    told = capsys.readouterr().err
    assert "currency: give three capitals such as USD" in told
    assert "colour: give one of 1, 2, 3, 4, 5, 6, or nothing" in told
    assert main(["portfolios", "set", "First", "currency"]) == 1
    assert "write FIELD=VALUE" in capsys.readouterr().err
    assert main(["portfolios", "end", "First", "2023-04-03"]) == 0
    assert main(["portfolios", "delete", "First", "--name", "Alpha"]) == 1
    assert "typed: type its name, First" in capsys.readouterr().err
    assert len(stored(clickhouse)) == 2
    assert main(["portfolios", "delete", "First", "--name", "First"]) == 0
    assert stored(clickhouse) == []


def test_changes_travel_to_the_fundwatch_that_runs(
    file: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CLICKHOUSE_URL", "REDIS_URL"):
        monkeypatch.delenv(f"FUNDWATCH_{name}")
    with running(stores):
        assert main(["import", str(file), *SAID]) == 0
        assert main(["portfolios", "add", "Beta", "currency=EUR"]) == 0
        assert "Beta added, id Beta. (by the running Fundwatch)" in capsys.readouterr().out
        assert main(["portfolios", "merge", "Alpha", "Beta"]) == 0
        assert "Alpha merged into Beta: 2 values" in capsys.readouterr().out
        assert main(["portfolios", "merge", "Alpha", "nothing"]) == 1
        assert "nothing" in capsys.readouterr().err
        assert [name for name, *_ in stored(stores.clickhouse)] == ["Beta", "Beta"]
        assert main(["portfolios", "set", "Beta", "ended=never", "currency=x"]) == 1
        told = capsys.readouterr().err
        assert told.splitlines() == [
            "Beta is as it was.",
            "  currency: give three capitals such as USD",
            "  ended: give a day such as 2020-01-31, or nothing",
        ]


@contextmanager
def running(stores: Stores) -> Iterator[None]:
    """Own the data folder and look into the inbox, as a running Fundwatch does."""
    stores.settings.data_dir.mkdir(exist_ok=True)
    lock = FolderLock(stores.settings.data_dir)
    inbox, stop = make(stores), threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            stores.clock.advance(inbox.interval_seconds)  # type: ignore[attr-defined]
            inbox.take_in(stores.clock.now())

    runs = threading.Thread(target=run)
    runs.start()
    try:
        yield
    finally:
        stop.set()
        runs.join()
        lock.release()
