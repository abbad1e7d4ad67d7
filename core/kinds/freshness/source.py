"""How fresh the data of a feed is: the newest rows of a table, against the hours of its market."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.group import Seconds
from core.kinds.base import OWN, MarketName, Source, checked_url
from core.limits import Limit

IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
SCHEMES = ("http", "https", "postgresql", "postgres")


class FreshnessSource(Source):
    """A table that a feed or a downloader writes."""

    KIND: ClassVar[str] = "freshness"
    TITLE: ClassVar[str] = "Freshness"
    WATCHES: ClassVar[str] = "Tables that feeds and downloaders write."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  freshness:",
        "    - {name: us-ticks, url: 'http://reader:pass@10.0.0.6:8123', table: market.ticks, calendar: XNYS}",
    )

    interval_seconds: Seconds = Field(30, description="Seconds between readings.")
    timeout_seconds: float = Field(5, ge=0.1, le=60, description="Longest time a reading may take.")
    url: SecretStr = Field(
        SecretStr(OWN), description="ClickHouse http(s)://user:password@host:port, postgresql://…/database, or own."
    )
    ca_file: str = Field("", description="Certificates to trust with TLS; empty: those of the system.")
    table: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63})?$",
        description="database.table or schema.table.",
    )
    column: str = Field("ts", pattern=IDENTIFIER, description="Column that says when a row is from (UTC).")
    where: str = Field("", description="Rows that count, as an SQL condition; empty: all.")
    symbol: str = Field(
        "", pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,63})?$", description="Column of the instrument, to find stale ones."
    )
    feed: str = Field("", max_length=64, description="Feed that writes it, as it is shown.")
    calendar: MarketName = Field("24/7", description="Market whose hours count: XNYS, XLON, CMES, 24/5, 24/7.")
    warning_seconds: float = Field(60, gt=0, description="Newest row older than this, in open hours: warning.")
    critical_seconds: float = Field(300, gt=0, description="Newest row older than this, in open hours: critical.")
    rows_per_minute: float | None = Field(None, gt=0, description="Fewer rows over five open minutes: a warning.")
    gap_seconds: float | None = Field(None, ge=60, description="A longer gap within the last hour: a warning.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return value if value.get_secret_value() == OWN else checked_url(value, *SCHEMES)

    @property
    def age_limit(self) -> Limit:
        """The limit of the age of the newest row, in seconds of open time."""
        return Limit(self.warning_seconds, self.critical_seconds)

    @property
    def is_postgresql(self) -> bool:
        """Whether the table is in a PostgreSQL; else in a ClickHouse."""
        return self.url.get_secret_value().startswith("postgres")
