"""What /healthz says: alive, or that it is not; why stands in the log."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from core.errors import StorageUnavailable
from storage.clickhouse.pulse import Pulse
from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores


def test_health_fails_while_storage_does_not_answer_and_tells_the_reason_to_the_log_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def aborted() -> None:
        raise StorageUnavailable("Code: 236. DB::Exception: Query was cancelled. (ABORTED)")

    for ping, status, said in ((aborted, 503, "ClickHouse does not answer"), (lambda: None, 200, "alive")):
        stores = FakeStores(clickhouse=SimpleNamespace(pulse=Pulse(ping)))
        with caplog.at_level(logging.WARNING):
            answer = create_app(stores, (DEMO,)).server.test_client().get("/healthz")  # type: ignore[arg-type]
        assert answer.status_code == status and said in answer.text and "Code" not in answer.text
    assert sum("Code: 236" in record.getMessage() for record in caplog.records) == 1
