"""What a reader asked of the Portfolio tab, read from the URL; what cannot be read is said, never guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from analytics.performance import WINDOWS, Window
from dashboard.views.tab import Choices

Frequency = Literal["D", "W", "M"]
"""How often a return is measured: by day, week or month."""
FREQUENCIES: tuple[Frequency, ...] = ("D", "W", "M")
PERIODS: dict[Frequency, int] = {"D": 252, "W": 52, "M": 12}
"""Returns a year: NAV is daily on trading days."""
FREQUENCY_NAMES: dict[Frequency, str] = {"D": "daily", "W": "weekly", "M": "monthly"}
UNIT: dict[Frequency, str] = {"D": "day", "W": "week", "M": "month"}
UNITS: dict[Frequency, str] = {"D": "days", "W": "weeks", "M": "months"}
"""What a period is called, and several."""
DEFAULT_WINDOW: Window = "ITD"
DEFAULT_FREQUENCY: Frequency = "D"
DEFAULT_RISK_FREE = "0"
NO_BENCHMARK = "none"
MOST_COMPARED = 6
BETWEEN_KEYS = ","
HIGHEST_RISK_FREE = 1.0
DAY_SECONDS = 86_400

Text = TypeVar("Text", bound=str)
Days = tuple[np.datetime64, np.datetime64]
"""First and last day of a span."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The choices of the tab that do not depend on what data there is."""

    window: Window
    span: Days | None
    """A zoom or a custom range, instead of the window."""
    frequency: Frequency
    risk_free: float
    """A year, as a ratio."""
    compared: tuple[str, ...]
    as_of: np.datetime64 | None
    highlight: np.datetime64 | None
    """Peak of a drawdown that was clicked."""
    problems: tuple[str, ...]
    """What could not be read, in words: field, what is wrong, what counts instead."""


def asked(choices: Choices) -> Asked:
    """Return what was asked for, the default wherever a choice cannot be read."""
    risk_free, bad_rate = _risk_free(choices.get("rf", DEFAULT_RISK_FREE))
    as_of, bad_day = _as_of(choices.get("asof", ""))
    window, bad_window = _one_of("Window", WINDOWS, choices.get("window", ""), DEFAULT_WINDOW)
    frequency, bad_frequency = _one_of("Returns", FREQUENCIES, choices.get("frequency", ""), DEFAULT_FREQUENCY)
    span = zoomed(choices)
    compared = tuple(dict.fromkeys(key for key in choices.get("compare", "").split(BETWEEN_KEYS) if key))
    too_many = f"Compare: six at most; {len(compared)} were asked for, the first six are shown."
    problems = (
        bad_window,
        bad_frequency,
        bad_rate,
        bad_day,
        too_many if len(compared) > MOST_COMPARED else "",
        _bad_range(choices, window) if span is None else "",
    )
    return Asked(
        window=window,
        span=span,
        frequency=frequency,
        risk_free=risk_free,
        compared=compared[:MOST_COMPARED],
        as_of=as_of,
        highlight=_parsed(choices.get("highlight", "")),
        problems=tuple(problem for problem in problems if problem),
    )


def zoomed(choices: Choices) -> Days | None:
    """Return the first and last day of a zoom, or None."""
    start, end = choices.seconds("from"), choices.seconds("to")
    if start is None or end is None or not 0 < start < end < 2**33:
        return None
    return _day(start), _day(end)


def _one_of(field: str, offered: Sequence[Text], wanted: str, default: Text) -> tuple[Text, str]:
    """Return the choice, `default` when it is not on offer, and what is wrong with it."""
    found = next((each for each in offered if each == wanted), None)
    if found is not None or not wanted:
        return found or default, ""
    return default, f"{field}: there is no “{wanted}”, only {', '.join(offered)}. {default} is used."


def _bad_range(choices: Choices, window: Window) -> str:
    if "from" not in choices and "to" not in choices:
        return ""
    return f"Range: from and to are not two moments in order. The window {window} is shown."


def _risk_free(text: str) -> tuple[float, str]:
    """Return the annual rate of a percent such as "2", "2.5 %" or "2,5", and what is wrong with it."""
    if not text.strip():
        return 0.0, ""
    try:
        rate = float(text.replace("%", "").replace(",", ".").strip()) / 100
    except ValueError:
        return 0.0, f"Risk-free rate: “{text}” is no number; give percent a year such as 2.5. 0 is used."
    if not math.isfinite(rate) or not -HIGHEST_RISK_FREE < rate < HIGHEST_RISK_FREE:
        return 0.0, f"Risk-free rate: {text} is not between −100 and 100 percent a year. 0 is used."
    return rate, ""


def _as_of(text: str) -> tuple[np.datetime64 | None, str]:
    if not text:
        return None, ""
    day = _parsed(text)
    if day is None:
        return None, f"As of: “{text}” is no date; give one such as 2022-06-30. The newest data is shown."
    return day, ""


def _parsed(text: str) -> np.datetime64 | None:
    if len(text) != len("2022-06-30"):
        return None
    try:
        day = np.datetime64(text, "D")
    except ValueError:
        return None
    return None if np.isnat(day) else day


def _day(seconds: float) -> np.datetime64:
    """Return the day whose midnight UTC is nearest: the reader's midnight is at most half a day from it."""
    return np.datetime64(int((seconds + DAY_SECONDS / 2) // DAY_SECONDS), "D")
