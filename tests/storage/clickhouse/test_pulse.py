"""Whether ClickHouse answers: asked of a real server that freezes, thaws and dies."""

from __future__ import annotations

import logging
import time

import pytest

from core.errors import StorageUnavailable
from storage.clickhouse import pulse
from storage.clickhouse.client import ClickHouse
from tests.support.freezing import freeze, thaw
from tests.support.servers import ClickHouseServer


def test_a_frozen_server_is_told_in_time_and_one_that_thaws_is_well_again(clickhouse_server: ClickHouseServer) -> None:
    client = ClickHouse(clickhouse_server.url)
    client.create_database()
    asked = pulse.Pulse(client.ping)
    assert asked.problem() == ""
    freeze(clickhouse_server.pid)
    time.sleep(pulse.FRESH_SECONDS)
    assert "has not answered for" in asked.problem() and "has not answered for" in asked.problem()
    thaw(clickhouse_server.pid)
    ends = time.monotonic() + 10
    while asked.problem():
        assert time.monotonic() < ends
        time.sleep(0.1)
    clickhouse_server.kill()
    time.sleep(pulse.FRESH_SECONDS)
    assert asked.problem() == "ClickHouse does not answer"
    client.close()


def test_whatever_a_ping_raises_it_is_no_answer_and_the_next_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Exception | None] = [EOFError("the pipe is gone"), StorageUnavailable("away"), None]

    def ping() -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    now = [0.0]
    asked = pulse.Pulse(ping, lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for said in ("ClickHouse does not answer", "ClickHouse does not answer", ""):
            assert asked.problem() == said
            now[0] += pulse.FRESH_SECONDS
    assert ["the pipe is gone" in record.getMessage() for record in caplog.records] == [True], "told once an outage"
