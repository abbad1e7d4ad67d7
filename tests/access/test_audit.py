"""The audit: added to and never changed, in both databases; copied to ClickHouse, each row once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from access.audit import record
from access.mirror import NAME, Mirror
from core.errors import SourceUnavailable, StorageRejected
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.mirror import BATCH_ROWS
from storage.state.actions import FAILED, finish_action, request_action
from storage.state.audit import Wanted, count_entries, known_of, read_entries, set_mark
from storage.state.changes import Change, record_change
from storage.state.database import State
from storage.state.imports import (
    REFUSED,
    TAKEN,
    TAKING,
    UNDONE,
    Import,
    change_import,
    record_import,
    start_import,
)
from tests.support.fresh_state import fresh_postgres
from tests.support.servers import ROOT, ClickHouseServer

NOW = 1_700_000_000.0


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    """An empty state database of each kind."""
    if request.param == "sqlite":
        database = State(f"sqlite:///{tmp_path / 'either.sqlite'}")
        database.migrate()
    else:
        database = fresh_postgres(request.getfixturevalue("postgres_url"))
    yield database
    database.close()


def put(state: State, count: int, at: float = NOW) -> None:
    for number in range(count):
        record(state, who="anna", what="token made", target=f"token {number}", address="10.0.0.7", at=at + number)


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_what_was_said(either: State, change: str) -> None:
    put(either, 3)
    with pytest.raises(StorageRejected, match="append-only"), either.begin() as connection:
        connection.execute(sa.text(change))
    assert [each.who for each in read_entries(either)] == ["anna"] * 3


def test_no_line_of_ours_changes_a_row_of_the_audit() -> None:
    changing = re.compile(
        r"(?:sa\.)?(?:update|delete)\(\s*audit\b|(?:UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?)\s+audit\b"
    )
    ours = [path for folder in ("access", "api", "collectors", "dashboard", "portfolio", "sample", "status", "storage")
            for path in (ROOT / folder).rglob("*.py")]  # fmt: skip
    assert len(ours) > 300
    assert [str(path) for path in ours if changing.search(path.read_text(encoding="utf-8"))] == []


def test_what_is_asked_for_is_found_newest_first_and_page_by_page(either: State) -> None:
    put(either, 5)
    record(either, who="otto", what="signed in", outcome="refused", at=NOW + 60)
    newest, older = read_entries(either, limit=4), read_entries(either, before=read_entries(either, limit=4)[-1].id)
    assert [each.at - NOW for each in newest] == [60, 4, 3, 2]
    assert [each.at - NOW for each in older] == [1, 0]
    assert [each.who for each in read_entries(either, Wanted(outcome="refused"))] == ["otto"]
    assert count_entries(either, Wanted(who="anna", since=NOW + 1, until=NOW + 3)) == 2
    assert known_of(either) == (["anna", "otto"], ["signed in", "token made"])


def test_an_outcome_that_there_is_not_is_refused_and_long_texts_are_cut(state: State) -> None:
    with pytest.raises(ValueError, match="maybe"):
        record(state, who="anna", what="signed in", outcome="maybe", at=NOW)
    record(state, who="a" * 500, what="signed in", detail="d" * 100_000, at=NOW)
    (entry,) = read_entries(state)
    assert (len(entry.who), len(entry.detail)) == (80, 2_000)


def test_what_people_do_stands_in_the_audit(state: State) -> None:
    number = request_action(state, NOW, "redis:main", "end_client", "17", "anna")
    finish_action(state, NOW + 1, number, FAILED, "it has gone already")
    with state.begin() as connection:
        record_change(connection, Change(NOW + 2, "anna", "macro", "set", "name: Macro → Global macro"))
    item = Import(NOW + 3, "nav.csv", "", 0, TAKING, who="anna")
    change_import(state, start_import(state, item), outcome=TAKEN)
    change_import(state, 1, outcome=UNDONE, undone_by="otto")
    record_import(state, "bad.csv", "", 0, REFUSED, "line 3: no date", "anna")
    told = [(each.who, each.what, each.target, each.outcome) for each in reversed(read_entries(state))]
    assert told == [
        ("anna", "action asked for", "redis:main: end_client 17", "done"),
        ("anna", "action done", "redis:main: end_client 17", "failed"),
        ("anna", "portfolio changed", "macro", "done"),
        ("anna", "import taken", "nav.csv", "done"),
        ("otto", "import undone", "nav.csv", "done"),
        ("anna", "file refused", "bad.csv", "refused"),
    ]


def copied(clickhouse: ClickHouse) -> list[tuple[int, str]]:
    """Every row in ClickHouse, also what would only be merged away later."""
    return [(int(id), str(target)) for id, target in clickhouse.rows("SELECT id, target FROM audit ORDER BY id, at")]


def expected(state: State) -> list[tuple[int, str]]:
    return [(each.id, each.target) for each in reversed(read_entries(state, limit=1_000_000))]


def test_each_row_is_copied_once_however_often_it_is_tried(state: State, clickhouse: ClickHouse) -> None:
    mirror = Mirror(state, clickhouse)
    put(state, 7)
    mirror.take_in(NOW)
    set_mark(state, NAME, 0)  # it ended between copying and remembering that
    put(state, 2, NOW + 100)
    assert mirror.take_in(NOW).is_news
    assert not mirror.take_in(NOW).is_news, "pages that show the audit stay as they are"
    assert copied(clickhouse) == expected(state)
    assert len(expected(state)) == 9


def test_more_than_one_batch_is_copied_in_a_run(
    state: State, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.mirror.BATCH_ROWS", 3)
    assert BATCH_ROWS > 3
    put(state, 10)
    Mirror(state, clickhouse).take_in(NOW)
    assert copied(clickhouse) == expected(state)


def test_an_empty_clickhouse_gets_all_again(state: State, clickhouse: ClickHouse) -> None:
    mirror = Mirror(state, clickhouse)
    put(state, 4)
    mirror.take_in(NOW)
    clickhouse.command("TRUNCATE TABLE audit")
    clickhouse.command("ALTER TABLE audit MODIFY SETTING non_replicated_deduplication_window = 0")
    clickhouse.command("ALTER TABLE audit MODIFY SETTING non_replicated_deduplication_window = 1000")
    mirror.take_in(NOW)
    assert copied(clickhouse) == expected(state)


def test_numbers_that_a_restored_state_database_gives_again_are_copied(
    state: State, clickhouse: ClickHouse, tmp_path: Path
) -> None:
    put(state, 4)
    Mirror(state, clickhouse).take_in(NOW)
    restored = State(f"sqlite:///{tmp_path / 'restored.sqlite'}")  # a copy from before those four
    restored.migrate()
    record(restored, who="otto", what="signed in", target="after the copy", at=NOW + 500)
    Mirror(restored, clickhouse).take_in(NOW)
    assert (1, "after the copy") in copied(clickhouse)
    assert len(copied(clickhouse)) == 5
    restored.close()


def test_it_catches_up_when_clickhouse_was_away(state: State, clickhouse_server: ClickHouseServer) -> None:
    url = clickhouse_server.url
    assert urlsplit(url).port
    clickhouse = ClickHouse(url, timeout_seconds=2)
    migrate(clickhouse)
    mirror = Mirror(state, clickhouse)
    put(state, 3)
    mirror.take_in(NOW)
    clickhouse_server.kill()
    put(state, 2, NOW + 50)
    with pytest.raises(SourceUnavailable, match="audit waits"):
        mirror.take_in(NOW)
    clickhouse_server.start()
    mirror.take_in(NOW)
    assert copied(clickhouse) == expected(state)
    clickhouse.close()
