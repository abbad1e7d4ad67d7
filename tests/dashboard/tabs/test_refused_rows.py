"""Refused rows are seen, page by page, as a file and by programs; not by who may see some portfolios alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from access.viewer import Viewer
from core.roles import Role
from core.settings.pull import Pull
from dashboard.pipeline.refused import PAGE_ROWS
from dashboard.tabs.refused_rows import ALL, PAGE
from dashboard.views.tab import Choices
from storage.state.pulled import Mark, RefusedRow, move_pull
from storage.stores import Stores
from tests.support.api import client_of
from tests.support.views import OPERATOR, text

ROWS = 120
LIMITED = Viewer("ben", Role.ADMIN, portfolios=frozenset({"beta"}))


@pytest.fixture
def stores(stores: Stores) -> Stores:
    pull = Pull(name="fills", kind="trades", url=SecretStr("postgresql://a:b@h/x"), query="SELECT 1", mark="id")
    now = stores.clock.now()
    rows = [RefusedRow(f'{{"trade_id": "t{number}"}}', "side: is none that there is") for number in range(ROWS)]
    for number, row in enumerate(rows):
        move_pull(stores.state, "pull-fills", Mark(), "", 0, [row], now - ROWS + number)
    poison = RefusedRow("{not\0json", "oms[0] offset 7: the message is no JSON", "oms[0] offset 7")
    move_pull(stores.state, "consume-gone", Mark(), "", 0, [poison, poison], now + 1)
    return replace(stores, settings=stores.settings.model_copy(update={"pull": (pull,)}))


def shown(stores: Stores, viewer: Viewer = OPERATOR, **choices: str) -> tuple[str, str]:
    assert PAGE.build is not None
    view = PAGE.build(stores, Choices.of(choices), viewer)
    turning = view.slots.get("refused-rows-turning")
    return text(view.slots[ALL.slot]), text(turning[0]) if turning else ""


def test_refused_rows_are_shown_newest_first_and_page_by_page(stores: Stores) -> None:
    table, turning = shown(stores)
    assert f"{PAGE_ROWS} of {ROWS + 1}" in turning, "the same message twice is one row"
    assert "consume-gone" in table and "oms[0] offset 7" in table and "t119" in table and 't1"' not in table
    older, turning = shown(stores, page="1")
    assert f"{ROWS + 1 - PAGE_ROWS} of {ROWS + 1}" in turning and '"t1"' in older and "consume-gone" not in older
    table, _ = shown(stores, importer="consume-gone")
    assert "t119" not in table and "{not" in table


def test_who_may_see_some_portfolios_alone_sees_none(stores: Stores) -> None:
    table, turning = shown(stores, LIMITED)
    assert "t119" not in table and "those who may see every one" in table and not turning
    client = client_of(stores, LIMITED)
    answer = client.get("/api/v1/pipeline/refused-rows")
    assert answer.status_code == 200 and answer.json["items"] == [] and answer.json["as_of"] is None


def test_programs_read_them_in_parts(stores: Stores) -> None:
    client = client_of(stores, OPERATOR)
    first = client.get("/api/v1/pipeline/refused-rows?limit=100").json
    second = client.get(f"/api/v1/pipeline/refused-rows?limit=100&cursor={first['next']}").json
    found = [*first["items"], *second["items"]]
    assert second["next"] is None and len(found) == ROWS + 1
    assert (found[0]["importer"], found[0]["kind"]) == ("consume-gone", "")
    assert {(each["importer"], each["kind"]) for each in found[1:]} == {("pull-fills", "trades")}
    assert len({each["row"] for each in found}) == ROWS + 1
    assert len(client.get("/api/v1/pipeline/refused-rows?importer=consume-gone").json["items"]) == 1
    wrong = client.get(f"/api/v1/pipeline/refused-rows?importer=x&cursor={first['next']}")
    assert wrong.status_code == 422 and wrong.json["field"] == "cursor"
