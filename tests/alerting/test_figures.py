"""What figures are worth, read from real stores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alerting.figures import Figures
from core.alerts.evaluate import Value, truths
from core.alerts.expression import Compared, Figure, Worked, read_expression
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.errors import StorageUnavailable
from core.kinds.http.source import HttpSource
from core.kinds.registry import Watch
from core.model import Component, Facts, Reading, Sample, Status, labels
from core.pipeline.spec import CollectorRuns
from core.tables import table_of
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.summary import side_by_side
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.series import series_id
from storage.live.redis import Live
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.api import put_daily
from tests.support.freezing import freeze, thaw
from tests.support.servers import BUSY_SECONDS, ClickHouseServer
from tests.support.times import DAY, MIDNIGHT

HOUR, WEEK = 3_600, 604_800
NOW = float(MIDNIGHT + 20 * HOUR)
TOTAL = labels(core="total")


@pytest.fixture
def here(stores: Stores) -> Stores:
    """Stores with a watched web service, by a clock that tests move."""
    watch = Watch(http=(HttpSource(name="orders", url="http://127.0.0.1:9"),))
    return replace(stores, settings=stores.settings.model_copy(update={"watch": watch}), clock=FakeClock(NOW))


def moved(stores: Stores, seconds: float) -> None:
    assert isinstance(stores.clock, FakeClock)
    stores.clock.advance(seconds)


def operand(text: str) -> Figure | Worked:
    expression = read_expression(f"{text} > 0")
    assert isinstance(expression, Compared)
    return expression.operand


class Reader(Figures):
    """Reads in ticks, as the engine does: what is asked half a second later is asked in another one."""

    begun_at = float("-inf")

    def __call__(self, asked: Figure | Worked) -> Sequence[Value]:
        now = self._stores.clock.monotonic()
        if now - self.begun_at >= 0.5:
            self.begin()
            self.begun_at = now
        return super().__call__(asked)


def told(read: Figures, text: str) -> dict[str, float | None]:
    """Return values by their labels, written out."""
    return {",".join(f"{name}={value}" for name, value in each.labels): each.value for each in read(operand(text))}


def rules(*whens: str) -> list[Rule]:
    return [
        Rule.model_validate({"name": f"rule-{number}", "when": when, "for": "1 min"})
        for number, when in enumerate(whens)
    ]


def put(stores: Stores, cpu: float | None = 0.5, collector: str = "system", host: str = "host-1") -> None:
    samples = [Sample("system_cpu_busy_ratio", float("nan") if cpu is None else cpu, TOTAL)]
    parts = [Component("CPU", Status.WARNING, "75 % busy", 0.75, "ratio")]
    stores.live.put_reading(collector, host, stores.clock.now(), 5.0, Reading(samples, parts), timeout_seconds=3.0)


def put_web(stores: Stores, status: Status = Status.DOWN, host: str = "host-1") -> None:
    reading = Reading(
        [Sample("http_response_seconds", 0.2, labels(instance="orders"))],
        [Component("HTTP orders", status, "it answers 500")],
    )
    stores.live.put_reading("http:orders", host, stores.clock.now(), 5.0, reading, timeout_seconds=3.0)


def test_the_newest_value_has_the_labels_of_its_series_and_its_machine(here: Stores) -> None:
    put(here, 0.5)
    put(here, 0.7, host="host-2")
    put_web(here)
    read = Reader(here)
    assert told(read, "system_cpu_busy_ratio") == {
        "core=total,machine=host-1": 0.5, "core=total,machine=host-2": 0.7,
    }  # fmt: skip
    assert told(read, 'system_cpu_busy_ratio{machine=~".*-2"}') == {"core=total,machine=host-2": 0.7}
    # A watched source is the same one, whichever machine reads it.
    assert told(read, "http_response_seconds") == {"instance=orders": 0.2}
    assert told(read, "system_load") == {} and told(read, 'system_cpu_busy_ratio{core="0"}') == {}


def test_what_is_stale_or_no_number_is_no_value(here: Stores) -> None:
    put(here, None)
    assert told(Reader(here), "system_cpu_busy_ratio") == {"core=total,machine=host-1": None}
    put(here, 0.9)
    read = Reader(here)
    moved(here, 16.0)  # two intervals, the timeout and three seconds
    assert told(read, "system_cpu_busy_ratio") == {"core=total,machine=host-1": 0.9}
    moved(here, 0.6)
    (found,) = read(operand("system_cpu_busy_ratio"))
    assert found.value is None and "newest reading is 17 s old" in found.why


def test_one_tick_is_of_one_moment(here: Stores) -> None:
    put(here, 0.1)
    read = Reader(here)
    first = told(read, "system_cpu_busy_ratio")
    put(here, 0.9)
    assert told(read, 'system_cpu_busy_ratio{core="total"}') == first
    moved(here, 1.0)
    assert told(read, "system_cpu_busy_ratio") == {"core=total,machine=host-1": 0.9}


def test_states_are_told_with_the_sentence_of_their_collector(here: Stores) -> None:
    put(here)
    put_web(here)
    found = {dict(each.labels)["component"]: each for each in Reader(here)(operand("status"))}
    assert found["CPU"] == Value(labels(collector="system", component="CPU", machine="host-1"), 2.0, "75 % busy")
    assert found["HTTP orders"] == Value(
        labels(collector="http:orders", component="HTTP orders"), 4.0, "it answers 500"
    )  # fmt: skip
    assert found.keys() == {"CPU", "HTTP orders", "ClickHouse own", "Redis own"}


def test_what_was_never_heard_of_has_the_labels_that_it_will_have(here: Stores) -> None:
    """Else its first reading would end a set of labels, and that it ended would be told."""
    before = Reader(here)
    texts = ('status{collector="http:orders"}', 'age{collector=~"system|http:orders"}', 'silent{collector="system"}')
    names = {text: told(before, text).keys() for text in texts}
    assert all(names.values()) and told(before, 'silent{collector="system"}') == {
        "collector=system,machine=host-1": 1.0
    }
    put(here)
    put_web(here)
    after = Reader(here)
    assert {text: told(after, text).keys() for text in texts} == names
    assert told(after, 'silent{collector="system"}') == {"collector=system,machine=host-1": 0.0}


def test_a_state_that_is_unknown_is_neither_well_nor_ill(here: Stores) -> None:
    put_web(here, Status.OK)
    moved(here, 60.0)
    read = Reader(here)
    for when in ("status{NAME} == down", "status{NAME} == ok", "not status{NAME} >= warning"):
        (truth,) = truths(read_expression(when.replace("NAME", 'component="HTTP orders"')), read)
        assert truth.holds is None
    assert truths(read_expression('absent(status{component="HTTP orders"})'), read)[0].holds


def test_ages_and_failures_of_collectors(here: Stores) -> None:
    put_web(here)
    run = CollectorRuns(
        "http:orders", "http", "orders", "down", "timeout: 2 s", 5.0, 3.0, NOW - 3, "timeout", NOW - 90, NOW + 2, 0.02,
        [0.02], 0.01, 4, "open", 7.0, 1, 0, 0, "2 s",
    )  # fmt: skip
    fine = replace(run, collector="system", last_outcome="ok", breaker="closed", error="")
    new = replace(run, collector="inbox", last_outcome=None, breaker="closed", error="")
    table = table_of(CollectorRuns, [run, fine, new])
    here.live.put_reading("pipeline", "host-1", NOW, 5.0, Reading(tables=[table]), timeout_seconds=3.0)
    read = Reader(here)
    moved(here, 4.0)
    failed = told(read, "collector_failed")
    assert failed == {
        "collector=http:orders,machine=host-1": 1.0, "collector=system,machine=host-1": 0.0,
        "collector=inbox,machine=host-1": None,
    }  # fmt: skip
    ages = told(read, "age")
    assert ages["collector=http:orders"] == ages["collector=pipeline,machine=host-1"] == 4.0
    assert ages["collector=system,machine=host-1"] is None
    moved(here, 60.0)
    silent = told(read, 'silent{collector="http:orders"}')
    assert silent == {"collector=http:orders": 1.0}


def test_while_redis_is_away_nothing_is_known_of_anything(here: Stores) -> None:
    away = Live("redis://127.0.0.1:1", "away")
    read = Reader(replace(here, live=away))
    for text in ("system_cpu_busy_ratio", "status", "avg(system_cpu_busy_ratio, 5 min)"):
        with pytest.raises(StorageUnavailable, match="Redis does not answer"):
            read(operand(text))
    away.close()


def past(stores: Stores, metric: str, of: Sequence[tuple[int, float]], table: str = "samples") -> None:
    """Store seconds before now and values of a metric of the machine."""
    number = series_id("host-1", metric, TOTAL)
    ts, values = [int(NOW) - ago for ago, _ in of], [value for _, value in of]
    if table == "samples":
        stores.clickhouse.insert(Facts(table, ("series", "ts", "value"), ([number] * len(ts), ts, values)))
        return
    columns = ("series", "ts", "low", "high", "total", "points")
    stores.clickhouse.insert(
        Facts(table, columns, ([number] * len(ts), ts, values, values, values, [1] * len(ts)))
    )  # fmt: skip


def statements(stores: Stores) -> list[str]:
    return sorted(each.kind for each in stores.clickhouse.query_log.newest() if each.kind.startswith("rules "))


def test_spans_of_all_rules_are_one_statement(here: Stores) -> None:
    put(here, 0.9)
    past(here, "system_cpu_busy_ratio", [(ago, 0.5 if ago > 300 else 0.7) for ago in range(3_000, 0, -5)])
    read = Reader(here)
    spans = [f"{work}(system_cpu_busy_ratio, {n} min)" for work in ("avg", "min", "max", "change") for n in (5, 10, 45)]
    read.use(rules(*(f"{each} > 0" for each in spans)))
    one = {each: told(read, each)["core=total,machine=host-1"] for each in spans}
    assert statements(here) == ["rules samples"]
    assert one["avg(system_cpu_busy_ratio, 5 min)"] == pytest.approx(0.7)
    assert one["avg(system_cpu_busy_ratio, 10 min)"] == pytest.approx(0.6, abs=0.01)
    assert one["min(system_cpu_busy_ratio, 10 min)"] == 0.5
    assert one["max(system_cpu_busy_ratio, 45 min)"] == 0.9, "the newest value counts too"
    assert one["change(system_cpu_busy_ratio, 45 min)"] == pytest.approx(0.4)
    (found,) = read(operand("change(system_cpu_busy_ratio, 1 h)"))
    assert found.value is None and "does not reach back 1 h" in found.why


def test_what_is_stale_has_no_mean_however_much_of_it_is_stored(here: Stores) -> None:
    put(here, 0.9)
    past(here, "system_cpu_busy_ratio", [(ago, 0.5) for ago in range(600, 0, -5)])
    moved(here, 60.0)
    (found,) = Reader(here)(operand("avg(system_cpu_busy_ratio, 10 min)"))
    assert found.value is None and "old" in found.why


def test_what_is_to_come_is_where_the_line_leads(here: Stores) -> None:
    put(here, 0.9)
    past(here, "system_cpu_busy_ratio", [(ago, 0.9 - ago * 1e-5) for ago in range(2 * HOUR, 0, -30)])
    read = Reader(here)
    assert told(read, "forecast(system_cpu_busy_ratio, 4 h)")["core=total,machine=host-1"] == pytest.approx(
        0.9 + 4 * HOUR * 1e-5, abs=0.002
    )
    # As time passes the end of the span moves on, also while the line is believed.
    moved(here, 10.0)
    put(here, 0.9)
    later = told(read, "forecast(system_cpu_busy_ratio, 4 h)")["core=total,machine=host-1"]
    assert later == pytest.approx(0.9 + (4 * HOUR + 10) * 1e-5, abs=0.002)
    assert statements(here) == ["rules trends"]


def test_nothing_is_foretold_from_less_than_an_hour(here: Stores) -> None:
    put(here, 0.9)
    past(here, "system_cpu_busy_ratio", [(ago, 0.9 - ago * 1e-5) for ago in range(3_000, 0, -30)])
    (found,) = Reader(here)(operand("forecast(system_cpu_busy_ratio, 4 h)"))
    assert found.value is None and "less than an hour" in found.why


def test_what_is_usual_at_this_hour_is_not_unusual(here: Stores) -> None:
    put(here, 0.9)
    hour = int(NOW) // HOUR * HOUR
    offsets = [int(NOW) - (hour - week * WEEK + 60 * minute) for week in (1, 2, 3) for minute in range(60)]
    usual = 0.9 + 0.02 * np.random.default_rng(5).normal(size=len(offsets))
    past(here, "system_cpu_busy_ratio", list(zip(offsets, usual.tolist(), strict=True)), "samples_1m")
    # An hour later, as every night, it is low.
    past(here, "system_cpu_busy_ratio", [(each - HOUR, 0.1) for each in offsets], "samples_1m")
    read = Reader(here)
    z = told(read, "zscore(system_cpu_busy_ratio, 4 w)")["core=total,machine=host-1"]
    assert z is not None and abs(z) < 1
    put(here, 0.1)
    moved(here, 1.0)
    z = told(read, "zscore(system_cpu_busy_ratio, 4 w)")["core=total,machine=host-1"]
    assert z is not None and z < -20


def test_a_store_that_does_not_answer_is_asked_once_a_while(here: Stores) -> None:
    put(here, 0.9)
    away = ClickHouse("http://127.0.0.1:1", "fundwatch")
    read = Reader(replace(here, clickhouse=away))
    spans = [f"avg(system_cpu_busy_ratio, {n} min)" for n in range(1, 30)]
    for each in spans:
        with pytest.raises(StorageUnavailable):
            read(operand(each))
    assert len(away.query_log.newest()) == 1
    # What does not need it is read all the same.
    assert told(read, "system_cpu_busy_ratio") == {"core=total,machine=host-1": 0.9}
    away.close()


def test_what_programs_send_is_read_where_it_is_stored(here: Stores) -> None:
    names = ([1, 2, 3], ["a", "b", ""], ["oms_orders"] * 3, [{"desk": "fx"}] * 3, [int(NOW)] * 3)
    here.clickhouse.insert(Facts("series", ("series", "host", "metric", "labels", "seen"), names))
    sent = ([1, 2, 3], [int(NOW) - 60] * 3, [7.0, 3.0, 1.0])
    here.clickhouse.insert(Facts("samples", ("series", "ts", "value"), sent))
    read = Reader(here)
    read.use(rules("oms_orders > 5", "oms_fills > 5"))
    # Two machines that say the same of themselves are two.
    assert told(read, "oms_orders") == {"desk=fx,machine=a": 7.0, "desk=fx,machine=b": 3.0, "desk=fx": 1.0}
    assert told(read, 'oms_orders{machine="b"}') == {"desk=fx,machine=b": 3.0}
    (orders, _) = rules("oms_orders > 5", "oms_fills > 5")
    assert read.why_gone(orders, labels(desk="fx")) == "it is told with its machine now"
    assert read.why_gone(orders, labels(desk="rates")) == ""
    assert told(read, 'oms_orders{desk="rates"}') == {}
    assert statements(here) == ["rules newest"]
    moved(here, 300.0)
    assert told(read, "oms_orders") == {}


def test_a_metric_that_nobody_has_sent_yet_has_no_data_until_it_is_sent(here: Stores) -> None:
    read = Reader(here)
    fills, mean = rules("oms_fills > 5", "avg(oms_fills, 5 min) > 5")
    read.use([fills, mean])
    assert read(operand("oms_fills")) == [Value(labels(metric="oms_fills"), None, "no data yet: it was never sent")]
    assert read(operand("avg(oms_fills, 5 min)")) == read(operand("oms_fills"))
    names = ([1], ["a"], ["oms_fills"], [{"desk": "fx"}], [int(NOW)])
    here.clickhouse.insert(Facts("series", ("series", "host", "metric", "labels", "seen"), names))
    here.clickhouse.insert(Facts("samples", ("series", "ts", "value"), ([1], [int(NOW)], [7.0])))
    moved(here, 1.0)
    assert told(read, "oms_fills") == {"desk=fx,machine=a": 7.0}
    assert read.why_gone(fills, labels(metric="oms_fills")) == "its data have come"
    moved(here, 600.0)
    assert told(read, "oms_fills") == {}, "what was sent is missed by the labels that it had"


SLOW = "SELECT sipHash64(number) AS series, now() AS ts, 0. AS value FROM numbers(1000000000000)"


def impatient(stores: Stores, seconds: float, **changes: Any) -> Stores:
    alerts = stores.settings.alerts.model_copy(update={"statement_seconds": seconds})
    return replace(stores, settings=stores.settings.model_copy(update={"alerts": alerts}), **changes)


def refused(read: Figures, text: str) -> tuple[str, float]:
    """Return why a figure cannot be read, and how long it took to say so."""
    began = time.monotonic()
    with pytest.raises(StorageUnavailable) as error:
        read(operand(text))
    return str(error.value), time.monotonic() - began


def test_a_slow_statement_delays_no_tick_and_what_needs_no_such_one_is_read(here: Stores) -> None:
    put(here, 0.9)
    past(here, "system_cpu_busy_ratio", [(ago, 0.9) for ago in range(2 * HOUR, 0, -30)], "samples_1m")
    here.clickhouse.command("RENAME TABLE samples TO samples_kept")
    here.clickhouse.command(f"CREATE VIEW samples AS {SLOW}")
    read = Reader(impatient(here, 2.0))
    why, seconds = refused(read, "avg(system_cpu_busy_ratio, 5 min)")
    assert why.startswith("ClickHouse did not answer within ") and seconds < 2.0 + BUSY_SECONDS
    _, again = refused(read, "max(system_cpu_busy_ratio, 10 min)")
    assert again < 0.2, "it is not asked again for a while"
    moved(here, 1.0)
    assert None not in told(read, "forecast(system_cpu_busy_ratio, 4 h)").values()
    assert told(read, "system_cpu_busy_ratio") == {"core=total,machine=host-1": 0.9}
    here.clickhouse.command("DROP VIEW samples")
    here.clickhouse.command("RENAME TABLE samples_kept TO samples")
    moved(here, 16.0)
    put(here, 0.9)
    assert told(read, "max(system_cpu_busy_ratio, 10 min)") == {"core=total,machine=host-1": 0.9}


def test_a_frozen_clickhouse_makes_a_tick_wait_once(
    here: Stores, clickhouse_server: ClickHouseServer, database: str
) -> None:
    put(here, 0.9)
    frozen = ClickHouse(clickhouse_server.url, database)
    migrate(frozen)
    read = Reader(impatient(here, 0.4, clickhouse=frozen))
    asked = ["avg(system_cpu_busy_ratio, 5 min)", "forecast(system_cpu_busy_ratio, 4 h)",
             "zscore(system_cpu_busy_ratio, 2 w)", "oms_orders", "daily_return"]  # fmt: skip
    freeze(clickhouse_server.pid)
    try:
        waits = [refused(read, each)[1] for each in asked]
    finally:
        thaw(clickhouse_server.pid)
    assert waits[0] > 0.4 and max(waits[2:]) < 0.2, waits
    assert sum(waits) < 1.0 + BUSY_SECONDS, "a tick ends in time, whatever the timeout of ClickHouse is"
    frozen.close()


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund of two, a sample, and one that has ended; valued until yesterday."""
    now = time.time()
    put_portfolios(
        stores.state,
        [
            Portfolio("own", "alpha", "Alpha", currency="EUR"),
            Portfolio("own", "beta", "Beta", currency="EUR"),
            Portfolio("own", "gone", "Gone", currency="EUR", ended="2020-01-31"),
            Portfolio("sample", "show", "Show", currency="EUR"),
        ],
    )
    end = int(now)
    put_daily(stores, "alpha", [100 + (n * 37 % 19) - 0.01 * n for n in range(800)], end=end)
    put_daily(stores, "beta", [200.0 + n for n in range(39)] + [150.0], end=end)
    put_daily(stores, "gone", [100.0, 90.0], end=end - 3_000 * DAY)
    put_daily(stores, "show", [100.0, 50.0], end=end, origin="sample")
    return replace(stores, clock=FakeClock(now))


def test_figures_of_portfolios_are_those_of_the_page(fund: Stores) -> None:
    reader = Reader(fund)
    for text, key, query in [
        ("daily_return", "return_day", {}),
        ("max_drawdown[1y]", "max_drawdown", {"window": "1Y"}),
        ("sharpe[ytd, frequency=weekly, risk_free=2]", "sharpe", {"window": "YTD", "frequency": "W", "rf": "2"}),
        ("value_at_risk[1y, confidence=99]", "value_at_risk", {"window": "1Y", "confidence": "99"}),
        ("cash_share", "cash_share", {}),
    ]:
        found = told(reader, text)
        assert found.keys() == {"portfolio=alpha", "portfolio=beta"}
        for id in ("alpha", "beta"):
            asked, problems = PortfolioQuery.parse({"portfolio": f"own:{id}", **query})
            page = side_by_side(read(fund, asked, None)).of(key)
            value = found[f"portfolio={id}"]
            assert not problems and (value is None if np.isnan(page) else value == pytest.approx(page)), text
    assert told(reader, "daily_return")["portfolio=beta"] == pytest.approx(150 / 238 - 1)


def test_the_sample_is_meant_only_where_its_origin_is_said(fund: Stores) -> None:
    read_ = Reader(fund)
    assert told(read_, 'daily_return{origin="sample"}') == {"origin=sample,portfolio=show": pytest.approx(-0.5)}
    assert told(read_, 'daily_return{portfolio=~"a.*"}').keys() == {"portfolio=alpha"}


def test_a_figure_that_is_missing_says_why(fund: Stores) -> None:
    found = {dict(each.labels)["portfolio"]: each for each in Reader(fund)(operand("return_1y"))}
    assert found["alpha"].value is not None
    assert found["beta"].value is None and "does not reach back" in found["beta"].why
    (beta,) = Reader(fund)(operand('beta{portfolio="alpha"}'))
    assert beta.value is None and beta.why == "no benchmark is set"


def test_a_new_value_is_seen_at_the_next_tick(fund: Stores) -> None:
    read_ = Reader(fund)
    read_.use(rules("daily_return < 0", "current_drawdown < 0"))
    before = told(read_, 'daily_return{portfolio="beta"}')
    put_daily(fund, "beta", [150.0, 300.0], end=int(fund.clock.now()))
    moved(fund, 1.0)
    assert told(read_, 'daily_return{portfolio="beta"}') != before


def test_a_value_that_is_overdue_is_told_and_nothing_is_said_from_it(fund: Stores) -> None:
    read_ = Reader(fund)
    assert told(read_, "value_overdue") == {"portfolio=alpha": 0.0, "portfolio=beta": 0.0}
    moved(fund, 30.0 * DAY)
    assert told(read_, "value_overdue") == {"portfolio=alpha": 1.0, "portfolio=beta": 1.0}
    found = read_(operand("current_drawdown"))
    assert [each.value for each in found] == [None, None] and "the newest value is 29 d" in found[0].why, (
        "since the end of its day"
    )
    put_portfolios(fund.state, [Portfolio("own", "new", "New", currency="EUR")])
    fund.live.bump("portfolio")
    moved(fund, 1.0)
    (new,) = read_(operand('value_overdue{portfolio="new"}'))
    assert (new.value, new.why) == (1.0, "it has no value yet")
    ages = told(read_, "value_age")
    assert ages["portfolio=new"] is None and ages["portfolio=alpha"] == pytest.approx(30 * DAY, abs=2 * DAY)


def test_what_is_no_longer_watched_or_has_ended_is_gone_on_purpose(fund: Stores) -> None:
    watch = Watch(http=(HttpSource(name="orders", url="http://127.0.0.1:9"),))
    read_ = Reader(replace(fund, settings=fund.settings.model_copy(update={"watch": watch})))

    def why(when: str, **of: str) -> str:
        return read_.why_gone(rules(when)[0], labels(**of))

    states = "status >= warning"
    assert why(states, collector="http:orders", component="HTTP orders") == ""
    assert why(states, collector="http:bills", component="HTTP bills") == "it is no longer watched"
    assert why(states, collector="pipeline", component="collector http:bills") == "it is no longer watched"
    assert why(states, collector="pipeline", component="collector http:orders") == ""
    assert why(states, collector="system", component="Disk /data") == ""
    assert why("http_response_seconds > 1", instance="orders") == ""
    assert why("http_response_seconds > 1", instance="bills") == "it is no longer watched"
    assert why("redis_ping_judged_seconds > 1", instance="own") == ""
    for when in ("value_overdue == 1", "daily_return < -5 %"):
        assert why(when, portfolio="alpha") == ""
        assert (
            why(when, portfolio="gone")
            == why(when, portfolio="never")
            == "the portfolio has ended, or is no longer one"
        )
    assert why('daily_return{origin="sample"} < 0', portfolio="show", origin="sample") == ""
    # Nobody knows what programs mean by their labels.
    assert why("desk_latency_seconds > 1", portfolio="never", instance="bills", collector="x") == ""


def hosts(read: Figures, text: str) -> dict[str, float | None]:
    """Return values by machine and collector."""
    found = [(dict(each.labels), each.value) for each in read(operand(text))]
    return {f"{of['machine']} {of.get('collector', '')}".strip(): value for of, value in found if "machine" in of}


def test_of_a_machine_that_stands_by_nothing_is_missed(here: Stores) -> None:
    read, own = Reader(here), 'silent{collector=~"system|pipeline|alerts"}'
    for collector in ("system", "pipeline", "alerts"):
        put(here, collector=collector, host="a")
    moved(here, 60.0)
    assert hosts(read, own) == {"a system": 1.0, "a pipeline": 1.0, "a alerts": 1.0}, "it is gone: that is told"
    for collector in ("system", "pipeline"):
        put(here, collector=collector, host="b")
    moved(here, 1.0)
    assert hosts(read, own) == {"b system": 0.0, "b pipeline": 0.0, "a alerts": 1.0}
    assert hosts(read, "system_cpu_busy_ratio") == {"b": 0.5, "a": None}, "the engine is another one's matter"
    put(here, collector="alerts", host="b")
    moved(here, 1.0)
    assert hosts(read, own) == {"b system": 0.0, "b pipeline": 0.0, "b alerts": 0.0}
    assert hosts(read, "system_cpu_busy_ratio") == {"b": 0.5}
    (rule,) = rules("status >= warning")
    elsewhere = "another machine collects now"
    assert read.why_gone(rule, labels(collector="system", component="CPU", machine="a")) == elsewhere
    assert read.why_gone(rule, labels(collector="system", component="Disk /data", machine="b")) == ""
    assert read.why_gone(rules("system_cpu_busy_ratio > 1")[0], labels(core="total", machine="a")) == elsewhere
    moved(here, 90_000.0)
    assert hosts(read, own) == {"b system": 1.0, "b pipeline": 1.0, "b alerts": 1.0}, "the last one that collected"


def test_a_collector_that_hangs_is_silent_also_where_another_machine_collects(here: Stores) -> None:
    for host in ("a", "b"):
        put(here, host=host)
    moved(here, 60.0)
    put(here, host="b")
    put(here, collector="pipeline", host="a")
    moved(here, 1.0)
    assert hosts(Reader(here), 'silent{collector="system"}') == {"a system": 1.0, "b system": 0.0}
