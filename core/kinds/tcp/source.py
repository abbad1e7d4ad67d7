"""A watched TCP port."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from core.addresses import host_and_port
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
    send: str = Field("", description="Text that is sent before an answer is expected: PING\\r\\n.")
    expects: str = Field(
        "", description="Text that must come from it, as greeting or answer; empty: the kernel's accept is enough."
    )

    @model_validator(mode="after")
    def _is_answered(self) -> Self:
        if self.send and not self.expects:
            raise ValueError("send needs expects: what is sent says nothing unless the answer is looked at")
        return self

    @property
    def target(self) -> str:
        """Host and port."""
        return host_and_port(self.host, self.port)
