"""The Overview: safe or not and why, portfolios, alerts, components and the last day; and the badge of every tab."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from dash.exceptions import PreventUpdate
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.alerts.spec import ALERTS, FiringAlert, OpenIncident
from core.clock import FakeClock
from core.kinds.registry import Watch
from core.memo import Memo
from core.model import Component, Reading, Sample, Status, labels
from core.pipeline.health import HEALTH, SCORE
from core.readiness import COMPONENT, EVERY_PORTFOLIO, READINESS, PortfolioReadiness, ReadinessCheck, State
from core.roles import Role
from core.tables import table_of
from dashboard.overview.past import NOT_WATCHED, Trouble, read_watched, watched
from dashboard.tabs import PAGES, health
from dashboard.tabs.overview import TAB, build
from dashboard.views.refresh import Refresh
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices, View, fitted
from portfolio.imports.take import take
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.heard import HEARD
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.state.alert_requests import waiting_in
from storage.state.alert_tables import alert_incidents
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import built, slot_text, text

NOW = float(int(time.time()))
DAY = 86_400.0
VALUES = 40
EVERYBODY = Viewer("ana", Role.OPERATOR)
LIMITED = Viewer("vera", Role.OPERATOR, portfolios=frozenset({"macro"}))


@pytest.fixture
def stores(stores: Stores) -> Stores:
    """Two portfolios of the fund and a feed, as of now."""
    watch = Watch.model_validate({"iqfeed": [{"name": "main"}]})
    settings = stores.settings.model_copy(update={"watch": watch})
    stores = replace(stores, clock=FakeClock(NOW), settings=settings)
    put_portfolios(stores.state, [Portfolio("own", "macro", "Macro"), Portfolio("own", "pairs", "Pairs")])
    for id, drop in (("macro", 1.0), ("pairs", 0.88)):
        take(stores, f"{id}.csv", history(id, drop), accept=True)
    put(stores, "iqfeed:main", Component("IQFeed main", Status.OK, "6 of 6 symbols fresh"))
    put(stores, "system", Component("CPU", Status.OK, "12 % busy"), Component("Disk /", Status.CRITICAL, "97 % full"))
    return stores


def history(id: str, drop: float) -> bytes:
    """Return a file of daily values that end yesterday: the last one is `drop` of the one before."""
    days = [time.strftime("%Y-%m-%d", time.gmtime(NOW - DAY * (VALUES - at))) for at in range(VALUES)]
    values = [1e6 * 1.001**at for at in range(VALUES)]
    values[-1] = values[-2] * drop
    lines = [f"{day},{id},{value:.2f}" for day, value in zip(days, values, strict=True)]
    return ("date,portfolio,nav\n" + "\n".join(lines)).encode()


def put(stores: Stores, collector: str, *parts: Component, ago: float = 1.0) -> None:
    stores.live.put_reading(collector, "host-1", NOW - ago, 5, Reading(components=parts))
    stores.live.bump(collector.split(":")[0])


def check(state: State, title: str, portfolio: str = EVERY_PORTFOLIO, why: str = "so it is") -> ReadinessCheck:
    return ReadinessCheck(portfolio, title.lower(), title, state.value, why, NOW - 2, NOW - 60, "/pipeline")


def answer(portfolio: str = EVERY_PORTFOLIO, *reasons: str) -> PortfolioReadiness:
    return PortfolioReadiness(portfolio, not reasons, 2 - len(reasons), 2, [*reasons], NOW - 60, "")


def tell(stores: Stores, *rows: PortfolioReadiness, checks: tuple[ReadinessCheck, ...], ago: float = 1.0) -> None:
    tables = (table_of(PortfolioReadiness, rows), table_of(ReadinessCheck, checks))
    stores.live.put_reading(READINESS, "host-1", NOW - ago, 1, Reading(tables=tables))
    stores.live.bump(READINESS)


def alert(title: str, severity: str, ago: float, incident: int = 0, muted_by: str = "", **labels: str) -> FiringAlert:
    told = orjson.dumps(labels).decode()
    text = f"{title}: this is why"
    return FiringAlert(
        title, "rule", title, severity, "trading", told, "firing", NOW - ago, 1.0, text, muted_by, incident, "", False
    )


def fire(stores: Stores, *alerts: FiringAlert) -> None:
    incidents = [
        OpenIncident(id, "g", "critical", "open", NOW, sum(each.incident == id for each in alerts), [], None, "", 0.0,
                     0, "", 0.0, "")
        for id in {each.incident for each in alerts if each.incident}
    ]  # fmt: skip
    reading = Reading(
        components=(Component("alert engine", Status.OK, "ticks"),),
        tables=(table_of(FiringAlert, alerts), table_of(OpenIncident, incidents)),
    )
    stores.live.put_reading(ALERTS, "host-1", NOW - 1, 5, reading)
    stores.live.bump(ALERTS)


def shown(stores: Stores, viewer: Viewer = EVERYBODY) -> View:
    return build(stores, Choices(), viewer)


def words(view: View) -> str:
    return " ".join(text(part) for part in view.slots.values())


def cells(table: Any, label: str) -> list[Any]:
    """The cells of a column."""
    if isinstance(table, list):
        return [found for part in table for found in cells(part, label)]
    if not isinstance(table, dict):
        return []
    props = table.get("props", {})
    return [table] if props.get("data-label") == label else cells(props.get("children"), label)


WATCHED = (check(State.READY, "Feeds"), check(State.READY, "Broker"), check(State.NOT_WATCHED, "Positions"))


def test_it_opens_first_and_its_key_is_one() -> None:
    assert (PAGES[0], TAB.key, TAB.path) == (TAB, "1", "/overview")


def test_safe_is_told_with_how_many_checks_say_so(stores: Stores) -> None:
    tell(stores, answer(), answer("macro"), answer("pairs"), checks=WATCHED)
    banner = slot_text("overview", built(TAB, stores), "safe")
    assert "Safe to trade" in banner and "by 2 checks, 1 more is not watched" in banner
    assert slot_text("overview", shown(stores), "portfolios-table").count("safe") == 2


def test_where_nothing_of_trading_is_checked_nothing_is_called_safe(stores: Stores) -> None:
    own = (check(State.READY, "Storage"), check(State.READY, "Disk"), check(State.NOT_WATCHED, "Feeds"))
    tell(stores, answer(), checks=own)
    itself = ComponentId("host-1", READINESS, COMPONENT)
    stores.clickhouse.insert(state_change_facts([StateChange(NOW - 70, itself, Status.OK, None, 0, "ready")]))
    stores.writer.put("host-1", NOW, [Sample(HEARD, 1.0, labels(collector=READINESS))])
    stores.writer.flush()
    banner = plain(shown(stores).slots["overview-safe"])
    assert "Nothing of your trading is checked yet" in text(banner) and "Safe to trade" not in text(banner)
    assert "fw-level-not_configured" in str(banner) and "fw-level-ok" not in str(banner)
    assert "/import" in str(banner) and "/services" in str(banner)
    view = shown(stores)
    assert slot_text("overview", view, "past-told") == "nothing of your trading is checked yet"
    assert "all ok" not in [trace["name"] for trace in view.figures["overview-past-graph"]["data"]]
    badge = orjson.loads(create_app(stores).server.test_client().get("/overview/safe").data)
    assert (badge["word"], badge["status"], badge["count"]) == ("unchecked", "not_configured", "")
    tell(stores, answer(EVERY_PORTFOLIO, "no"), checks=(*own, check(State.NOT_READY, "Clock")))
    assert "Not safe to trade" in slot_text("overview", shown(stores), "safe")


def test_portfolios_in_trouble_come_first_and_each_stays_with_its_parts(stores: Stores) -> None:
    tree = [("fund", ""), ("calm", "fund"), ("bad", "fund"), ("worse", "bad"), ("alone", "")]
    put_portfolios(stores.state, [Portfolio("own", id, id, parent=parent) for id, parent in tree])
    safe = [answer(id) for id in ("fund", "calm", "bad", "alone", "macro")]
    unsafe = [answer(id, "it lost too much") for id in ("worse", "pairs")]
    tell(stores, answer(EVERY_PORTFOLIO, "no"), *safe, *unsafe, checks=WATCHED)
    told = slot_text("overview", shown(stores), "portfolios-table")
    names = ("fund", "bad", "worse", "calm", "Pairs", "alone", "Macro")
    assert [*map(told.index, names)] == sorted(map(told.index, names)), told


def test_what_is_not_ready_is_named_with_its_reason_its_age_and_its_place(stores: Stores) -> None:
    failing = check(State.NOT_READY, "Broker", why="IB does not answer")
    lost = check(State.UNKNOWN, "Limits", "pairs", why="the value is overdue")
    rows = answer(EVERY_PORTFOLIO, "IB does not answer"), answer("macro"), answer("pairs", "the value is overdue")
    tell(stores, *rows, checks=(*WATCHED, failing, lost))
    view = shown(stores)
    banner = plain(view.slots["overview-safe"])
    assert "Not safe to trade" in text(banner)
    assert re.search(r"Broker : IB does not answer.*Limits \(Pairs\) : the value is overdue", text(banner))
    assert text(banner).count("IB does not answer") == 1, "a reason is told once"
    assert b'"/pipeline"' in orjson.dumps(banner) and b'"data-age-ts"' in orjson.dumps(banner)
    table = slot_text("overview", view, "portfolios-table")
    assert re.search(r"Pairs.*✕ not safe.*Macro.*✓ safe", table), "what is in trouble comes first"


@pytest.mark.parametrize("ago", [None, 60.0])
def test_what_nobody_evaluates_is_not_safe(stores: Stores, ago: float | None) -> None:
    if ago is not None:
        tell(stores, answer(), answer("macro"), answer("pairs"), checks=WATCHED, ago=ago)
    view = shown(stores)
    banner = view.slots["overview-safe"]
    assert "Nobody knows whether it is safe" in text(banner)
    assert "fw-level-critical" in banner.className
    assert "✓ safe" not in slot_text("overview", view, "portfolios-table")


def test_a_portfolio_has_its_figures_and_its_drawdown_against_its_limit(stores: Stores) -> None:
    table = plain(shown(stores).slots["overview-portfolios-table"])
    told = text(table)
    assert re.search(r"Pairs.*914 K USD.*▼ −12\.0.*−12\.0 %", told), told
    assert b"80.0 % of its limit" in orjson.dumps(table).replace(b"\\u202f", b" ")
    assert b"/portfolio?portfolio=own%3Apairs" in orjson.dumps(table)


def test_the_return_of_the_last_value_says_what_it_is_of(stores: Stores) -> None:
    """The last return of a portfolio that is valued once a month is no day's."""

    def table() -> str:
        return slot_text("overview", shown(stores), "portfolios-table")

    assert "Day %" in table() and "last month" not in table()
    days = [f"{year}-{month:02}-28" for year in (2020, 2021) for month in range(1, 13)]
    rows = "".join(f"{day},slow,{100 + at}\n" for at, day in enumerate(days))
    take(stores, "slow.csv", f"date,portfolio,nav\n{rows}".encode(), accept=True)
    stores.live.bump("portfolio")
    assert "Last value %" in table() and re.search(r"Slow.*?\+0.* last month", table(), re.IGNORECASE)


def test_alerts_stand_by_severity_then_the_newest_first_and_quiet_ones_are_counted(stores: Stores) -> None:
    fire(stores, alert("Old", "critical", 600), alert("New", "critical", 60), alert("Hint", "info", 1),
         alert("Woken", "urgent", 900), alert("Hushed", "urgent", 5, muted_by="silence 3"))  # fmt: skip
    told = slot_text("overview", shown(stores), "alerts-table")
    assert [*map(told.index, ("Woken", "New", "Old", "Hint"))] == sorted(
        map(told.index, ("Woken", "New", "Old", "Hint"))
    )
    assert "Hushed" not in told and "1 alert kept quiet" in told
    assert " ".join(slot_text("overview", shown(stores), "alert-counts").split()) == "‼ 1 urgent ✕ 2 critical ℹ 1 info"


def test_in_a_storm_each_incident_has_a_line_and_how_many_more_there_are_stays_in_sight(stores: Stores) -> None:
    lost = [alert(f"Loss {n}", "urgent", n, 1) for n in range(1, 41)]
    fire(stores, *lost, *(alert(f"Disk {n}", "critical", 5, n) for n in range(2, 9)))
    told = " ".join(slot_text("overview", shown(stores), "alerts-table").split())
    assert "Loss 1" in told and "and 39 more alerts of it" in told and "Loss 2" not in told
    assert "Disk 2" in told and told.count("Acknowledge") == 4 and "4 more alerts" in told


def test_an_alert_is_taken_in_hand_by_who_may_see_it(stores: Stores) -> None:
    with stores.state.begin() as connection:
        row = {"group": "g", "stage": "open", "opened_at": NOW, "body": "{}"}
        connection.execute(sa.insert(alert_incidents), [{"id": 1, **row}, {"id": 2, **row}, {"id": 3, **row}])
    fire(
        stores, alert("Mine", "critical", 5, 1, portfolio="macro"),
        alert("Theirs", "critical", 5, 2, portfolio="pairs"),
        alert("Ours", "critical", 5, 3, portfolio="macro"), alert("Ours", "critical", 5, 3, portfolio="pairs"),
    )  # fmt: skip
    client: FlaskClient = create_app(stores, find_viewer=lambda _: LIMITED).server.test_client()
    assert "Theirs" not in words(shown(stores, LIMITED)) and "Mine" in words(shown(stores, LIMITED))
    for incident, is_done in (("1", True), ("2", False), ("3", False), ("4", False), ("x", False)):
        said = client.post("/alerts/acknowledge", json={"incident": incident, "lasts": "3600"}).get_json()
        assert said["done"] is is_done, said
    with stores.state.reading() as connection:
        (asked,) = waiting_in(connection)
    assert (asked.incident, asked.who, asked.until - asked.at) == (1, "vera", 3_600)


def test_components_in_trouble_say_why_and_lead_to_their_place(stores: Stores) -> None:
    grid = plain(shown(stores).slots["overview-components-table"])
    told = " ".join(text(grid).split())
    assert re.search(r"Trading ✓ ok 1 of 1 ok.*alerts status unknown.*critical Disk / 97 % full.*CPU", told), told
    assert b"/pipeline?instance=iqfeed%3Amain" in orjson.dumps(grid)


def test_who_is_limited_sees_nothing_of_others(stores: Stores) -> None:
    tell(stores, answer(EVERY_PORTFOLIO, "Pairs fell"), answer("macro"), answer("pairs", "Pairs fell"),
         checks=(*WATCHED, check(State.NOT_READY, "Limits", "pairs", "Pairs fell")))  # fmt: skip
    fire(stores, alert("Pairs drawdown", "urgent", 5, portfolio="pairs"))
    view = shown(stores, LIMITED)
    assert "Pairs" not in words(view) and "Macro" in words(view)
    of_his = "Safe to trade, of the portfolios that you may see"
    assert of_his in slot_text("overview", view, "safe")
    client: FlaskClient = create_app(stores, find_viewer=lambda _: LIMITED).server.test_client()
    told = client.get("/overview/safe").get_json()
    assert (told["word"], told["scope"], told["title"]) == ("safe", "yours", of_his) and of_his in told["list"]
    assert b"Pairs" not in client.get("/overview/safe").data
    nobody = shown(stores, replace(LIMITED, portfolios=frozenset({"gone"})))
    assert "Nobody knows" in slot_text("overview", nobody, "safe") or "Not safe" in slot_text(
        "overview", nobody, "safe"
    )


def test_the_badge_answers_on_every_tab_and_is_not_safe_without_an_answer(stores: Stores) -> None:
    client: FlaskClient = create_app(stores).server.test_client()
    assert client.get("/overview/safe").get_json() | {"list": "", "banner": ""} == {
        "word": "unknown", "status": "critical", "count": "", "scope": "", "list": "", "banner": "", "halted": None,
        "title": "Nobody knows whether it is safe",
    }  # fmt: skip
    tell(stores, answer(), checks=WATCHED)
    told = client.get("/overview/safe").get_json()
    assert (told["word"], told["status"], told["count"]) == ("safe", "ok", "2 checks")
    tell(stores, replace(answer(), is_safe=False, reasons=["safe in 12 s"]), checks=WATCHED)
    told = client.get("/overview/safe").get_json()
    assert (told["word"], told["count"]) == ("not safe", "yet"), "all are ready, and have to stay so"
    tell(stores, answer(), checks=WATCHED)
    told = client.get("/overview/safe").get_json()
    assert told["list"].index("Feeds") < told["list"].index("Positions"), "what is not watched stands last"
    frame = str(client.get("/_dash-layout").get_json())
    assert "'safe-button'" in frame and "'/overview/safe'" in frame


def test_an_unchanged_page_is_neither_built_nor_sent(stores: Stores) -> None:
    (page,) = fitted((TAB,), stores.settings)
    refresh = Refresh(stores, page, Memo())
    first = orjson.loads(orjson.dumps(refresh.answer(Choices(), EVERYBODY, None, None)[0]))
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), EVERYBODY, first["version"], "")
    fire(stores, alert("New", "critical", 1))
    later = orjson.loads(orjson.dumps(refresh.answer(Choices(), EVERYBODY, first["version"], None)[0]))
    assert "overview-alerts-table" in later["slots"] and "overview-portfolios-table" not in later["slots"]


def test_while_clickhouse_is_away_the_present_goes_on(stores: Stores) -> None:
    tell(stores, answer(), answer("macro"), answer("pairs"), checks=WATCHED)
    view = shown(replace(stores, clickhouse=ClickHouse("http://127.0.0.1:1")))
    assert "Safe to trade" in slot_text("overview", view, "safe")
    assert "97 % full" in slot_text("overview", view, "components-table")
    assert view.notes["overview-past"] and view.notes["overview-portfolios"] and not view.figures


def test_the_trend_and_the_strip_of_the_last_day_are_drawn(stores: Stores) -> None:
    for ago, value in ((7_200, 90.0), (3_600, 40.0), (60, 95.0)):
        stores.writer.put("host-1", NOW - ago, [Sample(SCORE, value)])
    stores.writer.flush()
    stores.live.put_reading(HEALTH, "host-1", NOW - 1, 15, Reading(samples=(Sample(SCORE, 95.0),)))
    feed = ComponentId("", "iqfeed:main")
    stores.clickhouse.insert(state_change_facts([
        StateChange(NOW - 2 * DAY, feed, Status.OK, None, 0, "fine"),
        StateChange(NOW - 7_200, feed, Status.DOWN, Status.OK, 2 * DAY - 7_200, "no connection"),
        StateChange(NOW - 3_600, feed, Status.OK, Status.DOWN, 3_600, "fine"),
    ]))  # fmt: skip
    view = shown(stores)
    score = view.figures["overview-health-graph"]["data"][0]
    assert [value for value in score["y"] if value is not None] == [90, 40, 95]
    strip = [trace for trace in view.figures["overview-past-graph"]["data"] if trace.get("yaxis") == "y2"]
    assert [(trace["name"], trace["x"][0], trace["x"][-1]) for trace in strip[1:]] == [
        ("all ok", NOW - DAY, NOW), ("down: IQFeed main", NOW - 7_200, NOW - 3_600),
    ]  # fmt: skip
    assert "not ok for 4.17 % of the time" in slot_text("overview", view, "past-told")


def test_the_strip_goes_on_when_another_machine_takes_over(stores: Stores) -> None:
    """What the machine before had found stands there, and that it says nothing any more is no trouble."""

    def of(host: str) -> ComponentId:
        return ComponentId(host, READINESS, COMPONENT)

    def heard(host: str, ago: float) -> None:
        stores.writer.put(host, NOW - ago, [Sample(HEARD, 1.0, labels(collector=READINESS))])

    stores.clickhouse.insert(state_change_facts([
        StateChange(NOW - 2 * DAY, of("a"), Status.OK, None, 0, "safe", "", 5),
        StateChange(NOW - 7_200, of("a"), Status.DOWN, Status.OK, 2 * DAY - 7_200, "a halt", "", 5),
        StateChange(NOW - 6_000, of("a"), Status.OK, Status.DOWN, 1_200, "safe", "", 5),
        StateChange(NOW - 3_000, of("b"), Status.OK, None, 0, "safe", "", 5),
        StateChange(NOW - 1_000, of("b"), Status.DOWN, Status.OK, 2_000, "a loss", "", 5),
        StateChange(NOW - 600, of("b"), Status.OK, Status.DOWN, 400, "safe", "", 5),
    ]))  # fmt: skip
    heard("a", 3_600)
    heard("b", 0)
    stores.writer.flush()
    feed = ComponentId("", "iqfeed:main")
    stores.clickhouse.insert(state_change_facts([StateChange(NOW - 2 * DAY, feed, Status.OK, None, 0, "fine")]))
    found = read_watched(stores, NOW - DAY, NOW, is_whole=True).trouble
    assert [(each.start - NOW, each.end - NOW, each.worst) for each in found] == [
        (-7_200, -6_000, Status.DOWN), (-3_595, -3_000, Status.UNKNOWN), (-1_000, -600, Status.DOWN),
    ]  # fmt: skip
    assert {name for each in found for name in each.names} == {COMPONENT}
    assert read_watched(stores, NOW - DAY, NOW, is_whole=False).trouble == ()


def test_the_line_is_of_the_first_portfolio_with_several_values_within_the_day(stores: Stores) -> None:
    noon = NOW // DAY * DAY - DAY / 2
    day = time.strftime("%Y-%m-%d", time.gmtime(noon))
    rows = "".join(f"{day} {hour:02}:00,pairs,{900_000 + 1_000 * hour}\n" for hour in (9, 10, 11))
    take(stores, "day.csv", f"date,portfolio,nav\n{rows}".encode(), accept=True)
    stores.live.bump("portfolio")
    stores = replace(stores, clock=FakeClock(noon))
    view = shown(stores)
    (line,) = [trace for trace in view.figures["overview-past-graph"]["data"] if trace.get("yaxis") != "y2"]
    assert line["name"] == "Pairs" and len(line["x"]) >= 3
    assert "P&L of Pairs" in [each["text"] for each in view.figures["overview-past-graph"]["layout"]["annotations"]]
    hidden = shown(stores, LIMITED)
    assert "Pairs" not in orjson.dumps(hidden.figures).decode()


def test_the_strip_shows_the_worst_of_all_and_names_them(stores: Stores) -> None:
    one, two = ComponentId("", "iqfeed:a"), ComponentId("", "ib:b")
    history = {
        one: [
            StateChange(100, one, Status.WARNING, Status.OK, 100, ""),
            StateChange(300, one, Status.OK, Status.WARNING, 200, ""),
        ],
        two: [
            StateChange(200, two, Status.DOWN, Status.OK, 200, ""),
            StateChange(300, two, Status.OK, Status.DOWN, 100, ""),
        ],
    }
    new = [StateChange(350, two, Status.OK, None, 0, "")]
    assert watched({two: new}, 0, 400).trouble == (), "what was not watched yet was not in trouble"
    assert watched(history, 0, 400).trouble == (
        Trouble(100, 200, Status.WARNING, ("IQFeed a",)),
        Trouble(200, 300, Status.DOWN, ("Interactive Brokers b", "IQFeed a")),
    )


def test_time_that_nobody_watched_is_grey_and_counts_as_no_time(stores: Stores) -> None:
    """Fundwatch began two hours ago, said nothing for half an hour, and the feed was down for nine minutes."""
    feed = ComponentId("", "iqfeed:main")
    stores.clickhouse.insert(state_change_facts([
        StateChange(NOW - 7_200, feed, Status.OK, None, 0, "fine"),
        StateChange(NOW - 6_000, feed, Status.UNKNOWN, Status.OK, 1_200, "silent"),
        StateChange(NOW - 4_200, feed, Status.DOWN, Status.UNKNOWN, 1_800, "no connection"),
        StateChange(NOW - 3_660, feed, Status.OK, Status.DOWN, 540, "fine"),
    ]))  # fmt: skip
    view = shown(stores)
    strip = [trace for trace in view.figures["overview-past-graph"]["data"] if trace.get("yaxis") == "y2"]
    assert [(trace["name"], trace["line"]["color"], trace["x"][0] - NOW, trace["x"][-1] - NOW) for trace in strip] == [
        (NOT_WATCHED, "@line", -DAY, 0), ("all ok", "@ok", -7_200, -6_000), ("all ok", "@ok", -4_200, 0),
        ("down: IQFeed main", "@critical", -4_200, -3_660),
    ]  # fmt: skip
    assert "not ok for 10.0 % of 1 h 30 min watched" in slot_text("overview", view, "past-told")


def test_a_day_that_nobody_watched_is_said_to_be_one(stores: Stores) -> None:
    assert "not watched within 24 h" in slot_text("overview", shown(stores), "past-told")


def test_the_arithmetic_of_the_score_is_shown_line_by_line(stores: Stores) -> None:
    fire(stores)
    view = built(health.PAGE, stores)
    table = plain(view.slots["health-lines-table"])
    adds = [float(text(cell)) for cell in cells(table, "Adds")]
    told = slot_text("health", view, "verdict")
    assert sum(adds) == pytest.approx(float(re.findall(r"([\d.]+) is what", told)[0]), abs=0.2)
    assert "Not all of it is well: Disk / critical." in told, "a score that is green names what is critical"
    assert "IQFeed main" in text(table) and "Disk /" in text(table)
