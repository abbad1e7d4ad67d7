"""What a gateway of Interactive Brokers has told: its link to IB, its data farms, errors, orders, accounts.

Message codes are those of IB's documentation (TWS API, message codes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

EVENTS_KEPT, TEXT_CHARACTERS, MOST_FARMS, MOST_ORDERS = 100, 200, 40, 200
UNSET = 1.7e308

RATE_EXCEEDED, MOST_TICKERS, INVALID_REALTIME_QUERY = 100, 101, 420
OUT_OF_DATE, ID_IN_USE = 503, 326
LOST, RESTORED_EMPTY, RESTORED, PORT_RESET, LINK_BROKEN = 1100, 1101, 1102, 1300, 2110
PACING = (RATE_EXCEEDED, MOST_TICKERS, INVALID_REALTIME_QUERY)
MARKET, HISTORICAL, DEFINITIONS = "market data", "historical data", "security definitions"
FARM_CODES = {
    2103: (MARKET, "broken"),
    2104: (MARKET, "ok"),
    2105: (HISTORICAL, "broken"),
    2106: (HISTORICAL, "ok"),
    2107: (HISTORICAL, "inactive"),
    2108: (MARKET, "inactive"),
    2119: (MARKET, "connecting"),
    2157: (DEFINITIONS, "broken"),
    2158: (DEFINITIONS, "ok"),
}
NOTICES = {RESTORED, *(code for code, (_, state) in FARM_CODES.items() if state != "broken")}
"""Codes that tell of nothing wrong."""
WARNINGS = range(2_100, 2_200)


@dataclass(frozen=True, slots=True)
class Event:
    """A message with a code."""

    ts: float
    code: int
    text: str
    request: int
    """The request that it is about; -1 for none."""

    @property
    def level(self) -> str:
        """Return "notice", "warning" or "error"."""
        if self.code in NOTICES:
            return "notice"
        return "warning" if self.code in WARNINGS else "error"


@dataclass(frozen=True, slots=True)
class Farm:
    """A data farm: which kind of data it serves, how it is, since when (monotonic and epoch seconds)."""

    name: str
    kind: str
    state: str
    since: float
    ts: float


@dataclass(frozen=True, slots=True)
class Order:
    """An open order, as openOrder and orderStatus tell it."""

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


@dataclass(slots=True)
class Told:
    """What one connection has been told."""

    next_id: int | None = None
    accounts: tuple[str, ...] = ()
    lost_since: float | None = None
    lost_code: int = 0
    farms: dict[str, Farm] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    values: dict[str, tuple[float, str, float]] = field(default_factory=dict)
    """Net liquidation by account: value, currency, when it came."""
    is_subscribed: bool = False
    """Whether the account summary is ours still: it ends when IB's servers lose it."""
    refused: Event | None = None
    """The error for which the gateway will not have us."""

    @property
    def is_ready(self) -> bool:
        """Whether orders could be sent: the next order id and the accounts are known."""
        return self.next_id is not None and bool(self.accounts)

    @property
    def is_paper(self) -> bool:
        """Whether any of the accounts is a paper account."""
        return any(account.startswith("D") for account in self.accounts)

    def take(self, event: Event, monotonic: float) -> None:
        """Take a message with a code in."""
        if event.code in (LOST, LINK_BROKEN):
            if self.lost_since is None:
                self.lost_since, self.lost_code = monotonic, event.code
        elif event.code in (RESTORED, RESTORED_EMPTY):
            self.lost_since = None
            self.is_subscribed = self.is_subscribed and event.code == RESTORED
            self._farms_are_back(event, monotonic)
        elif event.code in FARM_CODES:
            kind, state = FARM_CODES[event.code]
            self._farm(_farm_name(event.text), kind, state, event, monotonic)
        elif event.code in (ID_IN_USE, OUT_OF_DATE):
            self.refused = event

    def opened(self, fields: Sequence[str]) -> None:
        """Take an openOrder in: order id, contract (11 fields), action, quantity, type … Raises ValueError."""
        if len(fields) < 25:
            raise ValueError("too few fields")
        key = fields[24]
        known = self.orders.get(key)
        if known is None and len(self.orders) >= MOST_ORDERS:
            return
        self.orders[key] = Order(
            id=key,
            symbol=fields[10] or fields[2],
            type=fields[3],
            action=fields[12],
            quantity=_number(fields[13]),
            order_type=fields[14],
            limit=_number(fields[15]),
            exchange=fields[8],
            account=fields[19],
            status=known.status if known else "",
            filled=known.filled if known else None,
        )

    def filled(self, fields: Sequence[str]) -> None:
        """Take an orderStatus in: order id, status, filled, remaining, mean price, permanent id … Raises ValueError."""
        if len(fields) < 6:
            raise ValueError("too few fields")
        known = self.orders.get(fields[5])
        if known is not None:
            self.orders[fields[5]] = replace(known, status=fields[1], filled=_number(fields[2]))

    def _farms_are_back(self, event: Event, monotonic: float) -> None:
        """Mark the farms that the message lists after its colon ("usfarm; ushmds; secdefnj") as well."""
        _, colon, names = event.text.partition("farms are connected:")
        for name in names.rstrip(". ").split(";") if colon else ():
            found = name.strip()
            kind = HISTORICAL if "hmds" in found else DEFINITIONS if found.startswith("secdef") else MARKET
            self._farm(found, kind, "ok", event, monotonic)

    def _farm(self, name: str, kind: str, state: str, event: Event, monotonic: float) -> None:
        name = name.strip().rstrip(".")[:40]
        known = self.farms.get(name)
        if not name or (known is not None and known.state == state):
            return
        if known is not None or len(self.farms) < MOST_FARMS:
            self.farms[name] = Farm(name, kind, state, monotonic, event.ts)


def _farm_name(text: str) -> str:
    """Return the farm of "… connection is OK:usfarm.nj" or "… upon demand.usfarm"."""
    _, colon, name = text.rpartition(":")
    return name if colon else text.partition(".")[2]


def _number(text: str) -> float | None:
    """Return a number; None for an empty field, and for the largest float, by which IB says the same."""
    value = float(text) if text else UNSET
    return value if value < UNSET else None


def event_of(fields: Sequence[str], now: float) -> Event:
    """Return the error message of these fields: version, request, code, text. Raises ValueError."""
    if len(fields) < 4:
        raise ValueError("too few fields")
    return Event(now, int(fields[2]), fields[3][:TEXT_CHARACTERS], int(fields[1]))


def new_events() -> deque[Event]:
    """Return the place for the newest events."""
    return deque(maxlen=EVENTS_KEPT)
