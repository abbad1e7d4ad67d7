"""The refresh of a tab: gate, sharing, failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from dash import no_update
from dash.exceptions import PreventUpdate

from access.viewer import ANYBODY
from core.errors import OutOfPatience, StorageUnavailable
from core.memo import Memo
from core.patience import at_most
from dashboard.views.refresh import Refresh
from dashboard.views.tab import Choices
from tests.support.frame import DEMO, FakeStores

SIX_HOURS = Choices.parse("?window=6h")


def refresh_of(stores: FakeStores) -> Refresh:
    return Refresh(stores, DEMO, Memo())  # type: ignore[arg-type]


def payload_of(answer: list[Any]) -> dict[str, Any]:
    return orjson.loads(orjson.dumps(answer[0]))  # type: ignore[no-any-return]


def test_an_unchanged_view_is_neither_built_nor_sent() -> None:
    stores = FakeStores()
    refresh = refresh_of(stores)
    seen = payload_of(refresh.answer(Choices(), ANYBODY, None, None))["version"]
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ANYBODY, seen, "")
    assert len(stores.builds) == 1


def test_new_data_or_other_choices_are_sent() -> None:
    stores = FakeStores()
    refresh = refresh_of(stores)
    first = payload_of(refresh.answer(Choices(), ANYBODY, None, None))["version"]
    other = payload_of(refresh.answer(SIX_HOURS, ANYBODY, first, None))["version"]
    assert other != first
    stores.live.bump("demo")
    assert payload_of(refresh.answer(SIX_HOURS, ANYBODY, other, None))["version"] not in (first, other)
    assert stores.builds == [{}, {"window": "6h"}, {"window": "6h"}]


def test_a_page_that_shows_a_view_is_sent_what_differs_from_it() -> None:
    stores = FakeStores(as_of=1_700_000_000.0)
    refresh = refresh_of(stores)
    first = payload_of(refresh.answer(Choices(), ANYBODY, None, None))
    assert "base" not in first and set(first["slots"]) == set(DEMO.slots)
    stores.live.bump("demo")
    same = payload_of(refresh.answer(Choices(), ANYBODY, first["version"], None))
    assert (same["base"], same["slots"], same["figures"]) == (first["version"], {}, {})
    stores.value = 77
    stores.live.bump("demo")
    other = payload_of(refresh.answer(Choices(), ANYBODY, same["version"], None))
    assert set(other["slots"]) == {"demo-cards", "demo-disks-table"}
    assert set(other["figures"]) == {"demo-cpu-graph", "demo-memory-graph"}
    unknown = payload_of(refresh_of(stores).answer(Choices(), ANYBODY, first["version"], None))
    assert "base" not in unknown and set(unknown["slots"]) == set(DEMO.slots), "after a restart all of it is sent"


def test_data_of_other_tabs_does_not_matter() -> None:
    stores = FakeStores()
    refresh = refresh_of(stores)
    seen = payload_of(refresh.answer(Choices(), ANYBODY, None, None))["version"]
    stores.live.bump("portfolio")
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ANYBODY, seen, None)


def test_many_viewers_share_one_build() -> None:
    gate = threading.Event()
    built: list[int] = []
    memo: Memo[int] = Memo()

    def slow() -> int:
        gate.wait(5)
        built.append(1)
        return 42

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(memo.get, "key", slow) for _ in range(8)]
        gate.set()
        assert {answer.result() for answer in answers} == {42}
    assert built == [1]


def test_a_failed_build_is_tried_again_by_the_next_viewer() -> None:
    memo: Memo[int] = Memo()

    def broken() -> int:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        memo.get("key", broken)
    assert memo.get("key", lambda: 1) == 1


def test_who_must_be_back_in_time_waits_for_nobody_s_build_and_spoils_none() -> None:
    gate, memo = threading.Event(), Memo[int]()

    def slow() -> int:
        gate.wait(30)
        return 42

    def hurried() -> int:
        gate.wait(30)
        raise OutOfPatience("ClickHouse did not answer within 50 ms")

    with ThreadPoolExecutor(2) as pool:
        for key, first in (("slow", slow), ("hurried", hurried)):
            gate.clear()
            made = pool.submit(memo.get, key, first)
            while key not in memo._kept:
                time.sleep(0.001)
            with at_most(0.05), pytest.raises(OutOfPatience, match="takes too long"):
                memo.get(key, lambda: 1)
            patient = pool.submit(memo.get, key, lambda: 43)
            gate.set()
            assert patient.result() == (42 if key == "slow" else 43), "what fails for want of patience is tried again"
            assert (made.exception() is None) == (key == "slow")


def test_the_memory_of_views_is_bounded() -> None:
    memo: Memo[int] = Memo(size=2)
    for key in range(5):
        memo.get(key, lambda key=key: key)  # type: ignore[misc]
    made: list[int] = []
    assert memo.get(4, lambda: made.append(4) or -1) == 4
    assert memo.get(0, lambda: made.append(0) or -1) == -1
    assert made == [0]


def test_a_failure_keeps_the_page_and_names_the_reason_once(caplog: pytest.LogCaptureFixture) -> None:
    stores = FakeStores(error=StorageUnavailable("ClickHouse at 127.0.0.1:8123 does not answer"))
    refresh = refresh_of(stores)
    payload, problem = refresh.answer(Choices(), ANYBODY, "old", "")
    assert payload is no_update
    assert problem == "Storage does not answer: ClickHouse at 127.0.0.1:8123 does not answer"
    for _ in range(3):
        with pytest.raises(PreventUpdate):
            refresh.answer(Choices(), ANYBODY, "old", problem)
    assert len(caplog.records) == 1


def test_recovery_clears_the_reason_even_without_new_data() -> None:
    stores = FakeStores()
    refresh = refresh_of(stores)
    seen = payload_of(refresh.answer(Choices(), ANYBODY, None, None))["version"]
    stores.live.broken = True
    problem = refresh.answer(Choices(), ANYBODY, seen, "")[1]
    assert "Redis" in problem
    stores.live.broken = False
    payload, cleared = refresh.answer(Choices(), ANYBODY, seen, problem)
    assert payload is no_update
    assert cleared == ""
