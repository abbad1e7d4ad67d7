"""Whether ClickHouse answers: asked of a real server that freezes, thaws and dies."""

from __future__ import annotations

import os
import signal
import time

from storage.clickhouse import pulse
from storage.clickhouse.client import ClickHouse
from tests.support.servers import BUSY_SECONDS, ClickHouseServer


def test_a_frozen_server_is_told_in_time_and_one_that_thaws_is_well_again(clickhouse_server: ClickHouseServer) -> None:
    client = ClickHouse(clickhouse_server.url)
    client.create_database()
    asked = pulse.Pulse(client.ping)
    assert asked.problem() == ""
    os.kill(clickhouse_server.pid, signal.SIGSTOP)
    time.sleep(pulse.FRESH_SECONDS)
    began = time.monotonic()
    assert "has not answered for" in asked.problem() and "has not answered for" in asked.problem()
    assert time.monotonic() - began < pulse.WITHIN_SECONDS + BUSY_SECONDS, "the second waits no longer"
    os.kill(clickhouse_server.pid, signal.SIGCONT)
    ends = time.monotonic() + 10
    while asked.problem():
        assert time.monotonic() < ends
        time.sleep(0.1)
    clickhouse_server.kill()
    time.sleep(pulse.FRESH_SECONDS)
    assert "ClickHouse does not answer: " in asked.problem()
    client.close()
