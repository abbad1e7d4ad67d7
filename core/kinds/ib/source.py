"""A watched Interactive Brokers gateway: IB Gateway or Trader Workstation (TWS)."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from core.group import Seconds
from core.kinds.base import MarketName, Source

WINDOW = re.compile(r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(\d\d:\d\d)-(\d\d:\d\d) (\S+)")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class IbSource(Source):
    """A gateway to Interactive Brokers."""

    KIND: ClassVar[str] = "ib"
    TITLE: ClassVar[str] = "Interactive Brokers"
    WATCHES: ClassVar[str] = "Interactive Brokers: IB Gateway or TWS."
    EXAMPLE: ClassVar[tuple[str, ...]] = ("watch:", "  ib:", "    - {name: live, host: 127.0.0.1, port: 4001}")

    interval_seconds: Seconds = Field(10, description="Seconds between readings.")
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(4, description="Longest time a reading may take.")
    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the gateway.")
    port: int = Field(4001, ge=1, le=65_535, description="Gateway: 4001 live, 4002 paper. TWS: 7496 live, 7497 paper.")
    client_id: int = Field(9_300, ge=0, le=2**31 - 1, description="Client id of Fundwatch; nobody else may use it.")
    tls: bool = Field(False, description="The gateway's API uses SSL.")
    ca_file: str = Field("", description="Certificates to trust with tls; empty: those of the system.")
    expects: Literal["", "live", "paper"] = Field("", description="Kind of account that it must be logged in to.")
    calendar: MarketName = Field("XNYS", description="Market in whose hours a broken data farm is critical.")
    reset_windows: tuple[str, ...] = Field(
        ("00:15-01:45 America/New_York", "Fri 23:00-03:00 America/New_York"),
        description="Interactive Brokers' own resets, in which a lost connection is a warning only.",
    )

    @field_validator("reset_windows")
    @classmethod
    def _windows(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            window_of(text)
        return value


def window_of(text: str) -> tuple[int | None, time, time, ZoneInfo]:
    """Return day (0 Monday; None every day), begin, end and zone of a reset window. Raises ValueError."""
    found = WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no reset window: write “00:15-01:45 America/New_York”, or a day (Fri) before it")
    day, start, end, zone = found.groups()
    try:
        return DAYS.index(day) if day else None, time.fromisoformat(start), time.fromisoformat(end), ZoneInfo(zone)
    except (ValueError, LookupError, OSError) as error:
        raise ValueError(f"{text!r} is no reset window: {error}") from error
