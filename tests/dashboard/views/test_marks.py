"""Which events and notes the charts of a page show, and when they are sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from dash.exceptions import PreventUpdate

from access.viewer import Viewer
from core.alerts.spec import ALERTS, HISTORY, FiringAlert
from core.errors import StorageUnavailable
from core.kinds.redis.source import RedisSource
from core.kinds.registry import Watch
from core.memo import Memo
from core.model import Reading
from core.roles import Role
from core.tables import table_of
from dashboard.portfolio.firing import with_firing
from dashboard.tabs import PAGES, cache, events, health, overview, pipeline, portfolio, services, system
from dashboard.views.marks import MOST_INCIDENTS, MOST_MARKS, TEXT_CHARACTERS, Marks
from dashboard.views.refresh import Refresh
from dashboard.views.tab import Choices, Page
from portfolio.events import DATASET, delete_event, list_events, write_event
from storage.state.alerts import HistoryRow, add_history
from storage.state.events import Event, add_event
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores

ALL = Viewer("ana", Role.OPERATOR)
LIMITED = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
PORTFOLIO = with_firing(portfolio.TAB)
ABOUT = ("", "own:fund", "own:alpha", "own:beta", "redis:main", "redis:other", "host-1/system/CPU", "host-2/system/CPU")


@pytest.fixture
def marked(stores: Stores) -> Stores:
    """An event about each of several things; each says what it is about."""
    put_portfolios(stores.state, [
        Portfolio("own", "fund", "Fund"),
        Portfolio("own", "alpha", "Alpha", parent="fund"),
        Portfolio("own", "beta", "Beta", parent="fund"),
    ])  # fmt: skip
    sources = tuple(RedisSource(name=name, url="redis://127.0.0.1:9") for name in ("main", "other"))
    found = replace(stores, settings=stores.settings.model_copy(update={"watch": Watch(redis=sources)}))
    for about in ABOUT:
        field = "portfolio" if about.startswith("own:") else "component"
        write_event(found, {"text": about or "all", field: about}, "ana", None)
    return found


def shown(stores: Stores, page: Page, viewer: Viewer = ALL, **choices: str) -> set[str]:
    found = Marks(stores).of(page, Choices.of(choices), viewer.only(page.varies_by))
    return {each["text"] for each in orjson.loads(found or b"")}


def test_charts_show_what_they_are_concerned_with_and_nothing_else(marked: Stores) -> None:
    assert shown(marked, system.TAB) == {"all", "host-1/system/CPU"}
    assert shown(marked, system.TAB, host="host-2") == {"all", "host-2/system/CPU"}
    assert shown(marked, cache.TAB) == {"all", "redis:main", "redis:other"}
    assert shown(marked, cache.TAB, instance="redis:main") == {"all", "redis:main"}
    assert shown(marked, pipeline.TAB) == {"all"}
    assert shown(marked, PORTFOLIO) == {"all", "own:fund", "own:alpha", "own:beta"}, "with its parts"
    assert shown(marked, PORTFOLIO, portfolio="own:alpha") == {"all", "own:alpha"}
    assert shown(marked, PORTFOLIO, LIMITED) == {"all", "own:beta"}
    assert shown(marked, PORTFOLIO, LIMITED, portfolio="own:fund") == {"all", "own:beta"}


def test_every_page_of_a_portfolio_shows_what_it_is_about_and_the_overview_all_of_it(marked: Stores) -> None:
    names = {"portfolio", "holdings", "exposure", "risk", "attribution", "trades", "execution", "limits", "reconcile"}
    of_one = [each for each in PAGES if each.id in names]
    assert len(of_one) == len(names)
    for page in of_one:
        assert shown(marked, page, portfolio="own:alpha") == {"all", "own:alpha"}, page.id
    for page in (overview.TAB, health.PAGE):
        assert shown(marked, page) == {each or "all" for each in ABOUT}
        assert shown(marked, page, LIMITED) == shown(marked, page) - {"own:fund", "own:alpha"}


def answer(refresh: Refresh, seen: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(refresh.answer(Choices(), ALL, seen, None)[0]))
    return found


def test_marks_are_sent_with_a_page_and_again_when_they_change(marked: Stores) -> None:
    refresh = Refresh(marked, system.TAB, Memo(), Marks(marked))
    first = answer(refresh)
    assert [each["text"] for each in first["marks"]] == ["all", "host-1/system/CPU"], "the oldest first"
    marked.live.bump("system")
    again = answer(refresh, first["version"])
    assert again["base"] == first["version"] and "marks" not in again
    event, _ = write_event(marked, {"text": "now"}, "ana", None)
    changed = answer(refresh, again["version"])
    assert [each["text"] for each in changed["marks"]][-1] == "now"
    delete_event(marked, event.id, "ana", None, is_admin=False)
    assert answer(refresh, changed["version"])["marks"] == first["marks"]
    assert "marks" not in answer(Refresh(marked, events.PAGE, Memo(), Marks(marked))), "it has no chart"


def test_the_newest_are_sent_and_long_texts_are_cut(marked: Stores) -> None:
    now = marked.clock.now()
    with marked.state.begin() as connection:
        for number in range(MOST_MARKS + 10):
            add_event(connection, Event(now + number, None, f"{number} {'x' * 600}", who="ci"))
    marked.live.bump(DATASET)
    found = orjson.loads(Marks(marked).of(system.TAB, Choices(), ALL) or b"")
    assert len(found) == MOST_MARKS and found[-1]["text"].startswith(f"{MOST_MARKS + 9} ")
    assert {len(each["text"]) for each in found} == {TEXT_CHARACTERS}
    assert len(list_events(marked, None, limit=10_000)) == MOST_MARKS + 10 + len(ABOUT), "the page Events has them all"


def test_charts_stay_while_events_cannot_be_read(marked: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise StorageUnavailable("the state database is away")

    marks = Marks(marked)
    monkeypatch.setattr(type(marked.state), "reading", away)
    assert marks.of(system.TAB, Choices(), ALL) is None


def remember(stores: Stores, *rows: HistoryRow) -> None:
    with stores.state.begin() as connection:
        add_history(connection, rows)
    stores.live.bump(HISTORY)


def row(at: float, what: str, rule: str = "machine", severity: str = "critical", **labels: str) -> HistoryRow:
    of = labels or {"collector": "system", "component": "Disk /", "machine": "host-1"}
    return HistoryRow(at, what, rule, orjson.dumps(of).decode(), severity, detail=f"{rule}: this is why")


def bands(stores: Stores, page: Page, viewer: Viewer = ALL, **choices: str) -> list[dict[str, Any]]:
    sees = viewer.only([*page.varies_by, "portfolios"])
    found = orjson.loads(Marks(stores).of(page, Choices.of(choices), sees) or b"")
    return [each for each in found if "severity" in each or "more" in each]


def test_an_alert_that_fired_is_a_band_on_the_charts_of_what_it_is_about(marked: Stores) -> None:
    remember(
        marked,
        row(100.0, "fires", severity="warning"),
        row(150.0, "raised"),
        row(200.0, "resolved"),
        row(300.0, "fires", "redis-latency", instance="main"),
        row(310.0, "fires", "daily-loss", "urgent", portfolio="alpha", origin="own"),
        row(320.0, "resolved", "drawdown", portfolio="beta", origin="own"),
        row(330.0, "near_miss", "machine", collector="system", component="CPU", machine="host-1"),
    )
    (disk,) = bands(marked, system.TAB)
    assert (disk["at"], disk["until"], disk["severity"], disk["sign"]) == (100.0, 200.0, "critical", "✕")
    assert (disk["who"], disk["text"], disk["about"]) == ("The machine", "machine: this is why", "Disk / on host-1")
    assert bands(marked, system.TAB, host="host-2") == []
    remember(marked, row(340.0, "fires", "api-slow", "warning", machine="host-1", route="/api/v1/nav"))
    assert [each["who"] for each in bands(marked, services.TAB)] == ["The API answers slowly"]
    (redis,) = bands(marked, cache.TAB)
    assert (redis["until"], redis["about"]) == (None, "Redis main"), "it fires"
    assert bands(marked, cache.TAB, instance="redis:other") == []
    shown = {each["about"]: each["severity"] for each in bands(marked, PORTFOLIO, portfolio="own:fund")}
    assert shown.pop("Alpha") == "urgent", "of a part, and an end without a beginning is none"
    assert "Disk / on host-1" in shown and "Beta" not in shown, "what components did meanwhile stands beside it"


def test_nobody_is_shown_bands_of_portfolios_that_he_may_not_see(marked: Stores) -> None:
    remember(
        marked,
        row(100.0, "fires", "daily-loss", portfolio="alpha", origin="own"),
        row(110.0, "fires", "daily-loss", portfolio="beta", origin="own"),
        row(120.0, "fires", "own-rule-of-alpha", collector="system", component="CPU", machine="host-1"),
        row(130.0, "fires", "silent", collector="inbox", machine="host-1"),
    )
    seen = {each["about"] for each in bands(marked, PORTFOLIO, LIMITED, portfolio="own:beta")}
    assert seen == {"Beta", "inbox on host-1"}, "no other portfolio, and no rule of somebody else's"
    assert bands(marked, system.TAB, LIMITED) == []
    assert [each["who"] for each in bands(marked, system.TAB)] == ["own-rule-of-alpha"]


def test_the_gravest_are_drawn_and_how_many_more_there_are_is_told(marked: Stores) -> None:
    for number in range(MOST_INCIDENTS + 12):
        of = {"collector": "system", "component": f"Disk {number}", "machine": "host-1"}
        remember(marked, row(100.0 + number, "fires", severity="warning" if number else "urgent", **of))
    found = bands(marked, system.TAB)
    assert len(found) == MOST_INCIDENTS + 1 and found[-1] == {"more": 12}
    assert found[0]["severity"] == "urgent" and found[1]["at"] == 100.0 + 13, "of equal ones the newest"


def test_what_fires_since_before_the_history_that_is_read_is_told_by_the_newest_reading(marked: Stores) -> None:
    labels = orjson.dumps({"collector": "system", "component": "CPU", "machine": "host-1", "rule": "machine"}).decode()
    alert = FiringAlert(
        "k", "machine", "The machine", "warning", "system", labels, "firing", 50.0, 1.0, "busy", "", 1, "", False
    )
    told = Reading(tables=(table_of(FiringAlert, [alert]),))
    marked.live.put_reading(ALERTS, "host-1", marked.clock.now(), 5.0, told)
    remember(marked, row(100.0, "fires"))
    assert [(each["at"], each["until"]) for each in bands(marked, system.TAB)] == [(50.0, None), (100.0, None)]


def test_a_page_is_sent_its_bands_again_when_one_begins_or_ends_and_not_else(marked: Stores) -> None:
    refresh = Refresh(marked, system.TAB, Memo(), Marks(marked))
    first = answer(refresh)
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ALL, first["version"], None)
    marked.live.bump(ALERTS)
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ALL, first["version"], None)
    remember(marked, row(100.0, "fires"))
    began = answer(refresh, first["version"])
    assert [each["until"] for each in began["marks"] if "severity" in each] == [None]
    assert len(orjson.dumps(began["marks"])) < 2_000
    remember(marked, row(200.0, "resolved"))
    ended = answer(refresh, began["version"])
    assert [each["until"] for each in ended["marks"] if "severity" in each] == [200.0]
