"""Queries on other databases whose rows are taken in: where, what kind of rows, and which column tells the new ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from core.group import Group, Seconds
from core.ingest.kinds import KINDS
from core.kinds.base import Name, checked_url

PREFIX = "pull-"
"""What the names of their collectors begin with."""
EXAMPLE = (
    "pull:",
    "  - {name: fills, kind: trades, url: 'postgresql://reader:password@10.0.0.7:5432/oms',",
    "     query: 'SELECT id, fund AS portfolio, exec_id AS trade_id, ts, symbol AS instrument, side, quantity, price",
    "     FROM oms.fills', mark: id}",
)


class Pull(Group):
    """A query that is asked again and again for the rows that came since."""

    name: Name = Field(description="What it is called on the Pipeline tab.")
    kind: Literal[tuple(KINDS)] = Field(description="Of the rows; the page /api/docs has the columns of each.")  # type: ignore[valid-type]
    url: SecretStr = Field(description="postgresql://user:password@host:port/database, or http(s)://… of a ClickHouse.")
    ca_file: str = Field("", description="Certificates to trust: asks for TLS and verifies host and certificate.")
    query: str = Field(
        min_length=8, max_length=20_000,
        description="SELECT of the columns of the kind, and of the mark; tables with their schema.",
    )  # fmt: skip
    mark: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="Column of the query that is higher in every new row: a whole number, or a time as text.",
    )
    again: Annotated[float, Field(ge=0, le=1e12)] = Field(
        0, description="How far below the highest mark it reads again, in its unit or seconds: for rows that come late."
    )
    interval_seconds: Seconds = Field(60, description="Seconds between two looks.")
    timeout_seconds: Annotated[float, Field(ge=1, le=30)] = Field(20, description="Longest time a query may take.")
    batch_rows: int = Field(10_000, ge=10, le=200_000, description="Rows that are read and stored at once.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "postgresql", "postgres", "http", "https")

    @field_validator("query")
    @classmethod
    def _is_one_query(cls, value: str) -> str:
        query = value.strip().rstrip(";").strip()
        if not query.upper().startswith(("SELECT", "WITH")):
            raise ValueError("must begin with SELECT or WITH")
        return query

    @property
    def collector(self) -> str:
        """Name of what runs it: "pull-fills"."""
        return f"{PREFIX}{self.name}"
