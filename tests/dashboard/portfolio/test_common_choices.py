"""Pages of a portfolio ask for the same thing in the same way, and know it from each other's address."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.portfolio.common_choices import chosen_group
from dashboard.tabs import (
    attribution,
    execution,
    exposure,
    holdings,
    portfolio,
    reconcile,
    risk,
    stress,
    trades,
    what_if,
)
from dashboard.views.tab import Choices, Page
from portfolio.holdings import GROUPS
from storage.stores import Stores
from tests.support.views import OPERATOR

GROUPED = (holdings.PAGE, exposure.PAGE, risk.PAGE, stress.PAGE, attribution.PAGE)
DATED = (*GROUPED, portfolio.TAB, what_if.PAGE, trades.PAGE, execution.PAGE, reconcile.PAGE)


def control(stores: Stores, page: Page, name: str, choices: dict[str, str]) -> Any:
    """Return the control of a choice on a page, and the label that it stands in."""
    layout = page.layout(stores, Choices.of(choices), OPERATOR)
    for part in layout._traverse():
        for each in getattr(part, "children", None) or [] if type(part).__name__ == "Label" else []:
            if isinstance(getattr(each, "id", None), dict) and each.id.get("name") == name:
                return part, each
    raise AssertionError(f"{page.title} has no choice {name}")


@pytest.mark.parametrize("page", DATED, ids=lambda page: page.id)
def test_the_day_is_asked_for_alike_and_stays(stores: Stores, page: Page) -> None:
    label, box = control(stores, page, "asof", {"asof": "2024-01-02"})
    assert label.children[0].children == "As of"
    assert label.title == "Last day (UTC) that counts; empty for the newest"
    assert box.value == "2024-01-02"


@pytest.mark.parametrize("page", GROUPED, ids=lambda page: page.id)
@pytest.mark.parametrize(("asked", "shown"), [("", "sector"), ("portfolio", "portfolio"), ("nonsense", "sector")])
def test_the_groups_are_the_same_everywhere(stores: Stores, page: Page, asked: str, shown: str) -> None:
    choices = {"group": asked} if asked else {}
    label, box = control(stores, page, "group", choices)
    assert label.children[0].children == "Grouped by"
    assert {each["value"]: each["label"] for each in box.options} == dict(GROUPS)
    assert box.value == chosen_group(Choices.of(choices)) == shown
