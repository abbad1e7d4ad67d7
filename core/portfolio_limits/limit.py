"""A limit of a portfolio: how it is read from texts, which use a value makes of it, and in which state that puts it."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from core.alerts.severity import Severity
from core.errors import ChangeRejected
from core.portfolio_limits.figures import FIGURES, RESTRICTED, LimitFigure, Unit, amount

EVERY = ""
"""Stands for every portfolio of the fund that has no limit of its own on the figure."""
EVERY_IN_SETTINGS = "*"
"""The same in the settings file."""
Operator = Literal["at most", "at least"]
AT_MOST: Operator = "at most"
AT_LEAST: Operator = "at least"
OPERATORS = (AT_MOST, AT_LEAST)
WARN_RATIO = 0.8
NOTE_CHARACTERS, MOST_NAMED, SYMBOL_CHARACTERS = 300, 500, 64
ROUNDING = 1e-9
"""Relative: so much a value may differ from its limit by rounding alone."""
SETTINGS = "settings"
"""What ids of limits begin with that stand in fundwatch.yaml."""
NOT_SAVED = "Nothing was saved."


class LimitState(StrEnum):
    """How a limit stands."""

    OK = "ok"
    NEAR = "near"
    """Its warn level is reached."""
    BREACHED = "breached"
    UNKNOWN = "not known"


GRAVITY = (LimitState.BREACHED, LimitState.UNKNOWN, LimitState.NEAR, LimitState.OK)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class PortfolioLimit:
    """A limit. Times are epoch seconds."""

    figure: str
    """A key of FIGURES."""
    value: float
    """In the base unit of the figure; 0 of a restricted list."""
    portfolio: str = EVERY
    """Id of the portfolio of the fund's own."""
    operator: Operator = AT_MOST
    of: tuple[str, ...] = ()
    """The instrument or group that it is on, those of a restricted list; empty: the largest one counts."""
    below: bool = False
    """Whether each portfolio below it is limited in the same way."""
    warn_ratio: float = WARN_RATIO
    """Use from which on it warns."""
    severity: Severity = Severity.CRITICAL
    """How much a breach matters."""
    note: str = ""
    id: str = ""
    version: int = 0
    """Of one that was set on the page; 0: it stands in the settings."""
    who: str = ""
    at: float = 0.0

    @property
    def about(self) -> LimitFigure:
        """Return the figure that it is on."""
        return FIGURES[self.figure]

    @property
    def is_set_here(self) -> bool:
        """Whether it was set on the page or by the API."""
        return self.version > 0

    @property
    def can_stop(self) -> bool:
        """Whether a breach of it is a reason not to trade."""
        return self.severity >= Severity.CRITICAL

    @property
    def replaces(self) -> tuple[str, Operator, tuple[str, ...]]:
        """Return what a general limit on the same thing gives way to."""
        return self.figure, self.operator, self.of

    def use(self, value: float) -> float:
        """Return how much of it a value uses: 1 at the limit, infinite where any is too much; never below 0."""
        limit = self.value
        if self.operator == AT_LEAST:
            value, limit = -value, -limit
        if limit == 0:
            return math.inf if value > 0 else 0.0
        if limit > 0:
            return max(value, 0.0) / limit
        return limit / value if value < 0 else math.inf

    def headroom(self, value: float) -> float:
        """Return how far a value is from it, in the figure's unit; below 0: beyond."""
        return self.value - value if self.operator == AT_MOST else value - self.value

    def state(self, value: float) -> LimitState:
        """Return how it stands at a value; one that is NaN is not known."""
        if math.isnan(value):
            return LimitState.UNKNOWN
        if self.headroom(value) < -ROUNDING * max(abs(self.value), 1e-12):
            return LimitState.BREACHED
        return LimitState.NEAR if self.use(value) >= self.warn_ratio else LimitState.OK

    @property
    def level_near(self) -> Severity:
        """How much it matters that its warn level is reached."""
        return Severity.WARNING if self.severity > Severity.WARNING else Severity.INFO

    def body(self) -> str:
        """Return it as JSON, as it is kept."""
        return json.dumps(
            {
                "portfolio": self.portfolio, "figure": self.figure, "operator": self.operator, "value": self.value,
                "of": self.of, "below": self.below, "warn_ratio": self.warn_ratio, "severity": self.severity.word,
                "note": self.note,
            }
        )  # fmt: skip


def from_body(body: str, **more: Any) -> PortfolioLimit:
    """Return a limit from how it is kept; more: id, version, who, at."""
    read = json.loads(body)
    severity, of = Severity.of(read.pop("severity")), tuple(read.pop("of"))
    return PortfolioLimit(**read, of=of, severity=severity, **more)


def settings_id(limit: PortfolioLimit) -> str:
    """Return the id of a limit of the settings: the same as long as it is on the same thing; it names no portfolio."""
    what = json.dumps([limit.portfolio, limit.figure, limit.operator, limit.of, limit.severity.word])
    return f"{SETTINGS}-{hashlib.blake2b(what.encode(), digest_size=4).hexdigest()}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" for the known word that is nearest, empty where none is near."""
    near = difflib.get_close_matches(word, [*known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def read_limit(given: Mapping[str, str]) -> PortfolioLimit:
    """Return the limit that texts say: portfolio, figure, operator, value, of, below, warn, severity, note.

    Whether there are such a portfolio and such instruments is not known here. Raises ChangeRejected that names each
    field that cannot be.
    """
    wrong: dict[str, str] = {}
    about = FIGURES.get(given.get("figure", ""))
    if about is None:
        name = given.get("figure", "")
        near = nearest(name, FIGURES) or f"; there are {', '.join(FIGURES)}"
        raise ChangeRejected(NOT_SAVED, {"figure": f"there is no figure {name[:40]!r}{near}" if name else "choose one"})
    operator = next((each for each in OPERATORS if each == (given.get("operator") or AT_MOST)), None)
    if operator is None:
        wrong["operator"] = f"is none of {' and '.join(OPERATORS)}"
    value = _value(given.get("value", ""), about, wrong)
    of = _named(given.get("of", ""), about, wrong)
    warn = _warn(given.get("warn", ""), wrong)
    severity = _severity(given.get("severity") or Severity.CRITICAL.word, wrong)
    note = given.get("note", "").strip()
    if len(note) > NOTE_CHARACTERS or (note and not note.isprintable()):
        wrong["note"] = f"has more than {NOTE_CHARACTERS} characters, or more than one line; shorten it"
    if wrong or operator is None:
        raise ChangeRejected(NOT_SAVED, wrong)
    is_list = about.key == RESTRICTED
    return PortfolioLimit(
        about.key, 0.0 if is_list else value, given.get("portfolio", EVERY), AT_MOST if is_list else operator, of,
        given.get("below", "") == "on", warn, severity, note,
    )  # fmt: skip


def _value(given: str, about: LimitFigure, wrong: dict[str, str]) -> float:
    if about.key == RESTRICTED:
        if given.strip():
            wrong["value"] = "a restricted list has none: leave it empty"
        return 0.0
    try:
        value = amount(given, about.unit)
    except ValueError as error:
        wrong["value"] = str(error)
        return 0.0
    if value < 0 and not about.is_signed:
        wrong["value"] = f"{given.strip()[:40]!r} is negative, which {about.title} never is: write it without the sign"
    return value


def _named(given: str, about: LimitFigure, wrong: dict[str, str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(each.strip() for each in given.split(",") if each.strip()))
    if names and not about.cut:
        wrong["of"] = f"{about.title} is of all positions: leave it empty"
    elif any(len(each) > SYMBOL_CHARACTERS or not each.isprintable() for each in names) or len(names) > MOST_NAMED:
        wrong["of"] = f"give at most {MOST_NAMED} names of up to {SYMBOL_CHARACTERS} characters"
    elif about.key == RESTRICTED and not names:
        wrong["of"] = "give the instruments that must not be held, with commas between them"
    elif about.key != RESTRICTED and len(names) > 1:
        wrong["of"] = "give one name, or a limit for each"
    return names


def _warn(given: str, wrong: dict[str, str]) -> float:
    if not given.strip():
        return WARN_RATIO
    try:
        value = amount(given, Unit.RATIO)
    except ValueError as error:
        wrong["warn"] = str(error)
        return WARN_RATIO
    if not 0 < value <= 1:
        wrong["warn"] = f"{given.strip()[:40]!r} is not between 0 and 100 % of the limit: write a share such as 80 %"
    return value


def _severity(given: str, wrong: dict[str, str]) -> Severity:
    words = [each.word for each in Severity]
    if given not in words:
        wrong["severity"] = f"{given[:40]!r} is none of {', '.join(words)}{nearest(given, words)}"
        return Severity.CRITICAL
    return Severity.of(given)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """How a limit of a portfolio stands, as rules of alerts read it."""

    TABLE: ClassVar[str] = "limits"

    portfolio: str
    limit: str
    """Its id."""
    level: int
    """0: it is kept; else the severity of what is told: that its warn level is reached, or that it is broken."""
    is_known: bool
    why: str
    """One sentence."""
