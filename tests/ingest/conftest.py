"""Stores of two portfolios, and what sends rows of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.clock import SystemClock
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.funded import ALPHA, send

__all__ = ["send"]


@pytest.fixture
def funded(stores: Stores) -> Stores:
    """Stores by the machine's clock, with two portfolios."""
    put_portfolios(stores.state, [ALPHA, Portfolio("own", "beta", "Beta", currency="USD")])
    return replace(stores, clock=SystemClock())
