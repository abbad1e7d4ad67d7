"""How alerting works, beside its rules and channels."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator

from core.alerts.causes import RESTS_ON, RestsOn
from core.alerts.inhibition import ALWAYS, Inhibition, read_inhibition
from core.group import Days, Group


def _named(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if any(not name.strip() for each in value.items() for name in (each[0], *each[1])):
        raise ValueError("a component without a name; give its name as the page shows it, such as Redis main")
    return value


def _understood(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        read_inhibition(each)
    return value


class Alerts(Group):
    """How alerting works."""

    enabled: bool = Field(True, description="Whether rules of alerts are evaluated, where this process collects.")
    keep_days: Days = Field(365, description="Days that alerts which are over are kept in the state database.")
    statement_seconds: float = Field(
        2,
        ge=0.1,
        le=60,
        description="Longest time that statements of a kind, for all rules together, may take in ClickHouse. What "
        "takes longer has failed for the rules that need it; a tick does not wait for more.",
    )
    rests_on: Annotated[dict[str, tuple[str, ...]], AfterValidator(_named)] = Field(
        {},
        description="What each component rests on, as {'Kafka *': [Network]}: while that fires and is critical, or "
        "matters as much, it alone is told. Freshness rests on IQFeed, IQFeed and Interactive Brokers on Network, "
        "unless named here.",
    )
    inhibit: Annotated[tuple[str, ...], AfterValidator(_understood)] = Field(
        (), description='Which alerts hide others, as {severity="critical"} hides {severity="warning"} by host, rule.'
    )
    message_links: bool = Field(
        True,
        description="Whether messages carry links by which who gets them acknowledges or snoozes, without signing in.",
    )
    message_link_seconds: float = Field(
        86_400, ge=300, le=2_592_000, description="For how long such a link works after its message was made."
    )
    watchdog_url: SecretStr = Field(
        SecretStr(""),
        description="Address that is called as long as alerting works: a service outside tells you when the calls end.",
    )
    watchdog_seconds: float = Field(60, ge=10, le=3_600, description="Seconds between two calls.")

    @property
    def all_rests_on(self) -> RestsOn:
        """What each component rests on: as it is set, and as it is without a setting."""
        return {**RESTS_ON, **self.rests_on}

    @property
    def inhibitions(self) -> tuple[Inhibition, ...]:
        """Which alerts hide others: as it always is, and as it is set."""
        return (*ALWAYS, *map(read_inhibition, self.inhibit))

    @field_validator("watchdog_url")
    @classmethod
    def _is_address(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value.get_secret_value() and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError("give an address that begins with https:// or http://")
        return value
