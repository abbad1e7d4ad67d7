"""A watched Nginx."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from core.format import percent
from core.kinds.base import checked_url, masked
from core.kinds.nginx.spec import CONNECTIONS
from core.kinds.service import ServiceSource


class NginxSource(ServiceSource):
    """An Nginx with its page stub_status."""

    KIND: ClassVar[str] = "nginx"
    TITLE: ClassVar[str] = "Nginx"
    WATCHES: ClassVar[str] = "Nginx servers."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  nginx:",
        "    - {name: front, url: 'http://10.0.0.2:8080/nginx_status'}",
    )

    url: SecretStr = Field(description="Where stub_status answers: http(s)://user:password@host:port/path.")
    ca_file: str = Field("", description="Certificates to trust with https://; empty: those of the system.")
    connections_limit: int | None = Field(
        None,
        ge=1,
        description=f"worker_processes × worker_connections: warning at {percent(CONNECTIONS.warning)}, "
        f"critical at {percent(CONNECTIONS.critical)}.",
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "http", "https")

    @property
    def target(self) -> str:
        """The address, without secrets."""
        return masked(self.url)
