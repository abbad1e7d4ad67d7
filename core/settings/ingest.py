"""What programs may send."""

from __future__ import annotations

from pydantic import Field

from core.group import Group


class Ingest(Group):
    """What programs may send."""

    most_bytes: int = Field(
        67_108_864, ge=65_536, le=1_073_741_824, description="Most bytes of a batch as it is sent, packed or not."
    )
    most_unpacked_bytes: int = Field(
        268_435_456, ge=65_536, le=4_294_967_296, description="Most bytes of a batch when it is unpacked."
    )
    most_rows: int = Field(200_000, ge=1, le=5_000_000, description="Most rows of a batch.")
    create_portfolios: bool = Field(False, description="Whether portfolios that a batch names are made.")
    keep_answers_seconds: float = Field(
        86_400, ge=60, le=2_592_000, description="So long an Idempotency-Key gets the answer that it got first."
    )
