"""What is asked of a portfolio, whoever asks: a page, a file, a report, an alert."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from analytics.performance import WINDOWS, Window
from core.clock import DAY_SECONDS

Frequency = Literal["D", "W", "M", "Q"]
"""How often a return is measured: with each value ("D", days where there are days), by week, month or quarter."""
FREQUENCIES: tuple[Frequency, ...] = ("D", "W", "M", "Q")
FREQUENCY_NAMES: dict[Frequency, str] = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly"}
UNIT: dict[Frequency, str] = {"D": "day", "W": "week", "M": "month", "Q": "quarter"}
UNITS: dict[Frequency, str] = {"D": "days", "W": "weeks", "M": "months", "Q": "quarters"}
"""What a period is called, and several."""
DEFAULT_WINDOW: Window = "ITD"
DEFAULT_RISK_FREE = ""
NO_BENCHMARK = "none"
MOST_COMPARED = 6
BETWEEN_KEYS = ","
HIGHEST_RISK_FREE = 1.0
LATEST_SECONDS = 2.0**33
MOST_TRIALS = 1_000_000
CONFIDENCES = ("90", "95", "99")
"""Of VaR and expected shortfall, in percent."""
DEFAULT_CONFIDENCE = "95"
ROLLING: dict[Frequency, tuple[int, ...]] = {
    "D": (21, 63, 126, 252), "W": (13, 26, 52, 104), "M": (6, 12, 24, 36), "Q": (4, 8, 12, 20),
}  # fmt: skip
"""Returns in a rolling figure that are offered, by frequency; any other number can be asked for."""
DEFAULT_ROLLING: dict[Frequency, int] = {"D": 63, "W": 26, "M": 12, "Q": 8}
FEWEST_ROLLING, MOST_ROLLING = 3, 5_000
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FIELDS = (
    "portfolio", "benchmark", "window", "from", "to", "frequency", "rf", "trials", "rolling", "confidence", "asof",
    "compare", "line", "highlight",
)  # fmt: skip
"""Names of the texts that a query is parsed from."""

Text = TypeVar("Text", bound=str)
Days = tuple[np.datetime64, np.datetime64]
"""First and last day of a span."""
FIRST_DAY, LAST_DAY = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
"""Ends of a span of which only the other one was given."""


@dataclass(frozen=True, slots=True)
class PortfolioQuery:
    """Which portfolio, over which days, beside what. Raises ValueError for a value that cannot be.

    Whether what it names is there, only its data tells.
    """

    portfolio: str = ""
    """Key (origin:id); empty for the first that there is."""
    benchmark: str = ""
    """Symbol; empty for the portfolio's own, NO_BENCHMARK for none."""
    window: Window = DEFAULT_WINDOW
    span: Days | None = None
    """Takes the place of the window."""
    frequency: Frequency | None = None
    """None: as often as the portfolio is valued. One finer than that gives way to it (see data.py)."""
    risk_free: float | None = None
    """A year, as a ratio; None: that of the portfolio's currency."""
    trials: int = 1
    """Strategies that were tried before this one was chosen, itself among them: the more, the more of its Sharpe ratio
    is luck."""
    rolling: int | None = None
    """Returns in a rolling figure; None: as many as usual of the frequency."""
    confidence: float = 0.95
    """Of VaR and expected shortfall, a ratio."""
    compared: tuple[str, ...] = ()
    """Keys of other portfolios."""
    line: str = ""
    """Key of the one compared whose drawdowns and months are told; empty for the chosen portfolio itself."""
    as_of: np.datetime64 | None = None
    """The last day that counts; None for the newest."""
    highlight: np.datetime64 | None = None
    """Peak of a drawdown that is singled out."""

    def __post_init__(self) -> None:
        if self.window not in WINDOWS:
            raise ValueError(f"window: {self.window} is none of {', '.join(WINDOWS)}")
        if self.frequency is not None and self.frequency not in FREQUENCIES:
            raise ValueError(f"frequency: {self.frequency} is none of {', '.join(FREQUENCIES)}")
        if self.span is not None and not self.span[0] <= self.span[1]:
            raise ValueError(f"span: {self.span[0]} to {self.span[1]} are not two days in order")
        if self.risk_free is not None and not _is_rate(self.risk_free):
            raise ValueError(f"risk_free: {self.risk_free} is no ratio between -1 and 1")
        if not 1 <= self.trials <= MOST_TRIALS:
            raise ValueError(f"trials: {self.trials} is not between 1 and {MOST_TRIALS}")
        if self.rolling is not None and not FEWEST_ROLLING <= self.rolling <= MOST_ROLLING:
            raise ValueError(f"rolling: {self.rolling} is not between {FEWEST_ROLLING} and {MOST_ROLLING}")
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence: {self.confidence} is not between 0.5 and 1")
        if len(self.compared) > MOST_COMPARED or len(set(self.compared)) < len(self.compared):
            raise ValueError(f"compared: {MOST_COMPARED} different portfolios at most, not {', '.join(self.compared)}")

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> tuple[PortfolioQuery, tuple[str, ...]]:
        """Return the query of texts by name (FIELDS), the default wherever one cannot be read.

        Beside it what could not be read, in words: field, what is wrong, what is used instead.
        """
        window, bad_window = one_of("Window", WINDOWS, texts.get("window", ""), DEFAULT_WINDOW)
        frequency, bad_frequency = _frequency(texts.get("frequency", ""))
        risk_free, bad_rate = _risk_free(texts.get("rf", DEFAULT_RISK_FREE))
        trials, bad_trials = _trials(texts.get("trials", ""))
        rolling, bad_rolling = _rolling(texts.get("rolling", ""))
        confidence, bad_level = one_of("VaR confidence", CONFIDENCES, texts.get("confidence", ""), DEFAULT_CONFIDENCE)
        as_of, bad_day = _as_of(texts.get("asof", ""))
        compared, too_many = _compared(texts.get("compare", ""))
        span, bad_range = _span(texts, window)
        query = cls(
            portfolio=texts.get("portfolio", ""),
            benchmark=texts.get("benchmark", ""),
            window=window,
            span=span,
            frequency=frequency,
            risk_free=risk_free,
            trials=trials,
            rolling=rolling,
            confidence=int(confidence) / 100,
            compared=compared,
            line=texts.get("line", ""),
            as_of=as_of,
            highlight=_day(texts.get("highlight", "")),
        )
        problems = (
            bad_window, bad_frequency, bad_rate, bad_trials, bad_rolling, bad_level, bad_day, too_many, bad_range,
        )  # fmt: skip
        return query, tuple(problem for problem in problems if problem)

    @property
    def window_name(self) -> str:
        """Return the window in a word."""
        return self.window if self.span is None else "range"

    @property
    def confidence_name(self) -> str:
        """Return the confidence of VaR as people write it: "95 %"."""
        return f"{100 * self.confidence:.4g} %"


def _frequency(text: str) -> tuple[Frequency | None, str]:
    """Return the frequency, None where none or none that there is was asked for, and what is wrong with it."""
    found = next((each for each in FREQUENCIES if each == text), None)
    if found is not None or not text:
        return found, ""
    return None, f"Returns: “{text}” is none of {', '.join(FREQUENCIES)}. Those of the values as they come are used."


def one_of(field: str, offered: Sequence[Text], wanted: str, default: Text) -> tuple[Text, str]:
    """Return the choice, `default` when it is not on offer, and what is wrong with it."""
    found = next((each for each in offered if each == wanted), None)
    if found is not None or not wanted:
        return found or default, ""
    return default, f"{field}: “{wanted}” is none of {', '.join(offered)}. {default} is used."


def _risk_free(text: str) -> tuple[float | None, str]:
    """Return the annual rate of a percent such as "2", "2.5 %" or "2,5", None for none, and what is wrong with it."""
    if not text.strip():
        return None, ""
    try:
        rate = float(text.replace("%", "").replace(",", ".").strip()) / 100
    except ValueError:
        return None, f"Risk-free rate: “{text}” is no number; give percent a year such as 2.5. {_CURRENCY_S_OWN}"
    if not _is_rate(rate):
        return None, f"Risk-free rate: {text} is not between −100 and 100 percent a year. {_CURRENCY_S_OWN}"
    return rate, ""


_CURRENCY_S_OWN = "That of the portfolio’s currency is used."


def _trials(text: str) -> tuple[int, str]:
    """Return the number of trials of a text, 1 for none, and what is wrong with it."""
    if not text.strip():
        return 1, ""
    if not (text.strip().isdecimal() and 1 <= int(text) <= MOST_TRIALS):
        return 1, f"Trials: “{text}” is no number of strategies tried, from 1 to {MOST_TRIALS:,}. 1 is used."
    return int(text), ""


def _rolling(text: str) -> tuple[int | None, str]:
    """Return how many returns a rolling figure has, None for as many as usual, and what is wrong with it."""
    if not text.strip():
        return None, ""
    if not (text.strip().isdecimal() and FEWEST_ROLLING <= int(text) <= MOST_ROLLING):
        between = f"from {FEWEST_ROLLING} to {MOST_ROLLING:,}"
        return None, f"Rolling: “{text}” is no number of returns {between}. As many as usual are used."
    return int(text), ""


def _is_rate(rate: float) -> bool:
    return math.isfinite(rate) and -HIGHEST_RISK_FREE < rate < HIGHEST_RISK_FREE


def _as_of(text: str) -> tuple[np.datetime64 | None, str]:
    day = _day(text)
    if day is None and text:
        return None, f"As of: “{text}” is no date such as 2022-06-30. The newest data is used."
    return day, ""


def _day(text: str) -> np.datetime64 | None:
    if not ISO_DAY.fullmatch(text):
        return None
    try:
        day = np.datetime64(text, "D")
    except ValueError:
        return None
    return None if np.isnat(day) else day


def _compared(text: str) -> tuple[tuple[str, ...], str]:
    """Return the keys, the first six of more, and what is wrong with them."""
    keys = tuple(dict.fromkeys(key for key in text.split(BETWEEN_KEYS) if key))
    if len(keys) <= MOST_COMPARED:
        return keys, ""
    return keys[:MOST_COMPARED], f"Compare: six at most; of {len(keys)} the first six are used."


def _span(texts: Mapping[str, str], window: Window) -> tuple[Days | None, str]:
    """Return the first and last day of a range, None without one, and what is wrong with it.

    An end is a day such as 2020-01-02 or, as addresses had it once, epoch seconds; one that is not given is open.
    """
    given = {name: texts[name].strip() for name in ("from", "to") if texts.get(name, "").strip()}
    if not given:
        return None, ""
    days = {name: _day(said) or _day_of_seconds(said) for name, said in given.items()}
    for name, day in days.items():
        if day is None:
            return None, f"Range: {name}: “{given[name]}” is no date such as 2020-01-02. The window {window} is used."
    start, end = days.get("from") or FIRST_DAY, days.get("to") or LAST_DAY
    if start > end:
        return None, f"Range: it would begin on {start}, after its end on {end}. The window {window} is used."
    return (start, end), ""


def said_days(span: Days) -> str:
    """Return a span in words: "from 2020-01-02 to 2020-06-30", "up to 2020-06-30"."""
    start, end = span
    if start == FIRST_DAY:
        return f"up to {end}"
    return f"from {start} on" if end == LAST_DAY else f"from {start} to {end}"


def _day_of_seconds(text: str) -> np.datetime64 | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return _nearest_day(seconds) if 0 < seconds < LATEST_SECONDS else None


def _nearest_day(seconds: float) -> np.datetime64:
    """Return the day whose midnight UTC is nearest: the reader's midnight is at most half a day from it."""
    return np.datetime64(int((seconds + DAY_SECONDS / 2) // DAY_SECONDS), "D")
