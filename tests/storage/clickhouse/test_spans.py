"""What rules ask of many series at once, beside what numpy makes of the same values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.spans import (
    HOUR_SECONDS,
    WEEK_SECONDS,
    read_lines,
    read_newest,
    read_same_hour,
    read_spans,
)
from tests.support.times import MIDNIGHT

NOW = float(MIDNIGHT + 20 * HOUR_SECONDS)
RANDOM = np.random.default_rng(11)


def put(clickhouse: ClickHouse, series: int, ts: Sequence[int], values: Sequence[float]) -> None:
    rows = ([series] * len(ts), [*map(int, ts)], [*map(float, values)])
    clickhouse.insert(Facts("samples", ("series", "ts", "value"), rows))


def put_minutes(clickhouse: ClickHouse, series: int, ts: Sequence[int], values: Sequence[float]) -> None:
    of = [*map(float, values)]
    columns = ("series", "ts", "low", "high", "total", "points")
    rows = ([series] * len(ts), [*map(int, ts)], of, of, [2 * each for each in of], [2] * len(ts))
    clickhouse.insert(Facts("samples_1m", columns, rows))


def test_spans_of_every_length_come_from_one_table_each(clickhouse: ClickHouse) -> None:
    ts = NOW - np.arange(5 * HOUR_SECONDS, 0, -7)
    values = RANDOM.normal(3.0, 1.0, len(ts))
    put(clickhouse, 1, ts, values)
    put(clickhouse, 2, ts[-3:], values[-3:])
    found = read_spans(clickhouse, [1, 2, 3], [300, 3_600, 4 * 3_600], NOW)
    for span in (300, 3_600, 4 * 3_600):
        inside = ts >= NOW - span
        each = found[1, span]
        assert (each.mean, each.low, each.high) == pytest.approx(
            (values[inside].mean(), values[inside].min(), values[inside].max())
        )
        assert span - 60 < each.reaches_seconds <= span
    assert found[1, 300].first == pytest.approx(values[ts >= NOW - 300][0])
    assert found[2, 3_600].reaches_seconds == NOW - ts[-3]
    assert not [key for key in found if key[0] == 3]
    kinds = [each.kind for each in clickhouse.query_log.newest() if each.kind.startswith("rules")]
    assert sorted(kinds) == ["rules samples", "rules samples_1m"]


def test_the_same_hour_of_past_weeks_is_that_hour_alone(clickhouse: ClickHouse) -> None:
    hour = int(NOW) // HOUR_SECONDS * HOUR_SECONDS
    minutes = np.concatenate([hour - week * WEEK_SECONDS + 60 * np.arange(60) for week in (1, 2, 3)])
    values = RANDOM.normal(50.0, 5.0, len(minutes))
    put_minutes(clickhouse, 1, minutes, values)
    put_minutes(clickhouse, 1, minutes - HOUR_SECONDS, values + 1_000)
    put_minutes(clickhouse, 1, minutes + HOUR_SECONDS, values - 1_000)
    put_minutes(clickhouse, 1, minutes[:60] - 4 * WEEK_SECONDS, values[:60] + 9_000)
    (found,) = read_same_hour(clickhouse, [1, 2], 4, NOW).values()
    middle = np.median(values)
    assert (found.minutes, found.weeks) == (180, 3)
    assert found.median == pytest.approx(middle)
    assert found.median_deviation == pytest.approx(np.median(np.abs(values - middle)))
    assert found.mean_deviation == pytest.approx(np.mean(np.abs(values - middle)))


def test_a_line_is_the_least_squares_one(clickhouse: ClickHouse) -> None:
    minutes = NOW - 60 * np.arange(180, 0, -1)
    values = 0.5 + 1e-5 * (minutes - NOW) + RANDOM.normal(0.0, 0.01, len(minutes))
    put_minutes(clickhouse, 1, minutes, values)
    # A minute that is in two parts, as after two inserts, is one point.
    put_minutes(clickhouse, 1, minutes[-5:], values[-5:])
    put_minutes(clickhouse, 2, minutes[-1:], values[-1:])
    found = read_lines(clickhouse, [1, 2], [2 * 3_600, 3 * 3_600], NOW)
    for span in (2 * 3_600, 3 * 3_600):
        inside = minutes + 30 >= NOW - span
        slope, value = np.polyfit(minutes[inside] + 30 - NOW, values[inside], 1)
        each = found[1, span]
        assert (each.slope, each.value) == pytest.approx((slope, value))
        assert each.seconds == minutes[inside][-1] - minutes[inside][0]
    assert {key[0] for key in found} == {1}


def test_the_newest_value_of_what_programs_send(clickhouse: ClickHouse) -> None:
    columns = ("series", "host", "metric", "labels", "seen")
    names = [(1, "a", "oms_orders", {"desk": "fx"}), (2, "", "oms_orders", {}), (3, "a", "oms_lag_seconds", {})]
    for _ in range(2):  # a name is told again and again
        clickhouse.insert(Facts("series", columns, tuple(zip(*[(*each, int(NOW)) for each in names], strict=True))))
    for series in (1, 2, 3):
        put(clickhouse, series, [NOW - 400 * series, NOW - 90 * series], [series, 10.0 * series])
    found = read_newest(clickhouse, ["oms_orders"], NOW - 300)
    told = {(each.host, each.labels, each.ts, each.value) for each in found}
    assert told == {("a", (("desk", "fx"),), NOW - 90, 10.0), ("", (), NOW - 180, 20.0)}
    assert read_newest(clickhouse, ["oms_orders"], NOW - 10) == []
