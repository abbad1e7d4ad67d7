"""A watched HTTP address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from core.kinds.base import checked_url, masked
from core.kinds.service import CertifiedSource


class HttpSource(CertifiedSource):
    """An HTTP or HTTPS address: status, time to answer, content, certificate."""

    KIND: ClassVar[str] = "http"
    TITLE: ClassVar[str] = "HTTP"
    WATCHES: ClassVar[str] = "HTTP and HTTPS addresses."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  http:",
        "    - {name: orders, url: 'https://orders.fund.example/health', json_path: status, json_equals: ok}",
    )

    url: SecretStr = Field(description="http(s)://user:password@host:port/path.")
    method: Literal["GET", "HEAD", "POST"] = Field("GET", description="How it is asked.")
    headers: Mapping[str, SecretStr] = Field({}, description="Headers sent along.")
    body: str = Field("", description="What is sent.")
    statuses: str = Field("200-299", description="Good statuses: 200-299, or 200,204,401.")
    redirects: int = Field(5, ge=0, le=10, description="Redirects that are followed.")
    contains: str = Field("", description="Text that must be in the answer.")
    lacks: str = Field("", description="Text that must not be in the answer.")
    json_path: str = Field("", description="Value in a JSON answer that must be there: status, or checks[0].state.")
    json_equals: str = Field("", description="What that value must be; empty: anything.")
    ca_file: str = Field("", description="Certificates to trust with https://; empty: those of the system.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        return checked_url(value, "http", "https")

    @field_validator("statuses")
    @classmethod
    def _ranges(cls, value: str) -> str:
        if not re.fullmatch(r"\s*\d{3}(-\d{3})?(\s*,\s*\d{3}(-\d{3})?)*\s*", value):
            raise ValueError("must be statuses such as 200-299 or 200,204,401")
        return value

    @property
    def target(self) -> str:
        """The address, without secrets."""
        return masked(self.url)

    def is_good(self, status: int) -> bool:
        """Return whether `status` is among those that are good."""
        for part in self.statuses.split(","):
            low, _, high = part.strip().partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False
