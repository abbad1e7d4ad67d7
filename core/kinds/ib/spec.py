"""What is measured of a gateway to Interactive Brokers: its metrics, table rows, checks and limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a gateway is judged by."""

    LOGIN = "login"
    LINK = "link"
    ACCOUNTS = "accounts"
    FARMS = "farms"
    LATENCY = "latency"
    CLOCK = "clock"
    PACING = "pacing"
    ERRORS = "errors"
    RECONNECTIONS = "reconnections"


ROUND_TRIP = Limit(1.0)
"""Seconds to the answer of the gateway, twice in a row."""
CLOCK_SKEW = Limit(2.5)
"""Seconds by which the clocks differ. The gateway tells whole seconds."""
FARM_BROKEN = Limit(0.0, 60.0)
"""Seconds that a data farm is broken while the market is open."""
RECONNECTIONS = Limit(3.0)
"""Reconnections within RECONNECTIONS_SECONDS."""
RECONNECTIONS_SECONDS = 600.0
REQUESTS_ALLOWED = 50.0
"""Messages a second that IB takes from all clients of a gateway together."""
ORDERS_SECONDS = 60.0
"""Seconds between questions for all open orders."""

READY = Metric("ib_ready", "1 while the next order id and the accounts are known, else 0.")
CONNECTED = Metric("ib_connected", "1 while the gateway is connected to Interactive Brokers, else 0.")
ROUND_TRIP_JUDGED = Metric("ib_round_trip_judged_seconds", "The shorter of the last two round trips: what is judged.")
ROUND_TRIP_SECONDS = Metric("ib_round_trip_seconds", "Time from reqCurrentTime to its answer.")
CLOCK_SKEW_SECONDS = Metric("ib_clock_skew_seconds", "How far the gateway's clock is ahead of ours.")
MESSAGES_RATE = Metric("ib_messages_per_second", "Messages from the gateway to Fundwatch.")
REQUESTS_RATE = Metric("ib_requests_per_second", "Messages from Fundwatch to the gateway.")
OPEN_ORDERS = Metric("ib_open_orders", "Open orders of all clients.")
FARMS_BROKEN = Metric("ib_farms_broken", "Data farms that are broken.")
RECONNECTIONS_10M = Metric("ib_reconnections_10m", "Connections made anew within ten minutes.")
ERRORS_1M = Metric("ib_errors_1m", "Messages with an error code within a minute.")
ACCOUNT_AGE = Metric("ib_account_age_seconds", "Time since the newest value of an account came.")
FARM_UP = Metric("ib_farm_up", "0 while a data farm is broken, else 1.", "farm")


@dataclass(frozen=True, slots=True)
class About:
    """What a gateway is."""

    TABLE: ClassVar[str] = "about"

    version: int | None
    """Of its API; None without a session, as with server_time."""
    server_time: str | None
    """When our session began, as the gateway writes it."""
    client_id: int
    next_id: int | None
    """The next order id."""
    kind: str | None
    """live or paper."""
    accounts: str
    is_linked: bool | None
    """Whether it is connected to Interactive Brokers; None before it is ready."""
    calendar: str
    last_error: str | None
    last_error_ts: float | None
    """Epoch seconds."""
    skew_seconds: float | None
    """How far its clock is ahead of ours."""
    reconnections_today: int | None
    """By UTC."""


@dataclass(frozen=True, slots=True)
class Farm:
    """A data farm."""

    TABLE: ClassVar[str] = "farms"

    farm: str
    kind: str
    """A FarmData."""
    state: str
    """A FarmState."""
    since: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message with a code."""

    TABLE: ClassVar[str] = "messages"

    ts: float
    code: int
    level: str
    """A Level."""
    text: str
    request: int | None
    """The request that it is about."""

    @property
    def sentence(self) -> str:
        """Its text and its code."""
        return f"{self.text} (code {self.code})"


@dataclass(frozen=True, slots=True)
class Order:
    """An open order, of openOrder and orderStatus."""

    TABLE: ClassVar[str] = "orders"

    id: str
    """The permanent one: order ids are each client's own."""
    symbol: str
    type: str
    action: str
    quantity: float | None
    order_type: str
    limit: float | None
    exchange: str
    account: str
    status: str = ""
    filled: float | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account, with its value where one has come."""

    TABLE: ClassVar[str] = "accounts"

    account: str
    kind: str
    """live or paper."""
    net_liquidation: float | None = None
    currency: str | None = None
    ts: float | None = None
    """When the value came, epoch seconds."""
