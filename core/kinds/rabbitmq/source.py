"""A watched RabbitMQ."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.group import Seconds
from core.kinds.base import Source, checked_pattern, checked_url
from core.kinds.rabbitmq.spec import QUEUE_CRITICAL_SECONDS, QUEUE_WARNING_SECONDS, UNREAD_SECONDS
from core.limits import Limit


class RabbitmqSource(Source):
    """A RabbitMQ cluster, by the management API of one of its nodes."""

    KIND: ClassVar[str] = "rabbitmq"
    TITLE: ClassVar[str] = "RabbitMQ"
    WATCHES: ClassVar[str] = "RabbitMQ clusters, by their management API."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  rabbitmq:",
        "    - {name: main, url: 'http://monitor:password@10.0.0.9:15672'}",
    )

    interval_seconds: Seconds = Field(10, description="Seconds between readings.")
    url: SecretStr = Field(description="http(s)://user:password@host:15672 of the management API.")
    ca_file: str = Field("", description="Certificates to trust with https; empty: those of the system.")
    ignored_queues: str = Field(
        r"(?i)(^|[._-])(dlq|dlx|dead[._-]?letters?)([._-]|$)",
        description="Queues that may hold messages while nobody reads them, a regular expression.",
    )
    unread_seconds: float = Field(
        UNREAD_SECONDS, ge=0, description="A queue with messages and no consumer for longer: warning."
    )
    queue_warning_seconds: float = Field(
        QUEUE_WARNING_SECONDS, gt=0, description="Oldest message older than this: warning."
    )
    queue_critical_seconds: float = Field(
        QUEUE_CRITICAL_SECONDS, gt=0, description="Oldest message older than this: critical."
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "http", "https")

    @field_validator("ignored_queues")
    @classmethod
    def _pattern(cls, value: str) -> str:
        return checked_pattern(value)

    @property
    def queue_age(self) -> Limit:
        """From where on the oldest message of a queue is a warning, and critical; in seconds."""
        return Limit(self.queue_warning_seconds, self.queue_critical_seconds)
