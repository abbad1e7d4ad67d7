"""Which events and notes the charts of a page show, and when they are sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from access.viewer import Viewer
from core.errors import StorageUnavailable
from core.kinds.redis.source import RedisSource
from core.kinds.registry import Watch
from core.memo import Memo
from core.roles import Role
from dashboard.tabs import cache, events, pipeline, portfolio, system
from dashboard.views.marks import MOST_MARKS, TEXT_CHARACTERS, Marks
from dashboard.views.refresh import Refresh
from dashboard.views.tab import Choices, Page
from portfolio.events import DATASET, delete_event, list_events, write_event
from storage.state.events import Event, add_event
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores

ALL = Viewer("ana", Role.OPERATOR)
LIMITED = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
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
    assert shown(marked, portfolio.TAB) == {"all", "own:fund", "own:alpha", "own:beta"}, "with its parts"
    assert shown(marked, portfolio.TAB, portfolio="own:alpha") == {"all", "own:alpha"}
    assert shown(marked, portfolio.TAB, LIMITED) == {"all", "own:beta"}
    assert shown(marked, portfolio.TAB, LIMITED, portfolio="own:fund") == {"all", "own:beta"}


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
