"""A watched Kafka cluster."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import Source, checked_pattern
from core.kinds.kafka.spec import WINDOW_SECONDS

DEFAULT_PORT = 9092
DEAD_LETTERS = r"(?i)(^|[._-])(dlq|dlt|dead[._-]?letters?)([._-]|$)"


class KafkaSource(Source):
    """A Kafka cluster, or what speaks its protocol."""

    KIND: ClassVar[str] = "kafka"
    TITLE: ClassVar[str] = "Kafka"
    WATCHES: ClassVar[str] = "Kafka clusters."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  kafka:",
        "    - {name: main, bootstrap: '10.0.0.9:9092,10.0.0.10:9092'}",
    )

    bootstrap: str = Field(description="Some of its brokers: host:port, separated by commas.")
    user: str = Field("", description="User (SASL); empty: without.")
    password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the password is proven (SASL)."
    )
    tls: bool = Field(False, description="Whether the brokers speak TLS.")
    ca_file: str = Field("", description="Certificates to trust with TLS; empty: those of the system.")
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

    @field_validator("bootstrap")
    @classmethod
    def _brokers(cls, value: str) -> str:
        hosts_of(value)
        return value

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """The brokers of `bootstrap`, as (host, port)."""
        return hosts_of(self.bootstrap)


def hosts_of(bootstrap: str) -> list[tuple[str, int]]:
    """Return (host, port) of each broker; without a port it is 9092. Raises ValueError."""
    found = []
    for part in filter(None, (part.strip() for part in bootstrap.split(","))):
        match = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:]+)\]|(?P<host>[^\s:/@\[\]]+))(?::(?P<port>\d{1,5}))?", part)
        port = int(match["port"] or DEFAULT_PORT) if match else 0
        if match is None or not 0 < port < 65_536:
            raise ValueError("must be host:port, several separated by commas")
        found.append((match["six"] or match["host"], port))
    if not found:
        raise ValueError("must name a broker: host:port")
    return found
