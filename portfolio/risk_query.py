"""What is asked of the risk of a book, whoever asks: a page or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.format import count
from portfolio.instrument_returns import HISTORIES, History
from portfolio.query import one_of

Method = Literal["historical", "parametric", "cornish_fisher"]
METHODS: Mapping[Method, str] = {
    "historical": "Historical", "parametric": "Parametric", "cornish_fisher": "Cornish-Fisher",
}  # fmt: skip
LEVELS: Mapping[str, float] = {"95": 0.95, "99": 0.99}
HORIZONS: Mapping[str, int] = {"1": 1, "10": 10}
DEFAULT_HISTORY: History = "2y"
MOST_FACTORS = 6
FIELDS = ("level", "horizon", "method", "history", "factors")


@dataclass(frozen=True, slots=True)
class RiskQuery:
    """How risk is measured."""

    level: float = 0.95
    """Of VaR and expected shortfall, a ratio."""
    horizon: int = 1
    """Days."""
    method: Method = "historical"
    history: History = DEFAULT_HISTORY
    factors: tuple[str, ...] = ()
    """Keys of series that explain the book; none: principal components do."""

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> tuple[RiskQuery, tuple[str, ...]]:
        """Return the query of texts by name (FIELDS), the default wherever one cannot be read, and what could not."""
        level, bad_level = one_of("Level", [*LEVELS], texts.get("level", ""), "95")
        horizon, bad_horizon = one_of("Horizon", [*HORIZONS], texts.get("horizon", ""), "1")
        method, bad_method = one_of("Method", [*METHODS], texts.get("method", ""), "historical")
        history, bad_history = one_of("History", [*HISTORIES], texts.get("history", ""), DEFAULT_HISTORY)
        named = tuple(dict.fromkeys(each.strip() for each in texts.get("factors", "").split(",") if each.strip()))
        too_many = f"Factors: {MOST_FACTORS} at most; the first are used." if len(named) > MOST_FACTORS else ""
        query = cls(LEVELS[level], HORIZONS[horizon], method, history, named[:MOST_FACTORS])
        problems = (bad_level, bad_horizon, bad_method, bad_history, too_many)
        return query, tuple(each for each in problems if each)

    @property
    def level_name(self) -> str:
        """Return the level as people write it: "95 %"."""
        return f"{100 * self.level:.4g} %"

    @property
    def horizon_name(self) -> str:
        """Return the horizon in words: "1 day"."""
        return count(self.horizon, "day")
