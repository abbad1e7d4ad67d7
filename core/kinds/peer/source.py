"""A watched peer on the network: a broker, an exchange, a vendor, another site."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.addresses import host_and_port
from core.group import Ratio, Seconds
from core.kinds.peer.spec import CONNECTIONS_KEPT, LOSS_CRITICAL, LOSS_WARNING, PROBES
from core.kinds.service import ServiceSource
from core.limits import Limit

LOST = f"Share of the last {CONNECTIONS_KEPT} connections that were lost"


class PeerSource(ServiceSource):
    """A peer: latency and loss, by the time that TCP connections take."""

    KIND: ClassVar[str] = "peer"
    TITLE: ClassVar[str] = "Peer"
    WATCHES: ClassVar[str] = "Peers on the network: latency and loss."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  peer:",
        "    - {name: ny4, host: gateway.ny4.example, port: 443}",
    )

    interval_seconds: Seconds = Field(10, description="Seconds between readings.")
    host: str = Field(min_length=1, description="Name or address.")
    port: int = Field(ge=1, le=65_535, description="Port; one that refuses answers as well as one that accepts.")
    probes: int = Field(PROBES, ge=1, le=10, description="Connections of each reading, one after another.")
    loss_warning_ratio: Ratio = Field(LOSS_WARNING, description=f"{LOST}: warning from here.")
    loss_critical_ratio: Ratio = Field(LOSS_CRITICAL, description=f"{LOST}: critical from here.")

    @property
    def loss_limit(self) -> Limit:
        """The limit of the share of connections that were lost."""
        return Limit(self.loss_warning_ratio, self.loss_critical_ratio)

    @property
    def target(self) -> str:
        """Host and port."""
        return host_and_port(self.host, self.port)
