"""What is measured of an IQFeed: its metrics, the rows of its tables, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What an IQFeed is judged by."""

    CONNECTION = "connection"
    LOGIN = "login"
    UPDATES = "updates"
    SYMBOLS = "symbols"
    RECONNECTIONS = "reconnections"
    CLIENTS = "clients"
    PORTS = "ports"
    LINES = "lines"


DISCONNECTED = Limit(0.0, 10.0)
"""Seconds without a connection to DTN's servers."""
UPDATE_AGE = Limit(15.0, 60.0)
"""Seconds since the last update, while the market is open."""
SYMBOLS = Limit(0.95)
"""Symbols over those allowed."""
RECONNECTIONS = Limit(3.0)
"""Reconnections within RECONNECTIONS_SECONDS."""
RECONNECTIONS_SECONDS = 600.0
QUEUED = Limit(1_000.0 * 1_024)
"""Bytes that wait for a client, for as long as QUEUED_SECONDS."""
QUEUED_SECONDS = Limit(30.0)
PORTS_SECONDS = 60.0
"""Seconds between checks of each of the other ports, unless the settings say otherwise."""

CONNECTED = Metric("iqfeed_connected", "1 while IQConnect is connected to DTN's servers, else 0.")
LAST_UPDATE = Metric("iqfeed_update_age_seconds", "Time since the last update from DTN's servers.")
SYMBOLS_WATCHED = Metric("iqfeed_symbols", "Symbols watched.")
SYMBOLS_LIMIT = Metric("iqfeed_symbols_limit", "Symbols allowed.")
SYMBOLS_USED_RATIO = Metric("iqfeed_symbols_used_ratio", "Symbols watched over those allowed.")
CLIENTS = Metric("iqfeed_clients", "Programs that read the feed.")
RECONNECTIONS_10M = Metric("iqfeed_reconnections_10m", "Reconnections within ten minutes.")
RECEIVE_RATE = Metric("iqfeed_receive_bytes_per_second", "Bytes received from DTN's servers.")
TRANSMIT_RATE = Metric("iqfeed_transmit_bytes_per_second", "Bytes sent to clients.")
QUEUED_MOST = Metric("iqfeed_queued_bytes", "Bytes that wait for the slowest client.")
MALFORMED_RATE = Metric("iqfeed_malformed_lines_per_second", "Lines of the admin port that make no sense.")
MARKET_OPEN = Metric("iqfeed_market_open", "1 while the market is open, else 0.")
PORT_UP = Metric("iqfeed_port_up", "1 while a port answers, else 0.", "port")
PORT_SECONDS = Metric("iqfeed_port_seconds", "Time to the answer of a port.", "port")


@dataclass(frozen=True, slots=True)
class About:
    """What an IQConnect is."""

    TABLE: ClassVar[str] = "about"

    server: str
    """Address and port of DTN's server."""
    version: str
    protocol: str
    login: str
    started: str
    """As IQConnect writes it, as is market_time."""
    market_time: str
    reconnections: int
    attempts: int
    """Attempts to reconnect."""
    max_symbols: int
    received_bytes: float
    sent_bytes: float
    calendar: str
    is_open: bool | None
    """None while the market's hours are not known, as with next_open."""
    next_open: float | None
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that reads the feed."""

    TABLE: ClassVar[str] = "clients"

    id: str
    type: str
    """admin, Level 1, Level 2 or lookup."""
    name: str
    started: str
    """As IQConnect writes it."""
    symbols: int
    regional_symbols: int
    sent_bytes: float
    received_bytes: float
    queued_bytes: float

    @property
    def title(self) -> str:
        """What sentences call it."""
        return self.name or f"{self.type} client {self.id}"


@dataclass(frozen=True, slots=True)
class Port:
    """What the last check of one of the other ports found."""

    TABLE: ClassVar[str] = "ports"

    name: str
    port: int
    seconds: float | None
    """Time to its answer; None without one."""
    why: str
    """What was wrong; empty when nothing was."""
    ts: float
    """When it was checked, epoch seconds."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that IQConnect announced, or an error that it answered."""

    TABLE: ClassVar[str] = "events"

    ts: float
    event: str
    """An EventName."""
    detail: str
