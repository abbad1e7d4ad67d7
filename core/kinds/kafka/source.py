"""A watched Kafka cluster."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from core.kinds.base import Source, checked_pattern
from core.kinds.kafka.brokers import Brokers
from core.kinds.kafka.spec import WINDOW_SECONDS

DEAD_LETTERS = r"(?i)(^|[._-])(dlq|dlt|dead[._-]?letters?)([._-]|$)"


class KafkaSource(Brokers, Source):
    """A Kafka cluster, or what speaks its protocol."""

    KIND: ClassVar[str] = "kafka"
    TITLE: ClassVar[str] = "Kafka"
    WATCHES: ClassVar[str] = "Kafka clusters."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  kafka:",
        "    - {name: main, bootstrap: '10.0.0.9:9092,10.0.0.10:9092'}",
    )

    groups: str = Field("", description="Consumer groups to read, a regular expression; empty: all.")
    ignored_groups: str = Field("^console-consumer-", description="Consumer groups to leave out, likewise.")
    dead_letters: str = Field(DEAD_LETTERS, description="Topics that hold what could not be processed, likewise.")
    window_seconds: Annotated[float, Field(ge=30, le=3_600)] = Field(
        WINDOW_SECONDS,
        description="How long a consumer group is looked at before it counts as stuck or falling behind.",
    )

    @field_validator("groups", "ignored_groups", "dead_letters")
    @classmethod
    def _pattern(cls, value: str) -> str:
        return checked_pattern(value)
