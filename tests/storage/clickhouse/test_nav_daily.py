"""What the Portfolio tab reads of NAV: exact whatever was restated, sent twice or came late, for any as-of day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import StorageRejected, StorageUnavailable
from core.model import Facts
from portfolio.imports.take import import_file
from storage.clickhouse import migrate as migrate_module
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.import_rows import PRICES, Rows, insert_import
from storage.clickhouse.insert import insert_facts
from storage.clickhouse.migrate import migrate, migrations
from storage.clickhouse.nav_rows import NAV_COLUMNS, restated
from storage.clickhouse.portfolio_rows import MADE_TABLES, remove_rows
from storage.clickhouse.reads.portfolio import DailyNavs, daily_navs, intraday_nav
from storage.clickhouse.reads.prices import daily_prices_many, priced_instruments
from storage.clickhouse.reads.restatements import Restatement, restatements
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.stores import Stores
from tests.support.many import insert_navs, many
from tests.support.servers import ClickHouseServer

DAY = 86_400
FIRST = 1_700_006_400  # 2023-11-15T00:00Z
FIRST_DAY = date(2023, 11, 15)


class Row(NamedTuple):
    portfolio: str
    ts: int
    nav: float
    flow: float
    version: int


def facts(rows: Sequence[Row], origin: str = "own", token: str = "") -> Facts:
    return Facts("nav", NAV_COLUMNS, ([origin] * len(rows), *map(list, zip(*rows, strict=True))), token)


def expected(rows: Sequence[Row]) -> dict[tuple[str, int], tuple[float, float]]:
    """Close and flow of each portfolio and day, worked out point by point."""
    newest: dict[tuple[str, int], Row] = {}
    for row in sorted(rows, key=lambda row: row.version):
        newest[row.portfolio, row.ts] = row
    days: defaultdict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in newest.values():
        days[row.portfolio, row.ts // DAY].append(row)
    return {key: (max(of, key=lambda row: row.ts).nav, sum(row.flow for row in of)) for key, of in days.items()}


def as_dict(found: DailyNavs) -> dict[tuple[str, int], tuple[float, float]]:
    return {
        (name, int(day)): (float(found.values[k, n]), float(found.flows[k, n]))
        for k, name in enumerate(found.portfolios)
        for n, day in enumerate(found.days.astype(np.int64))
        if not np.isnan(found.values[k, n])
    }


POINTS = st.tuples(
    st.sampled_from(["Alpha", "Beta's"]),
    st.integers(0, 3),
    st.sampled_from([0, 1, DAY - 1]),
    st.sampled_from([1.0, 2.0, 3.5]),
    st.sampled_from([0.0, 0.0, 5.0, -2.0]),
)
BATCHES = st.lists(st.lists(POINTS, min_size=1, max_size=8), min_size=1, max_size=6)


@pytest.fixture
def other(clickhouse_url: str, database: str) -> Iterator[ClickHouse]:
    """A second, empty database."""
    client = ClickHouse(clickhouse_url, f"{database}_other")
    migrate(client)
    yield client
    client.command(f"DROP DATABASE {client.database}")
    client.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, order=st.randoms(use_true_random=False), until=st.integers(0, 3))
def test_days_are_exact_whatever_order_versions_come_in_and_as_of_any_day(
    clickhouse: ClickHouse,
    other: ClickHouse,
    batches: list[list[tuple[str, int, int, float, float]]],
    order,
    until: int,
) -> None:
    sent = []
    for number, batch in enumerate(batches):
        rows = {(name, FIRST + day * DAY + second): (nav, flow) for name, day, second, nav, flow in batch}
        sent.append([Row(*point, *value, number * 100) for point, value in rows.items()])
    arriving = [*sent, *order.sample(sent, 1)]
    order.shuffle(arriving)
    last = (FIRST // DAY) + until
    for client, keep in ((clickhouse, FIRST + 99 * DAY), (other, (last + 1) * DAY - 1)):
        remove_rows(client, "own")
        for batch in arriving:
            if part := [row for row in batch if row.ts <= keep]:
                client.insert(facts(part))
    rows = [row for batch in sent for row in batch]
    assert as_dict(daily_navs(clickhouse, "own")) == expected(rows)
    then, alone = (
        daily_navs(clickhouse, "own", until=FIRST_DAY + timedelta(days=until)),
        daily_navs(other, "own"),
    )
    assert then.portfolios == alone.portfolios
    for field in ("days", "values", "flows", "newest"):
        np.testing.assert_array_equal(getattr(then, field), getattr(alone, field))


def test_the_matrix_has_the_rows_that_were_asked_for(clickhouse: ClickHouse) -> None:
    clickhouse.insert(facts([Row("a", FIRST, 10, 1, 1), Row("a", FIRST + 2 * DAY + 5, 11, 0, 1)]))
    clickhouse.insert(facts([Row("b", FIRST + DAY, 7, 0, 1)]))
    clickhouse.insert(facts([Row("a", FIRST, 99, 9, 1)], origin="sample"))
    found = daily_navs(clickhouse, "own", ["b", "nobody", "a"])
    assert found.days.tolist() == [FIRST_DAY + timedelta(days=day) for day in range(3)]
    np.testing.assert_array_equal(found.values, [[np.nan, 7, np.nan], [np.nan] * 3, [10, np.nan, 11]])
    np.testing.assert_array_equal(found.flows, [[0, 0, 0], [0, 0, 0], [1, 0, 0]])
    assert found.newest.tolist() == [FIRST + DAY, 0, FIRST + 2 * DAY + 5]
    nothing = daily_navs(clickhouse, "own", ["a"], until=date(1969, 1, 1))
    assert (nothing.values.shape, nothing.newest.tolist()) == ((1, 0), [0])
    assert daily_navs(clickhouse, "own", []).values.shape == (0, 0)
    with pytest.raises(ValueError, match="portfolio a is named twice"):
        daily_navs(clickhouse, "own", ["a", "b", "a"])


def test_many_portfolios_over_http_come_back_as_they_were_stored(
    clickhouse_server: ClickHouseServer, database: str
) -> None:
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    made = many(30, years=2)
    insert_navs(client, made)
    found = daily_navs(client, "own")
    assert found.portfolios == made.portfolios
    for field in ("days", "values", "flows"):
        np.testing.assert_array_equal(getattr(found, field), getattr(made, field))
    client.close()


def test_data_of_the_schema_before_is_taken_over_and_twice_does_no_harm(
    clickhouse_url: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ClickHouse(clickhouse_url, database)
    before = [each for each in migrations() if each.number < 4]
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "migrations", lambda: before)
        migrate(client)
    made = many(5, years=1)
    insert_navs(client, made)
    client.insert(facts([Row("p001", int(made.days[0].astype("datetime64[s]").astype(int)), 123.0, 0.0, 2)]))
    for _ in range(2):
        migrate(client)
        found = daily_navs(client, "own")
        assert (found.values[1, 0], found.flows[1, 0]) == (123.0, 0.0)
        np.testing.assert_array_equal(found.values[:, 1:], made.values[:, 1:])
        np.testing.assert_array_equal(found.flows[:, 1:], made.flows[:, 1:])
        client.command("ALTER TABLE schema_migrations DELETE WHERE number = 4", settings={"mutations_sync": 1})
    client.close()


def test_a_day_of_seconds_is_reduced_to_the_pixels_and_keeps_its_flows(clickhouse: ClickHouse) -> None:
    clickhouse.insert(facts([Row("a", FIRST + second, second, second % 7 == 0, 1) for second in range(20_000)]))
    clickhouse.insert(facts([Row("a", FIRST + 19_999, -1.0, 4.0, 2)]))
    found = intraday_nav(clickhouse, "own", "a", FIRST, FIRST + DAY - 1, 300)
    assert found.bucket_seconds == 288
    assert found.ts.tolist() == [*range(FIRST + 287, FIRST + 19_999, 288), FIRST + 19_999]
    assert found.values.tolist() == [*range(287, 19_999, 288), -1.0]
    assert found.flows.sum() == 2_858 - (19_999 % 7 == 0) + 4.0
    whole = intraday_nav(clickhouse, "own", "a", FIRST + 10, FIRST + 19, 10)
    assert whole.ts.tolist() == list(range(FIRST + 10, FIRST + 20))
    assert len(intraday_nav(clickhouse, "own", "nobody", FIRST, FIRST + DAY, 300).ts) == 0
    with pytest.raises(ValueError, match="give 1 point or more and start ≤ end"):
        intraday_nav(clickhouse, "own", "a", FIRST + 1, FIRST, 300)


def test_prices_of_many_instruments_as_of_a_day(clickhouse: ClickHouse) -> None:
    names = ("origin", "instrument", "ts", "price", "version")
    rows = [("X", FIRST, 5.0, 1), ("X", FIRST + 60, 6.0, 1), ("X", FIRST + 60, 6.5, 2), ("Y", FIRST + DAY, 1.0, 1)]
    instrument, ts, price, version = map(list, zip(*rows, strict=True))
    clickhouse.insert(Facts("prices", names, (["own"] * 4, instrument, ts, price, version)))
    assert priced_instruments(clickhouse) == [("own", "X"), ("own", "Y")]
    found = daily_prices_many(clickhouse, "own")
    np.testing.assert_array_equal(found.values, [[6.5, np.nan], [np.nan, 1.0]])
    then = daily_prices_many(clickhouse, "own", ["Y", "X"], until=FIRST_DAY)
    np.testing.assert_array_equal(then.values, [[np.nan], [6.5]])
    assert then.newest.tolist() == [0, FIRST + 60]


def import_rows(stores: Stores, folder: Path, *lines: str, name: str = "nav.csv") -> list[Restatement]:
    file = folder / name
    file.write_text("\n".join(["date,portfolio,nav,flow", *lines]), encoding="utf-8")
    stores.clock.advance(1)  # type: ignore[attr-defined]
    import_file(stores, file)
    return restatements(stores.clickhouse, "own")


def test_a_restated_value_leaves_one_mark_that_says_when_from_and_to(stores: Stores, tmp_path: Path) -> None:
    assert import_rows(stores, tmp_path, "2023-01-02,Alpha,100,0", "2023-01-03,Alpha,110,0") == []
    assert import_rows(stores, tmp_path, "2023-01-02,Alpha,100,0", "2023-01-03,Alpha,110,0") == []
    (mark,) = import_rows(stores, tmp_path, "2023-01-02,Alpha,90,-5", "2023-01-04,Alpha,111,0", name="corrected.csv")
    at = stores.clock.now()
    midnight = int(datetime(2023, 1, 2, tzinfo=UTC).timestamp())
    assert mark == Restatement("Alpha", midnight, 100, 90, 0, -5, pytest.approx(at, abs=0.002), "corrected.csv")
    assert import_rows(stores, tmp_path, "2023-01-02,Alpha,90,-5", name="corrected.csv") == [mark]
    found = daily_navs(stores.clickhouse, "own", ["Alpha"], until=date(2023, 1, 3))
    assert (found.values.tolist(), found.flows.tolist()) == ([[90.0, 110.0]], [[-5.0, 0.0]])
    assert import_rows(stores, tmp_path, "2023-01-02,Alpha,90,0")[0].flow_now == 0.0
    assert daily_navs(stores.clickhouse, "own", ["Alpha"]).flows.tolist() == [[0.0, 0.0, 0.0]]


def test_marks_are_found_by_portfolio_day_and_time_the_newest_first(stores: Stores, tmp_path: Path) -> None:
    import_rows(stores, tmp_path, "2023-01-02,Alpha,1,0", "2023-01-03,Alpha,1,0", "2023-01-03,Beta,1,0")
    import_rows(stores, tmp_path, "2023-01-02,Alpha,2,0")
    import_rows(stores, tmp_path, "2023-01-02,Alpha,1,0")
    middle = stores.clock.now() + 0.5
    marks = import_rows(stores, tmp_path, "2023-01-02,Alpha,2,0", "2023-01-03,Beta,2,0")
    assert [(mark.portfolio, mark.was, mark.now) for mark in marks] == [
        ("Alpha", 1, 2),
        ("Beta", 1, 2),
        ("Alpha", 2, 1),
        ("Alpha", 1, 2),
    ]
    read = partial(restatements, stores.clickhouse, "own")
    assert read(["Beta"]) == [marks[1]]
    assert read(["Alpha"], since=middle) == [marks[0]]
    assert read(until=date(2023, 1, 2)) == [marks[0], *marks[2:]]
    assert read(limit=2) == marks[:2]
    assert read([]) == [] and restatements(stores.clickhouse, "sample") == []


def test_a_correction_counts_even_when_the_clock_was_set_back(stores: Stores, tmp_path: Path) -> None:
    import_rows(stores, tmp_path, "2023-01-02,Alpha,100,0")
    stores.clock.advance(-3600)  # type: ignore[attr-defined]
    assert len(import_rows(stores, tmp_path, "2023-01-02,Alpha,90,0")) == 1
    assert daily_navs(stores.clickhouse, "own").values.tolist() == [[90.0]]


def test_a_mark_whose_value_never_came_is_not_shown(clickhouse: ClickHouse) -> None:
    clickhouse.insert(facts([Row("a", FIRST, 1, 0, 1)]))
    clickhouse.insert(restated(clickhouse, facts([Row("a", FIRST, 2, 0, 2)]), "lost"))
    assert restatements(clickhouse, "own") == []
    insert_facts(clickhouse, facts([Row("a", FIRST, 1, 0, 3)]), "again")
    assert restatements(clickhouse, "own") == []
    insert_facts(clickhouse, facts([Row("a", FIRST, 5, 0, 4)]), "real")
    assert [(mark.was, mark.now, mark.source) for mark in restatements(clickhouse, "own")] == [(1, 5, "real")]


def test_a_batch_replayed_from_the_spool_is_one_mark(clickhouse: ClickHouse, tmp_path: Path) -> None:
    lost_answers = [True, False]

    def insert(batch: Facts) -> None:
        insert_facts(clickhouse, batch)
        if lost_answers and lost_answers.pop(0):
            raise StorageUnavailable("the answer was lost")

    spool = Spool(tmp_path / "spool.sqlite", 2**20)
    writer = Writer(insert, spool)
    clickhouse.insert(facts([Row("a", FIRST, 1, 3, 1)]))
    writer.put_facts(facts([Row("a", FIRST, 2, 0, 2), Row("a", FIRST, 2.5, 0, 3), Row("b", FIRST, 1, 0, 2)]))
    writer.flush()
    assert len(spool) == 1
    clickhouse.insert(facts([Row("a", FIRST, 9, 0, 1)]))
    writer._retry_at = 0
    writer.flush()
    assert len(spool) == 0
    assert [(mark.was, mark.now) for mark in restatements(clickhouse, "own")] == [(2, 2.5), (1, 2)]
    assert as_dict(daily_navs(clickhouse, "own"))["a", FIRST // DAY] == (2.5, 0.0)
    spool.close()


def test_rows_that_are_no_nav_are_rejected_by_their_column(clickhouse: ClickHouse) -> None:
    with pytest.raises(StorageRejected, match="nav rows lack the column flow"):
        insert_facts(clickhouse, Facts("nav", ("origin", "portfolio", "ts", "nav"), (["own"], ["a"], [1], [1.0])))
    with pytest.raises(StorageRejected, match="'much'"):
        insert_facts(clickhouse, Facts("nav", NAV_COLUMNS, (["own"], ["a"], [1], ["much"], [0.0], [1])))


def test_a_large_restatement_is_marked_point_by_point(clickhouse: ClickHouse) -> None:
    rows = [Row(f"portfolio {number % 3}", FIRST + number // 3, number, 0, 1) for number in range(20_000)]
    insert_facts(clickhouse, facts(rows))
    insert_facts(clickhouse, facts([row._replace(nav=row.nav + row.ts % 2, version=2) for row in rows]))
    marks = restatements(clickhouse, "own", limit=50_000)
    assert len(marks) == sum(row.ts % 2 for row in rows)
    assert all(mark.now == mark.was + 1 for mark in marks)


def test_an_origin_that_leaves_takes_what_was_made_of_it(clickhouse: ClickHouse) -> None:
    for origin in ("own", "sample"):
        insert_facts(clickhouse, facts([Row("a", FIRST, 1, 1, 1)], origin))
        insert_facts(clickhouse, facts([Row("a", FIRST, 2, 1, 2)], origin))
        prices = Rows(origin, ("SPX",), np.zeros(1, dtype=np.int64), np.array([FIRST]), (np.ones(1),))
        for version in (1, 2):
            insert_import(clickhouse, PRICES, replace(prices, values=(np.array([float(version)]),)), version, "file")
        # Of the sample fund nothing is pushed, so that no statement of ours makes such a mark of it.
        columns = ("origin", "kind", "portfolio", "key", "was_version", "version")
        clickhouse.insert(Facts("restatements", columns, ([origin], ["trades"], ["a"], ["t1"], [1], [2])))
    remove_rows(clickhouse, "sample")
    for table in MADE_TABLES:
        assert clickhouse.rows(f"SELECT DISTINCT origin FROM {table}") == [("own",)]


def test_each_move_has_the_value_before_it_on_its_day(clickhouse: ClickHouse) -> None:
    midnight = FIRST // DAY * DAY
    points = [  # seconds after midnight, NAV, flow, what stood before
        (0, 100.0, 100.0, np.nan),
        (60, 110.0, 0.0, None),
        (120, 160.0, 50.0, 110.0),
        (121, 150.0, -10.0, 160.0),
        (DAY + 30, 300.0, 150.0, np.nan),
    ]
    rows = [("own", "a", midnight + second, nav, flow, 1) for second, nav, flow, _ in points]
    # The value before a move was corrected later: the correction counts.
    rows.append(("own", "a", midnight + 60, 111.0, 0.0, 2))
    clickhouse.insert(Facts("nav", NAV_COLUMNS, tuple(list(column) for column in zip(*rows, strict=True))))
    moves = daily_navs(clickhouse, "own").moves
    expected = [(second, before) for second, _, flow, before in points if flow]
    assert (moves.ts - midnight).tolist() == [second for second, _ in expected]
    assert moves.before.tolist() == pytest.approx([np.nan, 111.0, 160.0, np.nan], nan_ok=True)
    assert moves.flows.tolist() == [100.0, 50.0, -10.0, 150.0]


def test_many_points_of_a_day_in_one_insert_are_one_close(clickhouse: ClickHouse) -> None:
    points = [
        Row("Alpha", FIRST + DAY * day + minute * 60, 100.0 + minute, 0.0, 1)
        for day in range(3)
        for minute in range(500)
    ]
    insert_facts(clickhouse, facts(points))
    sql = "SELECT toUnixTimestamp(day), nav FROM nav_daily ORDER BY day"
    assert clickhouse.rows(sql) == [(FIRST + DAY * day, 599.0) for day in range(3)]
