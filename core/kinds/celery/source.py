"""Watched Celery workers, by their broker."""

from __future__ import annotations

from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import Source, checked_url
from core.kinds.celery.spec import QUEUE_CRITICAL_SECONDS, QUEUE_WARNING_SECONDS
from core.limits import Limit

AMQP = ("amqp", "amqps")


class CelerySource(Source):
    """The Celery workers and queues of one broker."""

    KIND: ClassVar[str] = "celery"
    TITLE: ClassVar[str] = "Celery"
    WATCHES: ClassVar[str] = "Brokers of Celery workers."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  celery:",
        "    - {name: main, broker: 'redis://:password@10.0.0.9:6379/0', queues: [celery]}",
    )

    broker: SecretStr = Field(
        description="redis(s)://:password@host:port/db or amqp(s)://user:password@host:port/vhost."
    )
    ca_file: str = Field("", description="Certificates to trust with TLS; empty: those of the system.")
    queues: tuple[str, ...] = Field(
        ("celery",), max_length=50, description="Queues to measure, beside those that the workers take from."
    )
    inspect_seconds: Annotated[float, Field(ge=5, le=3_600)] = Field(
        15, description="Seconds between questions to the workers: active tasks, pool, queues."
    )
    queue_warning_seconds: float = Field(
        QUEUE_WARNING_SECONDS, gt=0, description="Oldest message older than this: warning."
    )
    queue_critical_seconds: float = Field(
        QUEUE_CRITICAL_SECONDS, gt=0, description="Oldest message older than this: critical."
    )
    events_per_second: Annotated[int, Field(ge=10, le=10_000)] = Field(
        500, description="More task events than this: reading them pauses for 5 s, and says so."
    )
    show_arguments: bool = Field(True, description="Whether arguments of tasks are shown (cut at 80 characters).")

    @field_validator("broker")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "redis", "rediss", *AMQP)

    @property
    def is_amqp(self) -> bool:
        """Whether the broker speaks AMQP; else it is a Redis."""
        return urlsplit(self.broker.get_secret_value()).scheme in AMQP

    @property
    def queue_age(self) -> Limit:
        """From where on the oldest message of a queue is a warning, and critical; in seconds."""
        return Limit(self.queue_warning_seconds, self.queue_critical_seconds)
