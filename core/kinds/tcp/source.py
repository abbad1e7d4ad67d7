"""A watched TCP port."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.kinds.service import CertifiedSource


class TcpSource(CertifiedSource):
    """A TCP port: whether it accepts connections, how fast, and what it greets with."""

    KIND: ClassVar[str] = "tcp"
    TITLE: ClassVar[str] = "TCP"
    WATCHES: ClassVar[str] = "TCP ports."
    EXAMPLE: ClassVar[tuple[str, ...]] = ("watch:", "  tcp:", "    - {name: fix-gateway, host: 10.0.0.4, port: 9878}")

    host: str = Field(min_length=1, description="Name or address.")
    port: int = Field(ge=1, le=65_535, description="Port.")
    tls: bool = Field(False, description="Shake hands by TLS, and watch the certificate.")
    ca_file: str = Field("", description="Certificates to trust; empty: those of the system.")
    expects: str = Field("", description="Text that it must greet with; empty: none.")

    @property
    def target(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
