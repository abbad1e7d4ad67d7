"""The first word with a Kafka broker, over a socket of our own: what is there, and is it new enough?

librdkafka says "broker transport failure" of almost anything, and waits. ApiVersions is answered before any password
is asked for, so whatever is wrong with address, TLS or age is told here, within one deadline, without a thread. Without
a user the brokers are asked for as well: a broker that wants a password hangs up at that.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.format import count
from core.kinds.kafka.brokers import Brokers
from core.net.reach import Address, Connection, Deadline, connect, explained, garbage

API_VERSIONS = 18
CORRELATION = 0x46554E44
CLIENT = b"fundwatch"
MOST_BYTES = 65_536
EXPECTED = "Kafka"

LIST_OFFSETS, METADATA = 2, 3
NEEDED = {METADATA: 1, LIST_OFFSETS: 1}
"""Lowest version of each request that a reading cannot do without: Kafka 0.10.1 (2016)."""

Apis = Mapping[int, tuple[int, int]]
"""Lowest and highest version of each request that a broker knows."""


def probe(source: Brokers, deadline: Deadline) -> Apis:
    """Return what the first broker that answers knows. Raises SourceUnavailable or SourceRejected."""
    problems: list[SourceError] = []
    hosts = source.hosts
    for number, (host, port) in enumerate(hosts):
        address = Address(host, port, tls=source.tls, ca_file=source.ca_file)
        try:
            share = Deadline(deadline.left() / (len(hosts) - number))
            return _ask(address, share, with_metadata=not source.user)
        except SourceError as error:
            problems.append(error)
        except TimeoutError:
            break
    if not problems:
        raise SourceUnavailable(f"no answer from {source.bootstrap} within {deadline.seconds:.3g} s")
    if len(problems) == 1:
        raise problems[0]
    said = "; ".join(str(problem) for problem in problems)
    kind = SourceRejected if all(isinstance(each, SourceRejected) for each in problems) else SourceUnavailable
    raise kind(f"none of {count(len(hosts), 'broker')} can be read: {said}")


def _ask(address: Address, deadline: Deadline, *, with_metadata: bool) -> Apis:
    connection = connect(address, deadline)
    try:
        with explained(address, deadline.seconds):
            apis = _checked(address, _answer(connection, API_VERSIONS, 0, b""))
            if with_metadata:
                _ask_metadata(connection)
            return apis
    except SourceUnavailable as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
        said = f"no answer from {address} within {deadline.seconds:.3g} s"
        raise SourceUnavailable(f"{said}: it accepted the connection and says nothing") from error
    finally:
        connection.close()


def _ask_metadata(connection: Connection) -> None:
    """Ask for the brokers and no topic. Raises SourceUnavailable when the broker hangs up."""
    try:
        _answer(connection, METADATA, 1, struct.pack(">i", 0))
    except ConnectionError:
        raise SourceUnavailable(
            f"{connection.address} closes the connection when asked for metadata: "
            "it may want a user and password (SASL)"
        ) from None


def _answer(connection: Connection, key: int, version: int, body: bytes) -> bytes:
    request = struct.pack(">hhih", key, version, CORRELATION, len(CLIENT)) + CLIENT + body
    connection.send(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", connection.exactly(4))
    if not 10 <= size <= MOST_BYTES:
        raise garbage(connection.address, EXPECTED)
    return connection.exactly(size)


def _checked(address: Address, answer: bytes) -> Apis:
    correlation, error, count = struct.unpack(">ihi", answer[:10])
    if correlation != CORRELATION or not 0 <= count <= (len(answer) - 10) // 6:
        raise garbage(address, EXPECTED)
    apis = {key: (lowest, highest) for key, lowest, highest in struct.iter_unpack(">hhh", answer[10 : 10 + 6 * count])}
    if any(apis.get(key, (0, -1))[1] < version for key, version in NEEDED.items()):
        raise SourceRejected(f"{address} is too old or no Kafka (ApiVersions error {error}): 0.10.1 is the least")
    return apis
