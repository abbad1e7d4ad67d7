"""The lines of IQConnect's admin port as DTN documents them: what is sent, and which field holds what."""

from __future__ import annotations

from enum import IntEnum, StrEnum

PROTOCOL = "6.2"
SET_PROTOCOL = f"S,SET PROTOCOL,{PROTOCOL}"
STATS = "S,STATS"
"""Comes once a second, unasked."""
CLIENT_STATS = "S,CLIENTSTATS"
"""Comes once a second for each client, after it was switched on."""


class StatsField(IntEnum):
    """Number of a field of S,STATS, counted from 0 with the S."""

    SERVER_ADDRESS = 2
    SERVER_PORT = 3
    MAX_SYMBOLS = 4
    SYMBOLS = 5
    CLIENTS = 6
    UPDATE_AGE = 7
    RECONNECTIONS = 8
    ATTEMPTS = 9
    STARTED = 10
    MARKET_TIME = 11
    STATUS = 12
    VERSION = 13
    LOGIN = 14
    RECEIVED_KB = 15
    RECEIVED_KB_PER_SECOND = 16
    SENT_KB = 18
    SENT_KB_PER_SECOND = 19


class ClientField(IntEnum):
    """Number of a field of S,CLIENTSTATS, counted from 0 with the S."""

    TYPE = 2
    ID = 3
    NAME = 4
    STARTED = 5
    SYMBOLS = 6
    REGIONAL_SYMBOLS = 7
    SENT_KB = 8
    RECEIVED_KB = 9
    QUEUED_KB = 10


class EventName(StrEnum):
    """What IQConnect announces, in small letters, and the errors that it answers."""

    CONNECTED = "server connected"
    DISCONNECTED = "server disconnected"
    RECONNECT_FAILED = "server reconnect failed"
    SYMBOL_LIMIT = "symbol limit reached"
    ERROR = "error"


SERVER_EVENTS = (EventName.CONNECTED, EventName.DISCONNECTED, EventName.RECONNECT_FAILED)
"""Those that tell how the connection to DTN's servers is."""
