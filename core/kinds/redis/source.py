"""A watched Redis or Valkey."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import Source, checked_url


class RedisSource(Source):
    """A Redis or Valkey server."""

    KIND: ClassVar[str] = "redis"
    TITLE: ClassVar[str] = "Redis"
    WATCHES: ClassVar[str] = "Redis and Valkey servers."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  redis:",
        "    - {name: main, url: 'redis://monitor:password@10.0.0.9:6379'}",
    )

    url: SecretStr = Field(description="redis(s)://user:password@host:port or unix:///path.")
    ca_file: str = Field("", description="Certificates to trust with rediss://; empty: those of the system.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "redis", "rediss", "unix")
