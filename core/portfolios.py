"""What can be said of a portfolio, wherever it is said: file, page, command line. A field is a line of RULES."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

MOST_PERIODS = 366
FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly"}
CRYSTALLISATIONS = ("month", "quarter", "halfyear", "year")
"""How often an accrued performance fee is paid."""
PERIODS = {"halfyear": "half-year"}
"""Words for those that are none."""
ACCRUALS: dict[str, str] = {
    "daily": "each day, days / 365",
    "daily_360": "each day, days / 360",
    "month": "each month, in arrears",
    "month_advance": "each month, in advance",
    "quarter": "each quarter, in arrears",
    "quarter_advance": "each quarter, in advance",
}
"""How a management fee is charged."""
FEES = (
    "management_fee", "management_accrual", "performance_fee", "hurdle", "high_water_mark", "crystallisation", "nav_is",
)  # fmt: skip
"""Fields that say what a portfolio's fees are."""
COLOURS = ("1", "2", "3", "4", "5", "6")
"""Series of the charts' colours."""
WEEKDAYS, EVERY_DAY = "weekdays", "7-day"
_CALENDAR = re.compile(r"[A-Za-z0-9/_]{3,24}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_POSITION = 100_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A field of a portfolio: its name, what it is called, and what it means in plain words.

    `give` returns what to give instead of a value that cannot be, empty when it can.
    """

    name: str
    label: str
    hint: str
    give: Callable[[str], str]


def _text(most: int, least: int = 0) -> Callable[[str], str]:
    def give(value: str) -> str:
        # What cannot be printed would hide on a page, and two names that look alike are two.
        if least <= len(value) <= most and value.isprintable():
            return ""
        return f"give {least} to {most} characters, all on one line"

    return give


def _one_of(*allowed: str) -> Callable[[str], str]:
    return lambda value: "" if value in ("", *allowed) else f"give one of {', '.join(allowed)}, or nothing"


def _day(value: str) -> str:
    try:
        is_day = not value or (len(value) == 10 and bool(date.fromisoformat(value)))
    except ValueError:
        is_day = False
    return "" if is_day else "give a day such as 2020-01-31, or nothing"


def _whole(most: int) -> Callable[[str], str]:
    def give(value: str) -> str:
        is_whole = value.isascii() and value.isdigit() and int(value) <= most
        return "" if is_whole else f"give a whole number from 0 to {most:,}"

    return give


def _percent(most: int) -> Callable[[str], str]:
    def give(value: str) -> str:
        if not value or (_PERCENT.fullmatch(value) and float(value) <= most):
            return ""
        return f"give percent from 0 to {most} such as 1.5, or nothing"

    return give


def _currency(value: str) -> str:
    return "" if _CURRENCY.fullmatch(value) else "give three capitals such as USD"


def _calendar(value: str) -> str:
    if value in ("", WEEKDAYS, EVERY_DAY) or _CALENDAR.fullmatch(value):
        return ""
    return f"give {WEEKDAYS}, {EVERY_DAY}, an exchange such as XNYS, or nothing"


RULES: tuple[Rule, ...] = (
    Rule("name", "Name", "What it is called on every page. Files may use its old names too.", _text(120, 1)),
    Rule("parent", "Part of", "The portfolio it is part of.", _text(64)),
    Rule("strategy", "Strategy", "What it does, in your words, such as global macro.", _text(64)),
    Rule("currency", "Currency", "The currency its values are in, such as EUR.", _currency),
    Rule("benchmark", "Benchmark", "What it is measured against.", _text(64)),
    Rule("inception", "Inception", "Its first day. Values before it are left out.", _day),
    Rule("ended", "Ended", "Its last day. Values after it are left out, and it is no longer expected.", _day),
    Rule("frequency", "Rhythm", "How often it is valued: D, W, M or Q.", _one_of(*FREQUENCIES)),
    Rule(
        "calendar",
        "Calendar",
        f"The days on which a value is expected: {WEEKDAYS}, {EVERY_DAY}, or an exchange such as XNYS.",
        _calendar,
    ),
    Rule("periods_per_year", "Periods a year", "Returns a year; 0: found from the data.", _whole(MOST_PERIODS)),
    Rule("position", "Order", "Its place in lists: a smaller number comes first.", _whole(_MOST_POSITION)),
    Rule("colour", "Colour", "Of its line beside that of another portfolio, which has series 1.", _one_of(*COLOURS)),
    Rule("management_fee", "Management fee", "Percent of the value a year, such as 2.", _percent(50)),
    Rule(
        "management_accrual",
        "Management fee is charged",
        f"How: {', '.join(ACCRUALS)}; daily (days / 365) when left out.",
        _one_of(*ACCRUALS),
    ),
    Rule("performance_fee", "Performance fee", "Percent of what is gained, such as 20.", _percent(90)),
    Rule("hurdle", "Hurdle", "Percent a year that is gained before a performance fee is due.", _percent(100)),
    Rule(
        "high_water_mark",
        "High-water mark",
        "Whether losses are made good first: yes, or no; yes when left out.",
        _one_of("yes", "no"),
    ),
    Rule(
        "crystallisation",
        "Crystallisation",
        f"When a performance fee is paid, at the end of each: {', '.join(CRYSTALLISATIONS)}; year when left out.",
        _one_of(*CRYSTALLISATIONS),
    ),
    Rule(
        "nav_is",
        "Its values are",
        "Whether values come before these fees (gross) or after (net); net when left out.",
        _one_of("net", "gross"),
    ),
    Rule("note", "Note", "Shown beside it.", _text(500)),
)
RULE: dict[str, Rule] = {rule.name: rule for rule in RULES}
WHOLE = frozenset({"periods_per_year", "position"})
"""Fields that are whole numbers; the others are texts."""


def mistakes(values: Mapping[str, object]) -> dict[str, str]:
    """Return what to give instead, by field, of those of `values` that cannot be."""
    told = {name: RULE[name].give(str(value)) for name, value in values.items()}
    inception, ended = str(values.get("inception", "")), str(values.get("ended", ""))
    if inception and ended and not told.get("inception") and not told.get("ended") and ended < inception:
        told["ended"] = f"give a day from its inception on, {inception}"
    return {name: wrong for name, wrong in told.items() if wrong}
