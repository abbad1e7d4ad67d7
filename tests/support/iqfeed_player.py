"""Plays IQConnect: the admin port with its lines a second, and the other ports with their greetings.

Written from the documented field lists; a test changes the fields of `stats` and `clients` while it runs.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field

from tests.support.player import Player


@dataclass
class Fields:
    """What S,STATS says."""

    server_ip: str = "66.112.148.225"
    server_port: str = "60005"
    max_symbols: str = "500"
    symbols: str = "120"
    clients: str = "3"
    update_age: str = "0"
    reconnections: str = "2"
    attempts: str = "0"
    started: str = "Nov 20 08:01AM"
    market_time: str = "Nov 20 10:30AM"
    status: str = "Connected"
    version: str = "6.2.0.25"
    login: str = "487654"
    total_received: float = 81_234.5
    received: str = "35.07"
    average_received: str = "30.11"
    total_sent: float = 4_321.0
    sent: str = "1.5"
    average_sent: str = "1.2"

    def line(self) -> str:
        """Return the line."""
        values = [self.__dict__[name] for name in self.__dataclass_fields__]
        return "S,STATS," + ",".join(f"{each:.2f}" if isinstance(each, float) else each for each in values) + ","


@dataclass
class Client:
    """What S,CLIENTSTATS says of one client."""

    type: str = "1"
    id: str = "2"
    name: str = "ticks"
    started: str = "20261120 080105"
    symbols: str = "120"
    regional: str = "0"
    sent: str = "10321.4"
    received: str = "2.1"
    queued: str = "0"

    def line(self) -> str:
        """Return the line."""
        return "S,CLIENTSTATS," + ",".join(self.__dict__[name] for name in self.__dataclass_fields__) + ","


@dataclass
class Script:
    """How IQConnect behaves."""

    stats: Fields = field(default_factory=Fields)
    clients: list[Client] = field(default_factory=lambda: [Client(), Client("0", "1", "fundwatch", symbols="0")])
    period_seconds: float = 0.02
    protocol: str = "6.2"
    refusal: str = ""
    is_silent: bool = False
    malformed: str = ""
    """Sent instead of S,STATS."""


class AdminPort(Player):
    """The admin port."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.rounds = 0
        """How often statistics were sent."""

    def say(self, line: str) -> None:
        """Send one line to every client."""
        self.broadcast(f"{line}\r\n".encode("latin-1"))

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(self.script.period_seconds)
        asked = b""
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                data = connection.recv(4_096)
                if not data:
                    return
                asked += data
                if b"S,SET PROTOCOL," in data:
                    answer = (
                        f"E,{self.script.refusal},"
                        if self.script.refusal
                        else "S,CURRENT PROTOCOL," + self.script.protocol
                    )
                    self._send(connection, answer)
            if self.script.is_silent or self.script.refusal:
                continue
            self._send(connection, self.script.malformed or self.script.stats.line())
            if b"S,CLIENTSTATS ON" in asked:
                for client in list(self.script.clients):
                    self._send(connection, client.line())
            self.rounds += 1

    def _send(self, connection: socket.socket, line: str) -> None:
        connection.sendall(f"{line}\r\n".encode("latin-1"))


class DataPort(Player):
    """Another port: Level 1 greets and sends the time each second, the others speak when asked."""

    def __init__(self, *, is_level1: bool = False, is_silent: bool = False, connected: bool = True) -> None:
        super().__init__()
        self.is_level1 = is_level1
        self.is_silent = is_silent
        self.connected = connected

    def serve(self, connection: socket.socket) -> None:
        if self.is_level1 and not self.is_silent:
            state = "S,SERVER CONNECTED" if self.connected else "S,SERVER DISCONNECTED"
            connection.sendall(f"S,KEY,12345\r\n{state}\r\nS,CUST,real_time,66.112.148.225\r\n".encode())
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                data = connection.recv(4_096)
                if not data:
                    return
                if b"S,SET PROTOCOL," in data and not self.is_silent:
                    connection.sendall(b"S,CURRENT PROTOCOL,6.2\r\n")
                continue
            if self.is_level1 and not self.is_silent:
                connection.sendall(b"T,20261120 10:30:00\r\n")


class IqConnect(contextlib.ExitStack):
    """All five ports; `settings` are those of a watched source."""

    def __init__(self, script: Script | None = None) -> None:
        super().__init__()
        self.script = script or Script()
        self.admin = AdminPort(self.script)
        self.level1 = DataPort(is_level1=True)
        self.others = {name: DataPort() for name in ("lookup", "level2", "derivative")}

    def __enter__(self) -> IqConnect:
        super().__enter__()
        for port in (self.admin, self.level1, *self.others.values()):
            self.enter_context(port)
        return self

    @property
    def settings(self) -> dict[str, object]:
        """Where everything listens."""
        ports = {f"{name}_port": port.port for name, port in self.others.items()}
        return {"host": "127.0.0.1", "admin_port": self.admin.port, "level1_port": self.level1.port, **ports}
