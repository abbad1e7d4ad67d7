"""A job that tells us of itself: a downloader, a cron job, a back-up."""

from __future__ import annotations

from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from core.cron import check_cron
from core.kinds.base import MarketName, Source

SHORTEST_TOKEN = 8


class HeartbeatSource(Source):
    """A job that pings when it starts, succeeds or fails; its silence is what goes wrong."""

    KIND: ClassVar[str] = "heartbeat"
    TITLE: ClassVar[str] = "Heartbeat"
    WATCHES: ClassVar[str] = "Jobs that ping: downloaders, cron jobs."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  heartbeat:",
        "    - {name: nightly-bars, token: 'a-secret-of-its-own', schedule: '30 18 * * mon-fri', expected_rows: 4000}",
    )

    token: SecretStr = Field(description="Secret that its pings carry: ?token=… or Authorization: Bearer.")
    period_seconds: float = Field(86_400, gt=0, description="A success is expected this often, without a schedule.")
    schedule: str = Field(
        "", description="When it is expected to end, as a cron line (as crontab reads it); wins over the period."
    )
    timezone: str = Field("UTC", description="Time zone of the schedule, and of the days of the calendar.")
    calendar: MarketName = Field("", description="Market whose sessions are the only days it is expected on: XNYS.")
    grace_seconds: float = Field(600, ge=0, description="Late for longer than this: down.")
    longest_seconds: float | None = Field(None, gt=0, description="Running for longer than this: down.")
    expected_rows: int | None = Field(None, ge=0, description="A success with fewer rows is a warning; none critical.")

    @field_validator("token")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"must have at least {SHORTEST_TOKEN} characters")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be a time zone such as America/New_York") from None
        return value

    @model_validator(mode="after")
    def _is_cron(self) -> Self:
        if self.schedule:
            try:
                check_cron(self.schedule, self.timezone)
            except ValueError as error:
                raise ValueError(f"schedule must be a cron line such as '30 18 * * mon-fri': {error}") from error
        return self
