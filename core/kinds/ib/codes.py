"""The codes of Interactive Brokers' messages (TWS API, message codes), and what each says of the gateway."""

from __future__ import annotations

from enum import StrEnum

RATE_EXCEEDED, MOST_TICKERS, INVALID_REALTIME_QUERY = 100, 101, 420
OUT_OF_DATE, ID_IN_USE = 503, 326
LOST, RESTORED_EMPTY, RESTORED, LINK_BROKEN = 1100, 1101, 1102, 2110
PACING = (RATE_EXCEEDED, MOST_TICKERS, INVALID_REALTIME_QUERY)
WARNINGS = range(2_100, 2_200)


class FarmData(StrEnum):
    """What a data farm serves."""

    MARKET = "market data"
    HISTORICAL = "historical data"
    DEFINITIONS = "security definitions"


class FarmState(StrEnum):
    """How a data farm is."""

    OK = "ok"
    BROKEN = "broken"
    INACTIVE = "inactive"
    """Connected as soon as somebody asks it."""
    CONNECTING = "connecting"


FARM_CODES = {
    2103: (FarmData.MARKET, FarmState.BROKEN),
    2104: (FarmData.MARKET, FarmState.OK),
    2105: (FarmData.HISTORICAL, FarmState.BROKEN),
    2106: (FarmData.HISTORICAL, FarmState.OK),
    2107: (FarmData.HISTORICAL, FarmState.INACTIVE),
    2108: (FarmData.MARKET, FarmState.INACTIVE),
    2119: (FarmData.MARKET, FarmState.CONNECTING),
    2157: (FarmData.DEFINITIONS, FarmState.BROKEN),
    2158: (FarmData.DEFINITIONS, FarmState.OK),
}
BROKEN_CODES = tuple(code for code, (_, state) in FARM_CODES.items() if state is FarmState.BROKEN)
NOTICES = {RESTORED, *(code for code in FARM_CODES if code not in BROKEN_CODES)}
"""Codes that tell of nothing wrong."""


class Level(StrEnum):
    """How grave a message is."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


def level_of(code: int) -> Level:
    """Return how grave the message of a code is."""
    if code in NOTICES:
        return Level.NOTICE
    return Level.WARNING if code in WARNINGS else Level.ERROR
