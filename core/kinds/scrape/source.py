"""A watched exporter: anything that serves metrics in Prometheus' text format."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import checked_pattern, checked_url, masked
from core.kinds.service import ServiceSource


class ScrapeSource(ServiceSource):
    """An exporter whose metrics become ours."""

    KIND: ClassVar[str] = "scrape"
    TITLE: ClassVar[str] = "Exporter"
    WATCHES: ClassVar[str] = "Exporters of metrics in Prometheus' format."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  scrape:",
        "    - {name: node, url: 'http://10.0.0.5:9100/metrics', only: '^node_(load|filesystem)'}",
    )

    url: SecretStr = Field(description="Where it serves them: http(s)://user:password@host:port/metrics.")
    token: SecretStr = Field(SecretStr(""), description="Sent as Authorization: Bearer; empty: none.")
    ca_file: str = Field("", description="Certificates to trust with https://; empty: those of the system.")
    only: str = Field("", description="Regular expression of the metrics to take; empty: all.")
    series_limit: int = Field(
        5_000, ge=1, le=20_000, description="Most series taken; those above are left out, which is a warning."
    )
    buckets: bool = Field(False, description="Take the buckets of histograms too.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "http", "https")

    @field_validator("only")
    @classmethod
    def _pattern(cls, value: str) -> str:
        return checked_pattern(value)

    @property
    def target(self) -> str:
        """The address, without secrets."""
        return masked(self.url)
