"""What IQConnect says over its admin port: comma-separated lines in latin-1, told apart by their second field.

Field numbers are those of DTN's admin port documentation, protocol 6.2: S,STATS comes once a second unasked,
S,CLIENTSTATS once a second for each client after S,CLIENTSTATS ON.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

PROTOCOL = "6.2"
OLDEST_PROTOCOL = 6.0
GREETING = f"S,SET PROTOCOL,{PROTOCOL}\r\nS,SET CLIENT NAME,fundwatch\r\nS,CLIENTSTATS ON\r\n".encode()
KB = 1_024
STATS_FIELDS, CLIENT_FIELDS = 21, 11
EVENTS_KEPT = 100
GENERATIONS = 2
TEXT_CHARACTERS = 120
CLIENT_TYPES = {"0": "admin", "1": "Level 1", "2": "Level 2", "3": "lookup"}
EVENTS = ("SERVER CONNECTED", "SERVER DISCONNECTED", "SERVER RECONNECT FAILED", "SYMBOL LIMIT REACHED")


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
            raise ValueError(f"{len(fields)} fields")
        if fields[12] not in ("Connected", "Not Connected"):
            raise ValueError("no status")
        return cls(
            server=f"{fields[2]}:{fields[3]}" if fields[2] else "",
            max_symbols=_whole(fields[4]),
            symbols=_whole(fields[5]),
            clients=_whole(fields[6]),
            update_age_seconds=_number(fields[7]),
            reconnections=_whole(fields[8]),
            attempts=_whole(fields[9]),
            started=fields[10],
            market_time=fields[11],
            is_connected=fields[12] == "Connected",
            version=fields[13],
            login=fields[14],
            received_bytes=_number(fields[15]) * KB,
            received_bytes_per_second=_number(fields[16]) * KB,
            sent_bytes=_number(fields[18]) * KB,
            sent_bytes_per_second=_number(fields[19]) * KB,
        )


@dataclass(frozen=True, slots=True)
class ClientStats:
    """One S,CLIENTSTATS line."""

    kind: str
    id: str
    name: str
    started: str
    symbols: int
    regional_symbols: int
    sent_bytes: float
    received_bytes: float
    queued_bytes: float

    @classmethod
    def parse(cls, fields: Sequence[str]) -> ClientStats:
        """Return the line that was split at commas. Raises ValueError when it is malformed."""
        if len(fields) < CLIENT_FIELDS:
            raise ValueError(f"{len(fields)} fields")
        return cls(
            kind=CLIENT_TYPES.get(fields[2], fields[2][:TEXT_CHARACTERS]),
            id=fields[3],
            name=fields[4][:TEXT_CHARACTERS],
            started=fields[5],
            symbols=_whole(fields[6]),
            regional_symbols=_whole(fields[7]),
            sent_bytes=_number(fields[8]) * KB,
            received_bytes=_number(fields[9]) * KB,
            queued_bytes=_number(fields[10]) * KB,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that IQConnect announced, or an error that it answered."""

    ts: float
    name: str
    detail: str


class Heard:
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
        self._clients: dict[str, tuple[int, ClientStats]] = {}

    @property
    def clients(self) -> list[ClientStats]:
        """The clients that the last seconds told of, by number."""
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
        if kind == "S" and name == "STATS":
            self.stats = Stats.parse(fields)
            self.stats_count += 1
            self._forget()
        elif kind == "S" and name == "CLIENTSTATS":
            client = ClientStats.parse(fields)
            self._clients[client.id] = (self.stats_count, client)
        elif kind == "S" and name == "CURRENT PROTOCOL":
            self.protocol = fields[2] if len(fields) > 2 else ""
        elif kind == "S" and name in EVENTS:
            self.events.append(Event(now, name.lower(), ",".join(fields[2:]).strip(",")[:TEXT_CHARACTERS]))
        elif kind == "E":
            self.refusal = ",".join(fields[1:]).strip("!, ")[:TEXT_CHARACTERS]
            self.events.append(Event(now, "error", self.refusal))
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
