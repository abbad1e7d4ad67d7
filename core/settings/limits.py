"""Limits of portfolios that stand in the settings; more can be set on the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from core.alerts.severity import Severity
from core.errors import ChangeRejected
from core.group import Group, Ratio
from core.portfolio_limits.limit import (
    AT_LEAST,
    AT_MOST,
    EVERY,
    EVERY_IN_SETTINGS,
    PortfolioLimit,
    read_limit,
    settings_id,
)

EXAMPLE = (
    "limits:",
    "  portfolios:",
    "    - {portfolio: macro, figure: drawdown, at_most: 10 %}",
    "    - {portfolio: fund, figure: position, at_most: 5 %, below: true, severity: warning}",
    "    - {portfolio: fund, figure: net, at_least: -20 %, note: 'prospectus, 4.2'}",
    "    - {portfolio: fund, figure: restricted, of: [XYZ, ABC], below: true}",
)


def _as_text(value: object) -> object:
    """YAML makes numbers of what is a text here."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_list(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


Amount = Annotated[str, BeforeValidator(_as_text)]
FIELDS = {"value": "at_most", "operator": "at_most", "warn": "warn_ratio"}
"""What is called otherwise here than in a form."""


class SetLimit(Group):
    """A limit of a portfolio."""

    portfolio: str = Field(
        EVERY_IN_SETTINGS, min_length=1, max_length=64, description="Its id; *: each that has none of its own."
    )
    figure: str = Field(description="What is limited: limits.md lists them.")
    at_most: Amount = Field("", description="Upper limit with its unit, such as 10 %, 5 M, 1.5 x or 3 d.")
    at_least: Amount = Field("", description="Instead of it a lower limit.")
    of: Annotated[tuple[Amount, ...], BeforeValidator(_as_list)] = Field(
        (), description="The instrument or group that it is on, or a restricted list; empty: the largest counts."
    )
    below: bool = Field(False, description="Whether each portfolio below it is limited in the same way.")
    warn_ratio: Ratio = Field(0.8, description="Use of the limit from which on it warns.")
    severity: str = Field("critical", description="How much a breach matters: info, warning, critical, urgent.")
    note: str = Field("", description="Where it comes from.")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.at_most and self.at_least:
            raise ValueError("has at_most and at_least: write a limit for each")
        try:
            self.limit()
        except ChangeRejected as error:
            raise ValueError("; ".join(f"{self._called(name)}: {why}" for name, why in error.fields.items())) from error
        return self

    def limit(self) -> PortfolioLimit:
        """Return it. Raises ChangeRejected that names each field that cannot be."""
        given: dict[str, Any] = {
            "portfolio": EVERY if self.portfolio == EVERY_IN_SETTINGS else self.portfolio,
            "figure": self.figure, "value": self.at_least or self.at_most,
            "operator": AT_LEAST if self.at_least else AT_MOST, "of": ",".join(self.of),
            "below": "on" if self.below else "", "severity": self.severity, "note": self.note,
        }  # fmt: skip
        found = replace(read_limit(given), warn_ratio=self.warn_ratio)
        return replace(found, id=settings_id(found))

    def _called(self, name: str) -> str:
        return "at_least" if name == "value" and self.at_least else FIELDS.get(name, name)


class SetLimits(Group):
    """Limits of portfolios."""

    drawdown_ratio: Ratio = Field(0.15, description="Drawdown of a portfolio without a limit of its own on that.")
    daily_loss_ratio: Ratio = Field(0.05, description="Loss of a day of a portfolio without a limit of its own on it.")
    portfolios: tuple[SetLimit, ...] = Field(
        (), description="Limits of single portfolios, beside those that are set on the page."
    )

    @model_validator(mode="after")
    def _are_told_apart(self) -> Self:
        ids = Counter(each.id for each in self.limits())
        twice = next((each for each in self.limits() if ids[each.id] > 1), None)
        if twice is None:
            return self
        if twice.portfolio == EVERY and twice.figure in ("drawdown", "daily_loss"):
            raise ValueError(f"the limit on {twice.figure} of every portfolio is limits.{twice.figure}_ratio: set that")
        raise ValueError(f"two limits are on {twice.figure} of {twice.portfolio or 'every portfolio'}: give one")

    def limits(self) -> tuple[PortfolioLimit, ...]:
        """Return every limit, first those of all portfolios."""
        loss, fall = (
            PortfolioLimit("daily_loss", self.daily_loss_ratio, severity=Severity.URGENT),
            PortfolioLimit("drawdown", self.drawdown_ratio),
        )
        general = [replace(each, id=settings_id(each)) for each in (loss, fall)]
        return (*general, *(each.limit() for each in self.portfolios))
