"""When trading may go on: the limits of portfolios."""

from __future__ import annotations

from pydantic import Field

from core.group import Group, Ratio


class Readiness(Group):
    """When trading may go on."""

    drawdown_limit_ratio: Ratio = Field(0.15, description="Drawdown of a portfolio from which on it is not safe.")

    def drawdown_limit_of(self, _portfolio: str) -> float:
        """Return the drawdown, as a share, from which on the portfolio of an id is not safe."""
        return self.drawdown_limit_ratio
