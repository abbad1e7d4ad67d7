"""How long somebody stays signed in, and how often he may ask."""

from __future__ import annotations

from pydantic import Field

from core.group import Group


class Sessions(Group):
    """How long somebody stays signed in."""

    idle_seconds: float = Field(
        43_200, ge=60, le=604_800, description="A session that was not used for this long is over."
    )
    longest_days: int = Field(
        7, ge=1, le=90, description="Days after the sign-in when a session is over, however much it is used."
    )

    @property
    def longest_seconds(self) -> float:
        """Seconds after the sign-in when a session is over."""
        return self.longest_days * 86_400.0


class RateLimits(Group):
    """How often somebody may ask."""

    sign_in_per_minute: int = Field(
        60, ge=5, le=100_000, description="Attempts to sign in that one address may make in a minute."
    )
    api_per_minute: int = Field(
        6_000, ge=60, le=100_000_000, description="Requests to the API that one token, or person, may make in a minute."
    )
