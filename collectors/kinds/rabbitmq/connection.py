"""The management API of RabbitMQ over one kept connection: questions with a deadline, refusals in words."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.rabbitmq import spec
from core.kinds.rabbitmq.source import RabbitmqSource
from core.net.reach import Address, Connection, Deadline, connect, explained, garbage, retried_once
from core.net.web import Answer, address_of, exchange

API = "RabbitMQ's management API"
OLDEST = (3, 8)
QUEUE_COLUMNS = (
    "name", "vhost", "type", "state", "node", "messages", "messages_ready", "messages_unacknowledged", "consumers",
    "consumer_utilisation", "memory", "head_message_timestamp", "members", "online", "policy",
    "message_stats.publish_details.rate", "message_stats.deliver_get_details.rate", "message_stats.ack_details.rate",
    "message_stats.redeliver_details.rate",
)  # fmt: skip
QUEUES = (
    f"{spec.QUEUES}?page=1&page_size={spec.MOST_QUEUES}&sort=messages&sort_reverse=true"
    f"&columns={','.join(QUEUE_COLUMNS)}"
)


class Api:
    """Asks one node. Raises SourceUnavailable or SourceRejected; after either the connection is closed."""

    def __init__(self, source: RabbitmqSource) -> None:
        self._base = source.url.get_secret_value().rstrip("/")
        self._address = address_of(self._base, source.ca_file)
        self._connection: Connection | None = None

    def get(self, path: str, deadline: Deadline) -> Any:
        """Return the content of one answer. A kept connection that was closed meanwhile is opened anew once."""
        answer = retried_once(lambda: self._once(path, deadline), was_kept=self._connection is not None)
        return self._content(path, answer)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, path: str, deadline: Deadline) -> Answer:
        try:
            with explained(self._address, deadline.seconds):
                if self._connection is None:
                    self._connection = connect(self._address, deadline)
                self._connection.deadline = deadline
                answer = exchange(self._connection, self._base + path, keep=True)
        except SourceError as error:
            self.close()
            if "not HTTP" in str(error) and _is_amqp(self._address, deadline):
                raise SourceRejected(
                    f"{self._address} is the port of AMQP: the management port is needed, 15672 unless it was moved"
                ) from error
            raise
        except BaseException:
            self.close()
            raise
        if not answer.is_kept:
            self.close()
        return answer

    def _content(self, path: str, answer: Answer) -> Any:
        if answer.status == 401:
            raise SourceRejected(_refusal(self._base, answer))
        if answer.status == 404 and path == spec.OVERVIEW:
            raise SourceRejected(f"{self._address} speaks HTTP but has no {API} (404)")
        if answer.status >= 400:
            raise SourceUnavailable(f"{self._address} answers {answer.status} to {urlsplit(path).path}")
        try:
            return json.loads(answer.body)
        except ValueError:
            raise garbage(self._address, API) from None


def checked_overview(content: Any, address: str) -> dict[str, Any]:
    """Return an overview when it is one, of a version that we can read. Raises."""
    version = content.get("rabbitmq_version") if isinstance(content, dict) else None
    if not isinstance(version, str):
        raise SourceUnavailable(f"{address} answers something that is not {API}")
    parts = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if tuple(parts) < OLDEST:
        raise SourceRejected(f"RabbitMQ {version} is too old: 3.8 is the least")
    found: dict[str, Any] = content
    return found


def _refusal(base: str, answer: Answer) -> str:
    try:
        reason = str(json.loads(answer.body).get("reason", ""))
    except (ValueError, AttributeError):
        reason = ""
    if "monitor" in reason.lower():
        return "the user lacks the tag monitoring (rabbitmqctl set_user_tags USER monitoring)"
    if "management user" in reason.lower():
        return "the user may not use the management API: it needs the tag monitoring"
    if "@" not in urlsplit(base).netloc:
        return "wants a user and password, and the URL has none"
    return f"wrong user or password ({reason or '401'})"


def _is_amqp(address: Address, deadline: Deadline) -> bool:
    """Return whether an AMQP server listens there: it answers anything wrong by its own greeting."""
    try:
        connection = connect(address, deadline)
    except SourceError:
        return False
    try:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        return connection.exactly(4) == b"AMQP"
    except (OSError, SourceError):
        return False
    finally:
        connection.close()
