"""A watched PostgreSQL."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import Source, checked_url


class PostgresqlSource(Source):
    """A PostgreSQL server, 13 or newer, seen from one of its databases."""

    KIND: ClassVar[str] = "postgresql"
    TITLE: ClassVar[str] = "PostgreSQL"
    WATCHES: ClassVar[str] = "PostgreSQL servers, 13 and newer."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  postgresql:",
        "    - {name: main, url: 'postgresql://monitor:password@10.0.0.7:5432/trading'}",
    )

    url: SecretStr = Field(
        description="postgresql://user:password@host:port/database; ?sslmode=require or verify-full for TLS."
    )
    ca_file: str = Field("", description="Certificates to trust: asks for TLS and verifies host and certificate.")
    mask_literals: bool = Field(
        True, description="Whether ? stands for strings and numbers in the text of queries: they may be confidential."
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "postgresql", "postgres")
