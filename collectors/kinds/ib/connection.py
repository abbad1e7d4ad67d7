"""Interactive Brokers' API over a Connection: its handshake, and messages as lists of texts.

A message is four bytes of length (big endian) and fields that each end with a zero byte. The versions offered are
those whose messages are still text. We frame it ourselves: ib_async, the well-kept client, brings an event loop of its
own, synchronises positions, orders and executions at every connection, and waits for each in turn, while five
messages are all that is asked here and one deadline must cover every byte of them.
"""

from __future__ import annotations

import struct

from core.errors import SourceRejected, SourceUnavailable
from core.net.reach import Address, Deadline, connect, explained, garbage

OLDEST, NEWEST = 157, 178
LARGEST_BYTES = 1_048_576
WHAT = "Interactive Brokers' API"

ERROR, OPEN_ORDER, NEXT_ID, ACCOUNTS, TIME, ORDERS_END, SUMMARY = 4, 5, 9, 15, 49, 53, 63
"""Messages that come. TIME is also the number of its question."""
ORDER_STATUS = 3
ASK_ORDERS, ASK_SUMMARY, CANCEL_SUMMARY, START = 16, 62, 63, 71


class Session:
    """A connection that has shaken hands. Raises what Connection raises, SourceUnavailable and SourceRejected."""

    def __init__(self, address: Address, client_id: int, deadline: Deadline) -> None:
        self.address = address
        self.received = 0
        self.sent = 0
        self.is_subscribed = False
        """Whether the account summary was asked for."""
        self._size: int | None = None
        self._connection = connect(address, deadline)
        self._connection.deadline = deadline
        try:
            self.version, self.server_time = self._shake_hands(deadline)
            self.ask(START, 2, client_id, "")
        except BaseException:
            self.close()
            raise

    def renew(self, deadline: Deadline) -> None:
        """Let what follows wait until `deadline`."""
        self._connection.deadline = deadline

    def ask(self, *fields: str | int) -> None:
        """Send a message."""
        self._send("".join(f"{field}\0" for field in fields).encode())
        self.sent += 1

    def message(self) -> tuple[int, list[str]]:
        """Return the next message: its number and its other fields."""
        fields = self._fields()
        if not fields or not fields[0].isdigit():
            raise garbage(self.address, WHAT)
        self.received += 1
        return int(fields[0]), fields[1:]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _shake_hands(self, deadline: Deadline) -> tuple[int, str]:
        with explained(self.address, deadline.seconds):
            try:
                self._connection.send(b"API\0")
                self._send(f"v{OLDEST}..{NEWEST}".encode())
                fields = self._fields()
            except TimeoutError:
                raise SourceUnavailable(
                    f"{self.address} accepts connections but did not answer the API's greeting within "
                    f"{deadline.seconds:g} s: it waits for its login, or its API is switched off"
                ) from None
            except ConnectionError:
                raise SourceUnavailable(
                    f"{self.address} closed the connection at the API's greeting: our address may not be trusted there"
                ) from None
        if len(fields) != 2 or not fields[0].isdigit():
            raise garbage(self.address, WHAT)
        version = int(fields[0])
        if version < OLDEST:
            raise SourceRejected(f"{self.address} is too old: its API has version {version}, {OLDEST} is needed")
        return version, fields[1]

    def _send(self, payload: bytes) -> None:
        self._connection.send(struct.pack(">I", len(payload)) + payload)

    def _fields(self) -> list[str]:
        """Return the fields of the next message. A wait that ends in its middle loses nothing."""
        if self._size is None:
            (size,) = struct.unpack(">I", self._connection.exactly(4))
            if not 0 < size <= LARGEST_BYTES:
                raise garbage(self.address, WHAT)
            self._size = size
        payload = self._connection.exactly(self._size)
        self._size = None
        return payload.decode("utf-8", "replace").removesuffix("\0").split("\0")
