"""What IQConnect says over its admin port: comma-separated lines in latin-1, told apart by their second field."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from core.format import count
from core.kinds.iqfeed.protocol import CLIENT_STATS, SET_PROTOCOL, STATS, ClientField, EventName, StatsField
from core.kinds.iqfeed.spec import Client, Event

OLDEST_PROTOCOL = 6.0
GREETING = f"{SET_PROTOCOL}\r\nS,SET CLIENT NAME,fundwatch\r\n{CLIENT_STATS} ON\r\n".encode()
KB = 1_024
STATS_FIELDS, CLIENT_FIELDS = 21, 11
EVENTS_KEPT = 100
GENERATIONS = 2
TEXT_CHARACTERS = 120
CLIENT_TYPES = {"0": "admin", "1": "Level 1", "2": "Level 2", "3": "lookup"}
CONNECTED, NOT_CONNECTED = "Connected", "Not Connected"
ANNOUNCED = {event.upper(): event for event in EventName if event is not EventName.ERROR}
"""What is announced, by the second field of its line."""


@dataclass(frozen=True, slots=True)
class Stats:
    """One S,STATS line. Bytes are its KB times 1,024."""

    server: str
    max_symbols: int
    symbols: int
    clients: int
    update_age_seconds: float
    reconnections: int
    attempts: int
    started: str
    market_time: str
    is_connected: bool
    version: str
    login: str
    received_bytes: float
    received_bytes_per_second: float
    sent_bytes: float
    sent_bytes_per_second: float

    @classmethod
    def parse(cls, fields: Sequence[str]) -> Stats:
        """Return the line that was split at commas. Raises ValueError when it is malformed."""
        if len(fields) < STATS_FIELDS:
            raise ValueError(count(len(fields), "field"))
        if fields[StatsField.STATUS] not in (CONNECTED, NOT_CONNECTED):
            raise ValueError("no status")
        address, port = fields[StatsField.SERVER_ADDRESS], fields[StatsField.SERVER_PORT]
        return cls(
            server=f"{address}:{port}" if address else "",
            max_symbols=_whole(fields[StatsField.MAX_SYMBOLS]),
            symbols=_whole(fields[StatsField.SYMBOLS]),
            clients=_whole(fields[StatsField.CLIENTS]),
            update_age_seconds=_number(fields[StatsField.UPDATE_AGE]),
            reconnections=_whole(fields[StatsField.RECONNECTIONS]),
            attempts=_whole(fields[StatsField.ATTEMPTS]),
            started=fields[StatsField.STARTED],
            market_time=fields[StatsField.MARKET_TIME],
            is_connected=fields[StatsField.STATUS] == CONNECTED,
            version=fields[StatsField.VERSION],
            login=fields[StatsField.LOGIN],
            received_bytes=_number(fields[StatsField.RECEIVED_KB]) * KB,
            received_bytes_per_second=_number(fields[StatsField.RECEIVED_KB_PER_SECOND]) * KB,
            sent_bytes=_number(fields[StatsField.SENT_KB]) * KB,
            sent_bytes_per_second=_number(fields[StatsField.SENT_KB_PER_SECOND]) * KB,
        )


def client_of(fields: Sequence[str]) -> Client:
    """Return the S,CLIENTSTATS line that was split at commas. Raises ValueError when it is malformed."""
    if len(fields) < CLIENT_FIELDS:
        raise ValueError(count(len(fields), "field"))
    number = fields[ClientField.TYPE]
    return Client(
        id=fields[ClientField.ID],
        type=CLIENT_TYPES.get(number, number[:TEXT_CHARACTERS]),
        name=fields[ClientField.NAME][:TEXT_CHARACTERS],
        started=fields[ClientField.STARTED],
        symbols=_whole(fields[ClientField.SYMBOLS]),
        regional_symbols=_whole(fields[ClientField.REGIONAL_SYMBOLS]),
        sent_bytes=_number(fields[ClientField.SENT_KB]) * KB,
        received_bytes=_number(fields[ClientField.RECEIVED_KB]) * KB,
        queued_bytes=_number(fields[ClientField.QUEUED_KB]) * KB,
    )


class ConnectionState:
    """What one connection has said so far."""

    def __init__(self) -> None:
        self.stats: Stats | None = None
        self.stats_count = 0
        self.malformed_count = 0
        self.protocol = ""
        self.is_level1 = False
        self.refusal = ""
        """The newest error line, before any statistics: why there are none."""
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._clients: dict[str, tuple[int, Client]] = {}

    @property
    def clients(self) -> list[Client]:
        """The clients of the last seconds."""
        oldest = self.stats_count - GENERATIONS
        return [client for generation, client in self._clients.values() if generation >= oldest]

    @property
    def is_iqfeed(self) -> bool:
        """Whether any line was one of IQFeed's."""
        return bool(self.stats or self.protocol or self.is_level1 or self.refusal or self.events)

    def take(self, line: bytes, now: float) -> bool:
        """Take a line in. Return whether it made sense."""
        fields = line.decode("latin-1").split(",")
        try:
            known = self._take(fields, now)
        except ValueError:
            known = False
        self.malformed_count += not known
        return known

    def _take(self, fields: list[str], now: float) -> bool:
        kind, name = fields[0], fields[1] if len(fields) > 1 else ""
        head = f"{kind},{name}"
        if head == STATS:
            self.stats = Stats.parse(fields)
            self.stats_count += 1
            self._forget()
        elif head == CLIENT_STATS:
            client = client_of(fields)
            self._clients[client.id] = (self.stats_count, client)
        elif kind == "S" and name == "CURRENT PROTOCOL":
            self.protocol = fields[2] if len(fields) > 2 else ""
        elif kind == "S" and name in ANNOUNCED:
            self.events.append(Event(now, ANNOUNCED[name], ",".join(fields[2:]).strip(",")[:TEXT_CHARACTERS]))
        elif kind == "E":
            self.refusal = ",".join(fields[1:]).strip("!, ")[:TEXT_CHARACTERS]
            self.events.append(Event(now, EventName.ERROR, self.refusal))
        elif kind == "T" and len(fields) > 1:
            self.is_level1 = True
        else:
            return kind == "S" and bool(name)
        return True

    def _forget(self) -> None:
        oldest = self.stats_count - GENERATIONS
        self._clients = {id: seen for id, seen in self._clients.items() if seen[0] >= oldest}


def is_too_old(protocol: str) -> bool:
    """Return whether a protocol ("6.2") has other lines than these."""
    try:
        return float(protocol) < OLDEST_PROTOCOL
    except ValueError:
        return True


def _whole(text: str) -> int:
    return int(text) if text else 0


def _number(text: str) -> float:
    value = float(text) if text else 0.0
    if not 0 <= value < 1e15:  # also what is not a number
        raise ValueError(text)
    return value
