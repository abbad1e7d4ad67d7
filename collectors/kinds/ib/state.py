"""What a gateway of Interactive Brokers has sent: its link to IB, its data farms, errors, orders, accounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.kinds.ib.codes import (
    FARM_CODES,
    ID_IN_USE,
    LINK_BROKEN,
    LOST,
    OUT_OF_DATE,
    RESTORED,
    RESTORED_EMPTY,
    FarmData,
    FarmState,
    level_of,
)
from core.kinds.ib.spec import Account, Message, Order

MESSAGES_KEPT, TEXT_CHARACTERS, NAME_CHARACTERS, MOST_FARMS, MOST_ORDERS = 100, 200, 40, 40, 200
UNSET = 1.7e308
LIVE, PAPER = "live", "paper"


@dataclass(frozen=True, slots=True)
class Farm:
    """A data farm: which kind of data it serves, how it is, since when (monotonic and epoch seconds)."""

    name: str
    kind: FarmData
    state: FarmState
    since: float
    ts: float


@dataclass(slots=True)
class GatewayState:
    """What one connection has been sent."""

    next_id: int | None = None
    accounts: tuple[str, ...] = ()
    lost_since: float | None = None
    lost_code: int = 0
    farms: dict[str, Farm] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    values: dict[str, Account] = field(default_factory=dict)
    """The accounts whose value has come."""
    is_subscribed: bool = False
    """Whether the account summary is ours still: it ends when IB's servers lose it."""
    refused: Message | None = None
    """The error for which the gateway will not have us."""

    @property
    def is_ready(self) -> bool:
        """Whether orders could be sent: the next order id and the accounts are known."""
        return self.next_id is not None and bool(self.accounts)

    @property
    def kind(self) -> str:
        """What it is logged in to: paper when any of the accounts is a paper one, else live."""
        return PAPER if PAPER in map(kind_of, self.accounts) else LIVE

    def account(self, name: str) -> Account:
        """Return an account, with its value where one has come."""
        return self.values.get(name) or Account(name, kind_of(name))

    def valued(self, name: str, value: float, currency: str, now: float) -> None:
        """Take the value of an account in."""
        self.values[name] = Account(name, kind_of(name), value, currency, now)

    def take(self, message: Message, monotonic: float) -> None:
        """Take a message with a code in."""
        if message.code in (LOST, LINK_BROKEN):
            if self.lost_since is None:
                self.lost_since, self.lost_code = monotonic, message.code
        elif message.code in (RESTORED, RESTORED_EMPTY):
            self.lost_since = None
            self.is_subscribed = self.is_subscribed and message.code == RESTORED
            self._farms_are_back(message, monotonic)
        elif message.code in FARM_CODES:
            kind, state = FARM_CODES[message.code]
            self._farm(Farm(_farm_name(message.text), kind, state, monotonic, message.ts))
        elif message.code in (ID_IN_USE, OUT_OF_DATE):
            self.refused = message

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

    def _farms_are_back(self, message: Message, monotonic: float) -> None:
        """Mark the farms that the message lists after its colon ("usfarm; ushmds; secdefnj") as well."""
        _, colon, names = message.text.partition("farms are connected:")
        for name in names.rstrip(". ").split(";") if colon else ():
            self._farm(Farm(name, _data_of(name.strip()), FarmState.OK, monotonic, message.ts))

    def _farm(self, farm: Farm) -> None:
        name = farm.name.strip().rstrip(".")[:NAME_CHARACTERS]
        known = self.farms.get(name)
        if not name or (known is not None and known.state == farm.state):
            return
        if known is not None or len(self.farms) < MOST_FARMS:
            self.farms[name] = replace(farm, name=name)


def _data_of(farm: str) -> FarmData:
    """Return what a farm serves, by its name."""
    if "hmds" in farm:
        return FarmData.HISTORICAL
    return FarmData.DEFINITIONS if farm.startswith("secdef") else FarmData.MARKET


def _farm_name(text: str) -> str:
    """Return the farm of "… connection is OK:usfarm.nj" or "… upon demand.usfarm"."""
    _, colon, name = text.rpartition(":")
    return name if colon else text.partition(".")[2]


def _number(text: str) -> float | None:
    """Return a number; None for an empty field, and for the largest float, by which IB says the same."""
    value = float(text) if text else UNSET
    return value if value < UNSET else None


def kind_of(account: str) -> str:
    """Return whether an account is a live or a paper one."""
    return PAPER if account.startswith("D") else LIVE


def message_of(fields: Sequence[str], now: float) -> Message:
    """Return the error message of these fields: version, request (-1 for none), code, text. Raises ValueError."""
    if len(fields) < 4:
        raise ValueError("too few fields")
    request, code = int(fields[1]), int(fields[2])
    return Message(now, code, level_of(code), fields[3][:TEXT_CHARACTERS], request if request >= 0 else None)


def no_messages() -> deque[Message]:
    """Return the place for the newest messages."""
    return deque(maxlen=MESSAGES_KEPT)
