"""The state database on SQLite and on PostgreSQL: one behaviour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import storage.state
from core.errors import StorageRejected, StorageUnavailable
from storage.state import access_tables  # noqa: F401  (its tables are metadata as well)
from storage.state.changes import DONE, MOVING, Change, changed_by_hand, record_change, set_stage
from storage.state.database import State, metadata
from storage.state.imports import (
    TAKEN,
    TAKING,
    Import,
    busy_names,
    change_import,
    names_being_changed,
    recent_imports,
    record_import,
    rename_in_imports,
    start_import,
)
from storage.state.portfolios import (
    Portfolio,
    add_missing_portfolios,
    forget_portfolio,
    know_as,
    list_known_names,
    list_portfolios,
    put_portfolios,
    remove_origin,
)
from tests.support.fresh_state import fresh_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[State]:
    if request.param == "sqlite":
        yield request.getfixturevalue("state")
        return
    database = fresh_postgres(request.getfixturevalue("postgres_url"))
    yield database
    database.close()


def test_migrations_make_exactly_the_tables_of_the_code(either: State) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with either.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_four_processes_may_migrate_at_once(either: State) -> None:
    url = either.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(State(url).migrate) for _ in range(4)]:
            job.result()
    assert list_portfolios(either) == []


def test_a_portfolio_put_twice_is_replaced(either: State) -> None:
    put_portfolios(either, [Portfolio("own", "alpha", "Alpha"), Portfolio("sample", "alpha", "Sample Alpha")])
    put_portfolios(either, [Portfolio("own", "alpha", "Alpha renamed", benchmark="SP500")])
    assert [(each.origin, each.name) for each in list_portfolios(either)] == [
        ("own", "Alpha renamed"),
        ("sample", "Sample Alpha"),
    ]


def test_periods_a_year_of_an_older_schema_are_found_from_the_data(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    old = State(f"sqlite:///{tmp_path / 'old.sqlite'}")
    config = Config()
    config.set_main_option("script_location", str(Path(storage.state.__file__).parent / "alembic"))
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text("INSERT INTO portfolios (origin, id, name, parent) VALUES ('own', 'a', 'A', 'b')"))
    old.migrate()
    assert list_portfolios(old) == [Portfolio("own", "a", "A", parent="b", periods_per_year=0)]
    old.close()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": ""}, "id '' of a portfolio: give 1 to 64"),
        ({"name": ""}, "name '' of portfolio a: give 1 to 120"),
        ({"parent": "a"}, "parent of portfolio a is itself"),
        ({"currency": "usd"}, "currency 'usd' of portfolio a: give three capitals"),
        ({"periods_per_year": 400}, "periods_per_year '400' of portfolio a: give a whole number from 0 to 366"),
        ({"inception": "2020-02-30"}, "inception '2020-02-30' of portfolio a: give a day such as 2020-01-31"),
        ({"inception": "2020-02-01", "ended": "2020-01-31"}, "ended '2020-01-31' of portfolio a: give a day from its"),
        ({"frequency": "Y"}, "frequency 'Y' of portfolio a: give one of D, W, M, Q, or nothing"),
        ({"calendar": "New York"}, "calendar 'New York' of portfolio a: give weekdays, 7-day, an exchange such as"),
        ({"colour": "7"}, "colour '7' of portfolio a: give one of 1, 2, 3, 4, 5, 6, or nothing"),
        ({"note": "a\nb"}, "note 'a\\nb' of portfolio a: give 0 to 500 characters, all on one line"),
    ],
)
def test_a_portfolio_that_cannot_be_is_refused_by_its_field(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        Portfolio(**{"origin": "own", "id": "a", "name": "A", **fields})


def test_the_tree_stays_a_tree(either: State) -> None:
    put_portfolios(either, [Portfolio("own", "part", "Part", parent="fund"), Portfolio("own", "fund", "Fund")])
    with pytest.raises(ValueError, match="parent 'part' of portfolio fund is part of it"):
        put_portfolios(either, [Portfolio("own", "x", "X"), Portfolio("own", "fund", "Fund", parent="part")])
    with pytest.raises(ValueError, match="parent 'fund' of portfolio y is no portfolio of sample"):
        put_portfolios(either, [Portfolio("sample", "y", "Y", parent="fund")])
    assert {(each.id, each.parent) for each in list_portfolios(either)} == {("part", "fund"), ("fund", "")}


def test_a_file_does_not_rename_what_a_person_named(either: State) -> None:
    put_portfolios(either, [Portfolio("own", "alpha", "Alpha fund")])
    add_missing_portfolios(either, [Portfolio("own", "alpha", "alpha"), Portfolio("own", "beta", "beta")])
    assert [each.name for each in list_portfolios(either, "own")] == ["Alpha fund", "beta"]


def test_removing_the_sample_leaves_own_portfolios(either: State) -> None:
    put_portfolios(either, [Portfolio("own", "a", "A"), Portfolio("sample", "b", "B"), Portfolio("sample", "c", "C")])
    assert remove_origin(either, "sample") == 2
    assert [each.id for each in list_portfolios(either)] == ["a"]


def test_imports_are_remembered_newest_first(either: State) -> None:
    record_import(either, "a.csv", "0" * 64, 10, "taken")
    record_import(either, "b.csv", "1" * 64, 0, "refused", "line 2: nav is not a number")
    assert [(each.name, each.outcome) for each in recent_imports(either)] == [("b.csv", "refused"), ("a.csv", "taken")]


def test_a_failed_transaction_changes_nothing(either: State) -> None:
    with pytest.raises(StorageRejected), either.begin() as connection:
        connection.execute(sa.text("INSERT INTO portfolios (origin, id, name) VALUES ('own', 'x', 'X')"))
        connection.execute(sa.text("INSERT INTO portfolios (origin, id, name) VALUES ('own', 'x', 'X again')"))
    assert list_portfolios(either) == []


def test_a_database_that_is_away_says_so() -> None:
    with pytest.raises(StorageUnavailable), State("postgresql://nobody@127.0.0.1:9/none").begin():
        pytest.fail("there is no such server")


def test_actions_asked_for_before_who_was_kept_have_nobody(either: State) -> None:
    from alembic import command

    from storage.state.actions import recent_actions

    _to_revision(either, command.downgrade, "0004")
    with either.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO actions (at, source, action, status) VALUES (1, 'redis:main', 'reset_slowlog', 'done')"
            )
        )
    either.migrate()
    assert [action.who for action in recent_actions(either, ("redis",))] == [""]


def _to_revision(state: State, move: Any, revision: str) -> None:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(storage.state.__file__).parent / "alembic"))
    with state.begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


def test_imports_and_changes_of_the_tree_know_of_each_other(either: State) -> None:
    first = start_import(either, Import(1.0, "a.csv", "0", 1, TAKING, kind="nav", version=1, names=("a", "b")))
    with either.deciding() as connection:
        assert names_being_changed(connection) == {"a": first, "b": first}
    change_import(either, first, outcome=TAKEN)
    with either.deciding() as connection:
        know_as(connection, {"a": "c"})
        number = record_change(connection, Change(1.0, "ann", "a", "merge", into="c", stage=MOVING))
        assert names_being_changed(connection) == {}
        assert busy_names(connection, ["a", "b", "c"]) == ["a", "c"]
    for names in (("a",), ("b", "c")):
        assert not start_import(either, Import(2.0, "b.csv", "1", 1, TAKING, kind="nav", names=names))
    assert start_import(either, Import(2.0, "p.csv", "2", 1, TAKING, kind="prices", names=("a",)))
    with either.deciding() as connection:
        rename_in_imports(connection, "a", "c", "a merged into c")
        set_stage(connection, number, DONE)
    assert [each.names for each in recent_imports(either)] == [("a",), ("c", "b")], "prices are no portfolio"
    assert changed_by_hand(either) == {"a"}
    with either.deciding() as connection:
        rename_in_imports(connection, "c", "", "c deleted")
        forget_portfolio(connection, "c")
    assert [(each.names, each.detail) for each in recent_imports(either)][1] == (
        ("b",),
        "a merged into c; c deleted",
    )
    assert list_known_names(either) == {}
    assert start_import(either, Import(3.0, "c.csv", "3", 1, TAKING, kind="nav", names=("a",)))
