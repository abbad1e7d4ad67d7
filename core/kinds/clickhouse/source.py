"""A watched ClickHouse."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import Source, checked_url

QUERY_LOG = "system.query_log"
"""The table that a server logs its queries in by default."""


class ClickHouseSource(Source):
    """A ClickHouse server, 22.8 or newer, over its HTTP interface."""

    KIND: ClassVar[str] = "clickhouse"
    TITLE: ClassVar[str] = "ClickHouse"
    WATCHES: ClassVar[str] = "ClickHouse servers."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  clickhouse:",
        "    - {name: main, url: 'http://monitor:password@10.0.0.8:8123'}",
    )

    url: SecretStr = Field(description="http(s)://user:password@host:8123.")
    ca_file: str = Field("", description="Certificates to trust with https://; empty: those of the system.")
    query_log: str = Field(
        QUERY_LOG,
        pattern=r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+$",
        description="Table that the server logs its queries in.",
    )
    mask_literals: bool = Field(
        True, description="Whether ? stands for strings and numbers in the text of queries: they may be confidential."
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "http", "https")


class OwnEngine(Source):
    """The ClickHouse inside this process; made from the settings of Fundwatch itself, never by hand."""

    KIND: ClassVar[str] = ClickHouseSource.KIND
    TITLE: ClassVar[str] = ClickHouseSource.TITLE
    EXAMPLE: ClassVar[tuple[str, ...]] = ()

    url: str = Field(description="chdb:///folder.")
    database: str = Field(description="Where our own query log is kept, in the table `queries`.")
    mask_literals: bool = Field(True, description="Whether ? stands for strings and numbers in the text of queries.")
