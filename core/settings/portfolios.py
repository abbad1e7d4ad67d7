"""Portfolios that the settings file sets: what stands there counts, and is read-only on the page."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from core.currency import unknown_currency
from core.group import Group
from core.portfolios import RULES, Rule

EXAMPLE = (
    "portfolios:",
    "  - {id: fund, name: Global fund, currency: USD}",
    "  - {id: macro, parent: fund, strategy: global macro, benchmark: SPX, inception: 2020-01-02}",
)


def _as_text(value: object) -> object:
    """YAML makes days and numbers of what is a text here."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int | float) else value


def _checked(rule: Rule) -> AfterValidator:
    def check(value: str | None) -> str | None:
        if value is None:
            return None
        given = value.strip()
        give = rule.give(given) or (unknown_currency(given) if rule.name == "currency" else "")
        if give:
            raise ValueError(give)
        return given

    return AfterValidator(check)


class PortfolioBase(Group):
    """A portfolio in the settings file. A field that is not given there is left to the page."""

    id: Annotated[str, BeforeValidator(_as_text)] = Field(
        min_length=1, max_length=64, description="What files call it; made at the start when there is none of this id."
    )

    def given(self) -> dict[str, str]:
        """Return the fields that are given, as texts."""
        found = {rule.name: getattr(self, rule.name) for rule in RULES}
        return {name: value for name, value in found.items() if value is not None}


if TYPE_CHECKING:
    SetPortfolio = PortfolioBase
else:
    _FIELDS: dict[str, Any] = {
        rule.name: (
            Annotated[str | None, BeforeValidator(_as_text), _checked(rule)],
            Field(None, description=rule.hint),
        )
        for rule in RULES
    }
    SetPortfolio = create_model("SetPortfolio", __base__=PortfolioBase, **_FIELDS)
