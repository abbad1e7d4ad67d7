"""A watched IQFeed: DTN's IQConnect on this or another machine."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from core.group import Seconds
from core.kinds.base import MarketName, Source
from core.kinds.iqfeed.spec import PORTS_SECONDS

Port = Annotated[int, Field(ge=0, le=65_535)]


class IqfeedSource(Source):
    """An IQConnect, watched over its admin port."""

    KIND: ClassVar[str] = "iqfeed"
    TITLE: ClassVar[str] = "IQFeed"
    WATCHES: ClassVar[str] = "IQFeed: DTN's IQConnect."
    EXAMPLE: ClassVar[tuple[str, ...]] = ("watch:", "  iqfeed:", "    - {name: main, host: 127.0.0.1, calendar: XNYS}")

    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the machine of IQConnect.")
    admin_port: int = Field(9300, ge=1, le=65_535, description="Admin port.")
    level1_port: Port = Field(5009, description="Level 1 port; 0: not checked.")
    lookup_port: Port = Field(9100, description="Lookup (history) port; 0: not checked.")
    level2_port: Port = Field(9200, description="Level 2 port; 0: not checked.")
    derivative_port: Port = Field(9400, description="Derivative (interval bars) port; 0: not checked.")
    ports_seconds: Seconds = Field(PORTS_SECONDS, description="Seconds between checks of each of the other ports.")
    calendar: MarketName = Field("XNYS", description="Market whose hours expect updates: XNYS, CMES, 24/7 …")

    @property
    def ports(self) -> dict[str, int]:
        """The ports beside the admin port that are checked, by name."""
        ports = {
            "Level 1": self.level1_port,
            "lookup": self.lookup_port,
            "Level 2": self.level2_port,
            "derivative": self.derivative_port,
        }
        return {name: port for name, port in ports.items() if port}
