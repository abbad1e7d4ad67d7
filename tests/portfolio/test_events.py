"""Events and notes: what can be written, who sees and changes which, and what the audit says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ChangeRejected
from core.events import AHEAD_SECONDS, MOST_TAGS, TEXT_CHARACTERS, collector_of, component_title, host_of, tab_of
from core.kinds.redis.source import RedisSource
from core.kinds.registry import KINDS, Watch
from portfolio.events import alter_event, delete_event, find_event, list_events, write_event
from portfolio.tree.delete import delete
from portfolio.tree.merge import merge
from storage.state.audit import read_entries
from storage.state.events import Event, Wanted, add_event
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund of two parts, and a Redis that is watched."""
    put_portfolios(stores.state, [
        Portfolio("own", "fund", "Fund"),
        Portfolio("own", "alpha", "Alpha", parent="fund"),
        Portfolio("own", "beta", "Beta", parent="fund"),
        Portfolio("sample", "fund", "Sample fund"),
    ])  # fmt: skip
    watch = Watch(redis=(RedisSource(name="main", url="redis://127.0.0.1:9"),))
    return replace(stores, settings=stores.settings.model_copy(update={"watch": watch}))


def moment(stores: Stores, seconds: float = 0.0) -> datetime:
    return datetime.fromtimestamp(stores.clock.now() + seconds, UTC)


def texts(stores: Stores, limits: Any = None, portfolio: str = "", **wanted: Any) -> list[str]:
    return [each.text for each in list_events(stores, limits, Wanted(**wanted), portfolio)]


def wrong(stores: Stores, limits: Any = None, **sent: Any) -> dict[str, str]:
    with pytest.raises(ChangeRejected) as error:
        write_event(stores, {"text": "x", **sent}, "ana", limits)
    return error.value.fields


def test_what_cannot_be_is_refused_with_the_field_and_nothing_is_written(fund: Stores) -> None:
    now = moment(fund)
    assert list(wrong(fund, text="")) == list(wrong(fund, text="   \n ")) == ["text"]
    assert list(wrong(fund, text="x" * (TEXT_CHARACTERS + 1))) == list(wrong(fund, text="a\0b")) == ["text"]
    assert list(wrong(fund, tags=["a\0b"])) == ["tags"] and list(wrong(fund, component="redis:main/\0")) == [
        "component"
    ]
    assert list(wrong(fund, tags=["two words"])) == list(wrong(fund, tags=["x"] * (MOST_TAGS + 1))) == ["tags"]
    assert list(wrong(fund, at=now.replace(tzinfo=None))) == list(wrong(fund, at="1969-12-31T00:00:00Z")) == ["at"]
    assert list(wrong(fund, at=now + timedelta(seconds=AHEAD_SECONDS + 60))) == ["at"]
    assert list(wrong(fund, at=now, until=now)) == ["until"]
    assert list(wrong(fund, until=now - timedelta(seconds=1))) == ["until"], "a span from now that is over"
    assert "did you mean own:alpha?" in wrong(fund, portfolio="own:alpa")["portfolio"]
    assert "did you mean redis:main?" in wrong(fund, component="redis:mian")["component"]
    assert list(wrong(fund, portfolio="own:alpha", component="redis:main")) == ["component"]
    assert list(wrong(fund, what="deploy")) == ["what"]
    assert texts(fund) == [] and read_entries(fund.state) == []


def test_the_same_is_kept_once_and_another_time_is_another(fund: Stores) -> None:
    sent = {"text": "Gateway 4.2", "at": moment(fund), "tags": ["Deploy", "deploy"], "component": "redis:main"}
    (first, is_new), (again, is_new_again) = write_event(fund, sent, "ci", None), write_event(fund, sent, "ci", None)
    assert (is_new, is_new_again) == (True, False) and first == again
    assert first.tags == ("deploy",)
    assert write_event(fund, sent, "another", None)[1]
    assert write_event(fund, {**sent, "at": moment(fund, 1)}, "ci", None)[1]
    assert len(texts(fund)) == 3
    delete_event(fund, first.id, "ci", None, is_admin=False)
    assert write_event(fund, sent, "ci", None)[1], "what was deleted is not there any more"


def test_who_may_see_a_portfolio_sees_what_is_about_it(fund: Stores) -> None:
    for about in ("own:fund", "own:alpha", "own:beta", "sample:fund", ""):
        write_event(fund, {"text": about or "all", "portfolio": about}, "ana", None)
    write_event(fund, {"text": "redis", "component": "redis:main"}, "ana", None)
    assert set(texts(fund)) == {"own:fund", "own:alpha", "own:beta", "sample:fund", "all", "redis"}
    assert set(texts(fund, frozenset({"beta"}))) == {"own:beta", "sample:fund", "all", "redis"}
    assert set(texts(fund, frozenset())) == {"sample:fund", "all", "redis"}
    assert set(texts(fund, portfolio="own:fund")) == {"own:fund", "own:alpha", "own:beta"}, "with what is below it"
    assert texts(fund, frozenset({"beta"}), portfolio="own:fund") == []
    hidden = next(each.id for each in list_events(fund, None) if each.text == "own:alpha")
    limited = frozenset({"beta"})
    assert find_event(fund, hidden, limited) is None is find_event(fund, 2**40, None)
    for number in (hidden, 999):
        with pytest.raises(ChangeRejected, match=f"There is no event {number}"):
            alter_event(fund, number, {"text": "y"}, "ana", limited, is_admin=False)
        with pytest.raises(ChangeRejected, match=f"There is no event {number}"):
            delete_event(fund, number, "ana", limited, is_admin=False)


def test_who_is_limited_writes_about_what_may_be_seen_alone(fund: Stores) -> None:
    limits = frozenset({"beta"})
    assert list(wrong(fund, limits)) == list(wrong(fund, limits, component="redis:main")) == ["portfolio"]
    hidden, nothing = (wrong(fund, limits, portfolio=f"own:{id}")["portfolio"] for id in ("alpha", "nobdy"))
    assert hidden.replace("alpha", "nobdy") == nothing, "one that may not be seen is one that there is not"
    event, _ = write_event(fund, {"text": "x", "portfolio": "own:beta"}, "lee", limits)
    with pytest.raises(ChangeRejected):
        alter_event(fund, event.id, {"portfolio": ""}, "lee", limits, is_admin=False)


def test_who_wrote_it_or_an_admin_changes_it_and_the_audit_says_so(fund: Stores) -> None:
    event, _ = write_event(fund, {"text": "Limit 5 %", "tags": ["risk"], "portfolio": "own:alpha"}, "ana", None)
    for do in (alter_event, delete_event):
        with pytest.raises(ChangeRejected, match="Only ana or an admin"):
            do(fund, event.id, *([{"text": "y"}] if do is alter_event else []), "otto", None, is_admin=False)  # type: ignore[operator]
    same = alter_event(fund, event.id, {"text": "Limit 5 %"}, "ana", None, is_admin=False)
    assert same.changed_at == 0, "nothing was changed"
    until = moment(fund, 3_600)
    changed = alter_event(fund, event.id, {"text": "Limit 6 %", "until": until}, "root", None, is_admin=True)
    assert (changed.text, changed.tags, changed.who) == ("Limit 6 %", ("risk",), "ana")
    assert changed.until == until.timestamp()
    with pytest.raises(ChangeRejected) as error:
        alter_event(fund, event.id, {"until": moment(fund, -9)}, "ana", None, is_admin=False)
    assert list(error.value.fields) == ["until"]
    assert find_event(fund, event.id, None) == changed
    delete_event(fund, event.id, "ana", None, is_admin=False)
    assert find_event(fund, event.id, None) is None and texts(fund) == []
    told = [(each.who, each.what, each.detail) for each in reversed(read_entries(fund.state))]
    assert told == [
        ("ana", "event written", "Limit 5 %"),
        ("root", "event changed", "Limit 6 %; before: Limit 5 %"),
        ("ana", "event deleted", "Limit 6 %"),
    ]
    assert {each.target for each in read_entries(fund.state)} == {f"event {event.id} about own:alpha"}


def test_what_is_about_a_merged_portfolio_is_about_the_one_it_became_part_of(fund: Stores) -> None:
    event, _ = write_event(fund, {"text": "x", "portfolio": "own:beta"}, "ana", None)
    merge(fund, "beta", "alpha", "alpha", "ana")
    assert [each.portfolio for each in list_events(fund, None)] == ["own:alpha"]
    assert texts(fund, frozenset({"alpha"})) == ["x"] == texts(fund, portfolio="own:alpha")
    assert alter_event(fund, event.id, {"text": "y"}, "ana", None, is_admin=False).text == "y"


def test_what_is_about_a_deleted_portfolio_is_not_about_the_next_of_its_id(fund: Stores) -> None:
    for about in ("own:alpha", "own:beta"):
        write_event(fund, {"text": about, "portfolio": about}, "ana", None)
    merge(fund, "beta", "alpha", "alpha", "ana")
    delete(fund, "alpha", "Alpha", "ana")
    put_portfolios(fund.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    assert texts(fund, frozenset({"alpha", "beta"})) == [] == texts(fund, portfolio="own:alpha")
    assert set(texts(fund)) == {"own:alpha", "own:beta"}


def test_filters_leave_what_is_wanted(fund: Stores) -> None:
    now = fund.clock.now()
    for text, at, until, tags in (
        ("Deploy of 50% more nodes", -100, None, ["deploy", "Größe"]),
        ("Maintenance", -500, -50, ["deploy-window"]),
        ("Old", -5_000, None, []),
    ):
        span = {"at": moment(fund, at), "until": None if until is None else moment(fund, until)}
        write_event(fund, {"text": text, "tags": tags, **span}, "ana", None)
    write_event(fund, {"text": "CPU", "component": "host-1/system/CPU", "at": moment(fund)}, "ci", None)
    assert texts(fund) == ["CPU", "Deploy of 50% more nodes", "Maintenance", "Old"], "the newest first"
    assert texts(fund, since=now - 60) == ["CPU", "Maintenance"], "what was not over then"
    assert texts(fund, until=now - 100) == ["Maintenance", "Old"]
    assert texts(fund, tag="deploy") == ["Deploy of 50% more nodes"]
    assert texts(fund, tag="größe") == texts(fund, text="deploy 50% ANA") == texts(fund, text="deploy of")
    assert texts(fund, text="5%") == texts(fund, text="_") == []
    assert texts(fund, component="system") == texts(fund, component="host-1/system/CPU") == ["CPU"]
    assert texts(fund, component="sys") == []


@pytest.mark.parametrize(
    ("component", "collector", "host", "tab", "title"),
    [
        ("redis:main", "redis:main", "", "cache", "Redis main"),
        ("redis:main/Redis main", "redis:main", "", "cache", "Redis main"),
        ("host-1/system/CPU", "system", "host-1", "system", "CPU on host-1"),
        ("pipeline", "pipeline", "", "pipeline", "pipeline"),
        ("host-1/pipeline/Disk /data", "pipeline", "host-1", "pipeline", "Disk /data on host-1"),
        ("nothing", "", "", "", "nothing"),
    ],
)
def test_a_component_is_of_a_collector_a_machine_and_a_tab(
    component: str, collector: str, host: str, tab: str, title: str
) -> None:
    assert (collector_of(component), host_of(component)) == (collector, host)
    assert (tab_of(component), component_title(component)) == (tab, title)


@given(st.text(max_size=40))
def test_any_text_is_a_component_or_none(text: str) -> None:
    tabs = {kind.tab for kind in KINDS.values()} | {"system", ""}
    assert tab_of(text) in tabs and component_title(text) is not None
    assert bool(tab_of(text)) == bool(collector_of(text))


def test_events_of_programs_are_forgotten_after_a_while_and_notes_of_people_stay(fund: Stores) -> None:
    long = fund.settings.retention.event_days * 86_400.0
    clock = fund.clock
    began = moment(fund)
    write_event(fund, {"text": "Deploy 41", "at": began}, "ci", None)
    write_event(fund, {"text": "Rates desk closed", "kind": "note", "at": began}, "ann", None)
    span = {"text": "Outage that goes on", "at": began, "until": moment(fund, 60)}
    write_event(fund, span, "ci", None)
    clock.advance(long + 30)  # type: ignore[attr-defined]
    old = moment(fund, -2 * long)
    write_event(fund, {"text": "Of long ago, told now", "at": old}, "ci", None)
    assert texts(fund) == ["Outage that goes on", "Rates desk closed", "Of long ago, told now"]


def test_events_are_read_in_parts_past_those_that_may_not_be_seen(fund: Stores) -> None:
    now = fund.clock.now()
    with fund.state.begin() as connection:
        for number in range(2_500):
            portfolio = "own:alpha" if number % 100 else "own:beta"
            add_event(connection, Event(now - number, None, f"e{number}", portfolio=portfolio))
    found: list[Event] = []
    after = None
    while part := list_events(fund, frozenset({"beta"}), limit=10, after=after):
        found += part
        after = (part[-1].at, part[-1].id)
    assert [each.text for each in found] == [f"e{number}" for number in range(0, 2_500, 100)]
