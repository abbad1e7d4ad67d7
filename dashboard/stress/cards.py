"""The figures above the tables of stress: the worst of each kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dash import html

from core import format as text
from dashboard.components.card import card
from dashboard.holdings.tables import tone
from portfolio.stress import LENGTHS, Moved, Outcome, Stressed, worst

ID = "stress"


def strip(
    found: Stressed, stated: Sequence[Outcome], windows: Sequence[Outcome], own: Sequence[Outcome],
    moved: Sequence[Moved], how: str,
) -> list[html.Article]:  # fmt: skip
    """Return the cards; how: the method of VaR, its level and horizon, and the days it is of."""
    lengths = [
        _card(
            found, f"past-{length}", "Worst day" if length == 1 else f"Worst {text.count(length, 'day')}",
            worst([each for each in windows if each.id.startswith(f"window:{length}:")]),
            "What today's book would have lost on the worst days in a row of the loaded prices",
        )
        for length in LENGTHS
    ]  # fmt: skip
    return [
        _card(
            found, "worst-stated", "Worst stated shock", worst(stated), "Of the shocks below, the one that loses most"
        ),
        *lengths,
        *([_card(found, "worst-own", "Worst own scenario", worst(own), "Of the scenarios kept")] if own else []),
        *[
            card(f"{ID}-moved-{number}", f"VaR, {each.name[:1].lower()}{each.name[1:]}",
                 text.money(each.risk.value_at_risk), found.book.found.portfolio.currency,
                 why=f"{text.percent(_over(each.risk.value_at_risk, found.book.found.nav))} of NAV · {how}",
                 definition="The VaR that Risk shows by this method, and with returns moved")
            for number, each in enumerate(moved) if number in (0, 1, 2)
        ],
    ]  # fmt: skip


def _card(found: Stressed, id: str, title: str, outcome: Outcome | None, meaning: str) -> html.Article:
    lost = outcome.total if outcome is not None else math.nan
    whole = found.book.found
    share = text.percent(_over(lost, whole.nav), signed=True)
    return card(
        f"{ID}-{id}", title, text.money(lost, signed=True), whole.portfolio.currency, tone=tone(lost),
        why=f"{share} · {outcome.name}" if outcome is not None else "none is known", definition=meaning,
    )  # fmt: skip


def _over(value: float, nav: float) -> float:
    return value / nav if nav > 0 else math.nan
