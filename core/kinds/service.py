"""What the settings of everything that is checked from outside have in common: HTTP, TCP, process, unit, exporter."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from core.group import Seconds
from core.kinds.base import Source
from core.kinds.service_spec import CERTIFICATE_CRITICAL_DAYS, CERTIFICATE_WARNING_DAYS, certificate_limit
from core.limits import Limit


class ServiceSource(Source):
    """A service that is up or down."""

    interval_seconds: Seconds = Field(30, description="Seconds between checks.")
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(5, description="Longest time a check may take.")
    group: str = Field("", max_length=64, description="Name of the group that it stands in.")
    retries: int = Field(
        1, ge=0, le=20, description="Failed checks in a row that are a warning; the next counts as down."
    )
    upside_down: bool = Field(False, description="Reachable is bad: for what must not answer.")
    paused: bool = Field(False, description="Not checked.")
    slow_seconds: float | None = Field(None, gt=0, description="An answer that takes this long is a warning.")

    @property
    @abstractmethod
    def target(self) -> str:
        """What is checked, fit to be shown."""


class CertifiedSource(ServiceSource):
    """A service that may show a certificate."""

    certificate_warning_days: float = Field(
        CERTIFICATE_WARNING_DAYS, ge=0, description="Days before a certificate of its chain ends: warning."
    )
    certificate_critical_days: float = Field(
        CERTIFICATE_CRITICAL_DAYS, ge=0, description="Days before a certificate of its chain ends: critical."
    )

    @property
    def certificate_limit(self) -> Limit:
        """The limit of the seconds left until its certificate ends."""
        return certificate_limit(self.certificate_warning_days, self.certificate_critical_days)
