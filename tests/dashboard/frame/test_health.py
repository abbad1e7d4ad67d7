"""What /healthz says: alive, or why not."""

from __future__ import annotations

from types import SimpleNamespace

from core.errors import StorageUnavailable
from dashboard.factory import create_app
from tests.support.frame import DEMO, FakeStores


def test_health_fails_with_the_reason_while_storage_does_not_answer() -> None:
    def aborted() -> None:
        raise StorageUnavailable("Code: 236. DB::Exception: Query was cancelled. (ABORTED)")

    for ping, status, said in ((aborted, 503, "Code: 236"), (lambda: None, 200, "alive")):
        stores = FakeStores(clickhouse=SimpleNamespace(ping=ping))
        answer = create_app(stores, (DEMO,)).server.test_client().get("/healthz")  # type: ignore[arg-type]
        assert answer.status_code == status and said in answer.text
