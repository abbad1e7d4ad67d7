"""How the brokers of a Kafka cluster are reached: addresses, sign-in, encryption. Of whatever speaks with one."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from core.group import Group

DEFAULT_PORT = 9092


class Brokers(Group):
    """Brokers, and how one signs in with them."""

    bootstrap: str = Field(description="Some of the brokers: host:port, separated by commas.")
    user: str = Field("", description="User (SASL); empty: without.")
    password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the password is proven (SASL)."
    )
    tls: bool = Field(False, description="Whether the brokers speak TLS.")
    ca_file: str = Field("", description="Certificates to trust with TLS; empty: those of the system.")

    @field_validator("bootstrap")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
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
