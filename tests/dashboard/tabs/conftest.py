"""Stores of an own portfolio, and what sends rows of it, for pages that are tried with rows of a test's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.clock import SystemClock
from storage.state.portfolios import put_portfolios
from storage.stores import Stores
from tests.ingest.conftest import Send, sender
from tests.portfolio.test_holdings import ALPHA


@pytest.fixture
def funded(stores: Stores) -> Stores:
    """Stores by the machine's clock, with an own portfolio."""
    put_portfolios(stores.state, [ALPHA])
    return replace(stores, clock=SystemClock())


@pytest.fixture
def send(funded: Stores) -> Send:
    """Sends rows, and returns the answer."""
    return sender(funded)
