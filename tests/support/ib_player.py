"""Plays a gateway of Interactive Brokers: handshake, login, current time, farms, resets, orders, account summary."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.player import Player

FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
)
UNSET = "1.7976931348623157E308"


def order(permanent: str, symbol: str, action: str, quantity: str, limit: str, account: str) -> list[str]:
    """Return an openOrder: 25 fields that are read, some more that are not."""
    contract = ["265598", symbol, "STK", "", "0", "?", "", "SMART", "USD", symbol, "NMS"]
    terms = [action, quantity, "LMT", limit, UNSET, "DAY", "", account, "", "0", "momentum", "7", permanent]
    return ["5", "1", *contract, *terms, "0", "0", "0", "", ""]


@dataclass
class Script:
    """How the gateway behaves."""

    version: int = 178
    accounts: str = "U1234567,U7654321"
    is_logged_in: bool = True
    is_deaf: bool = False
    """Accepts connections and answers nothing, not even the greeting."""
    hangs: bool = False
    """Answers nothing once it is ready."""
    delay_seconds: float = 0.0
    skew_seconds: float = 0.0
    greeting: Sequence[tuple[int, str]] = FARMS
    orders: Sequence[list[str]] = field(
        default_factory=lambda: [
            order("1861370271", "AAPL", "BUY", "100", "187.5", "U1234567"),
            order("1861370272", "MSFT", "SELL", "50", UNSET, "U7654321"),
        ]
    )
    refuses_with: tuple[int, str] | None = None
    """Code and text of an error after which it hangs up."""
    asked: list[list[str]] = field(default_factory=list)


class Gateway(Player):
    """A gateway; `tell` sends a message with a code to everyone."""

    def __init__(self, script: Script | None = None) -> None:
        super().__init__()
        self.script = script or Script()

    def tell(self, code: int, text: str) -> None:
        """Send a message with a code."""
        self.broadcast(_frame("4", "2", "-1", str(code), text, ""))

    def serve(self, connection: socket.socket) -> None:
        script = self.script
        if script.is_deaf or self._read(connection, 4) != b"API\0":
            self._hold(connection)
            return
        self._message(connection)
        connection.sendall(_frame(str(script.version), "20261120 10:30:00 EST"))
        while (data := self._message(connection)) is not None:
            asked = data.decode().removesuffix("\0").split("\0")
            script.asked.append(asked)
            if asked[0] == "71" and not self._log_in(connection):
                return
            if script.is_logged_in and not script.hangs:
                self._answer(connection, asked)

    def _log_in(self, connection: socket.socket) -> bool:
        script = self.script
        if script.refuses_with is not None:
            connection.sendall(_frame("4", "2", "-1", str(script.refuses_with[0]), script.refuses_with[1], ""))
            connection.shutdown(socket.SHUT_WR)
            return False
        if script.is_logged_in:
            connection.sendall(_frame("15", "1", script.accounts) + _frame("9", "1", "42"))
            for code, text in script.greeting:
                connection.sendall(_frame("4", "2", "-1", str(code), text, ""))
        return True

    def _answer(self, connection: socket.socket, asked: list[str]) -> None:
        if asked[0] == "49":
            time.sleep(self.script.delay_seconds)
            now = int(time.time() + self.script.skew_seconds)
            connection.sendall(_frame("49", "1", str(now)))
        elif asked[0] == "16":
            for fields in self.script.orders:
                connection.sendall(_frame(*fields))
                status = ["3", "1", "PreSubmitted", "0", fields[14], "0", fields[25], "0", "0", "7", "", "0"]
                connection.sendall(_frame(*status))
            connection.sendall(_frame("53", "1"))
        elif asked[0] == "62":
            for account in self.script.accounts.split(","):
                connection.sendall(_frame("63", "1", asked[2], account, "NetLiquidation", "1250000.5", "USD"))
            connection.sendall(_frame("64", "1", asked[2]))

    def _message(self, connection: socket.socket) -> bytes | None:
        head = self._read(connection, 4)
        return self._read(connection, struct.unpack(">I", head)[0]) if head else None

    def _read(self, connection: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count and not self.is_over:
            with contextlib.suppress(TimeoutError):
                part = connection.recv(count - len(data))
                if not part:
                    return b""
                data += part
        return data if len(data) == count else b""

    def _hold(self, connection: socket.socket) -> None:
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(4_096):
                    return


def _frame(*fields: str) -> bytes:
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload
