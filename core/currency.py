"""Currencies, and the symbols that price one in another."""

from __future__ import annotations

import re
from typing import NamedTuple

ASSUMED_CURRENCY = "USD"
"""Of a portfolio whose currency nobody told."""
CURRENCIES = (
    *("USD", "EUR", "GBP", "CHF", "JPY", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "HKD", "SGD", "CNY", "INR"),
    *("PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "KRW", "ILS", "TRY", "AED", "SAR", "THB", "TWD"),
)
"""Those that are known by their letters alone. Of all there are, many are words too (ALL, TOP)."""
CASH = "CASH"
"""Symbol of what earns the risk-free rate: cash among positions, and in a blend."""
_PAIR = re.compile(r"([A-Z]{3})[/ ._-]?([A-Z]{3})(=X)?")


class Pair(NamedTuple):
    """What one unit of `base` costs in `quote`: EURUSD is dollars for one euro (ISO 4217 codes, base first)."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}{self.quote}"


def pair_of(symbol: str) -> Pair | None:
    """Return the currencies of a symbol such as EURUSD, EUR/USD, EURUSD=X or eurusd; None: it is no pair."""
    found = _PAIR.fullmatch(symbol.strip().upper())
    if found is None or found[1] == found[2] or not {found[1], found[2]} <= set(CURRENCIES):
        return None
    return Pair(found[1], found[2])
