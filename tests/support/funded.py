"""Stores of an own portfolio, and the door for its rows as an operator sends through it, for a conftest to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.api import client_of

ALPHA = Portfolio("own", "alpha", "Alpha", currency="EUR")
SENDER = Viewer("ops", Role.OPERATOR)
Send = Callable[..., Any]


@pytest.fixture
def funded(stores: Stores) -> Stores:
    """Stores by the machine's clock, with an own portfolio."""
    put_portfolios(stores.state, [ALPHA])
    return replace(stores, clock=SystemClock())


@pytest.fixture
def send(funded: Stores) -> Send:
    """Sends rows, or bytes of a type, and returns the answer."""
    return sender(funded)


def sender(stores: Stores, viewer: Viewer = SENDER) -> Send:
    client = client_of(stores, viewer)

    def send(kind: str, rows: Any, query: str = "", kind_of: str = "application/json", **headers: str) -> Any:
        body = rows if isinstance(rows, bytes) else orjson.dumps(rows)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(f"/api/v1/ingest/{kind}{query}", data=body, content_type=kind_of, headers=named)

    return send


def tell(send: Send, kind: str, *rows: dict[str, Any]) -> None:
    """Send rows of the portfolio, or of what belongs to none, which must be taken."""
    shared = kind in ("fx", "instruments", "prices")
    answer = send(kind, [row if shared else {"portfolio": ALPHA.id, **row} for row in rows])
    assert answer.status_code == 200, answer.text


def count(stores: Stores, table: str) -> int:
    """Return how many rows a table has, each that replaces itself once."""
    final = "" if table.startswith("samples") or table == "series" else "FINAL"
    ((rows,),) = stores.clickhouse.rows(f"SELECT count() FROM {table} {final}")
    return int(rows)
