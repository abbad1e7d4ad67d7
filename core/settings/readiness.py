"""When trading may go on: how long all must be well, what is not checked, and the limits of each portfolio."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from core.group import Group, twice
from core.readiness import EVERY_PORTFOLIO, Checks

EXAMPLE = (
    "readiness:",
    "  portfolios:",
    "    - {portfolio: macro, without: [broker]}",
    "    - {portfolio: crypto, without: [feeds, broker]}",
)


MOVED = ("daily_loss_limit_ratio", "drawdown_limit_ratio")
"""Settings of a portfolio that have another place now."""
OF_LIMITS = ("daily_loss", "drawdown")
"""What were checks of their own: they are limits like others."""


def _known(value: tuple[str, ...]) -> tuple[str, ...]:
    if moved := [each for each in value if each in OF_LIMITS]:
        raise ValueError(f"{moved[0]} is part of the check {Checks.LIMITS} now: write that")
    if unknown := [each for each in value if each not in [*Checks]]:
        raise ValueError(f"{unknown[0]!r} is no check; there are {', '.join(Checks)}")
    if Checks.HALT in value:
        raise ValueError(f"{Checks.HALT} always counts: leave it out of the list")
    return value


Without = Annotated[tuple[str, ...], AfterValidator(_known)]


class ReadinessOfPortfolio(Group):
    """What one portfolio has otherwise than the others."""

    portfolio: str = Field(min_length=1, max_length=64, description="Its id.")
    without: Without = Field((), description="Checks that do not count for it.")

    @model_validator(mode="before")
    @classmethod
    def _limits_have_moved(cls, given: object) -> object:
        moved = [name for name in MOVED if isinstance(given, dict) and name in given]
        if moved:
            raise ValueError(f"{moved[0]} has moved: write a limit of the portfolio under limits.portfolios")
        return given


class Readiness(Group):
    """When trading may go on."""

    steady_seconds: float = Field(
        30, ge=1, le=3_600, description="So long every check must be ready before it is safe again."
    )
    without: Without = Field((), description="Checks that do not count for any portfolio.")
    round_trip_seconds: float = Field(
        10, gt=0, le=60, description="Time to the answer of Interactive Brokers from which on it is not ready."
    )
    tick_age_seconds: float = Field(
        3, ge=2, le=60, description="Age of the last evaluation of alerts from which on they are not evaluated."
    )
    proven_seconds: float = Field(
        86_400, ge=60, le=2_678_400, description="So long a channel counts as proven after it delivered a message."
    )
    positions_metric: str = Field(
        "",
        pattern=r"^$|^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$",
        description="Metric that a program sends: how many positions differ from the broker's. Empty: nobody tells.",
    )
    positions_seconds: float = Field(
        300, ge=10, le=86_400, description="So long a value of positions_metric counts after it was sent."
    )
    portfolios: tuple[ReadinessOfPortfolio, ...] = Field((), description="Portfolios whose checks differ from these.")

    @field_validator("portfolios")
    @classmethod
    def _are_told_apart(cls, value: tuple[ReadinessOfPortfolio, ...]) -> tuple[ReadinessOfPortfolio, ...]:
        if again := twice(each.portfolio for each in value):
            raise ValueError(f"two entries are of the portfolio {', '.join(again)}: give one")
        return value

    def counts(self, check: Checks, portfolio: str = EVERY_PORTFOLIO) -> bool:
        """Return whether a check counts for the portfolio of an id; EVERY_PORTFOLIO: for the whole fund."""
        return check not in self.without and check not in self._of(portfolio).without

    def _of(self, portfolio: str) -> ReadinessOfPortfolio:
        found = next((each for each in self.portfolios if each.portfolio == portfolio), None)
        return found or ReadinessOfPortfolio.model_construct(portfolio=portfolio)
