"""A rule of alerts, as it is written in rules/*.yaml, in fundwatch.yaml and in the state database."""

from __future__ import annotations

import hashlib
import math
import re
import string
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from core.alerts.expression import (
    UNITS,
    Absent,
    Compared,
    Expression,
    Figure,
    Not,
    Worked,
    operands_of,
    read_expression,
)
from core.alerts.figures import SENT_ALERT
from core.alerts.sent import BELIEVED_SECONDS
from core.alerts.severity import Severity
from core.alerts.timing import NO_DATA_INTERVALS, Policy, Timing
from core.errors import RuleRejected
from core.readiness import METRICS as OF_READINESS
from core.readiness import READINESS

NAME = r"[a-z0-9][a-z0-9_-]{0,79}"
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
LONGEST_SECONDS = 31 * 86_400.0
EXAMPLE = (
    "rules:",
    "  - {name: data-disk, when: 'system_disk_used_ratio{mount=\"/data\"} > 90 %', for: 5 min, severity: critical,",
    "     message: '{mount} is {value:.0%} full'}",
)


class Category(StrEnum):
    """What a rule is about; trading-critical is what trading rests on."""

    TRADING = "trading"
    STORAGE = "storage"
    PORTFOLIO = "portfolio"
    PIPELINE = "pipeline"
    SERVICES = "services"
    SYSTEM = "system"


def _seconds(value: Any) -> Any:
    """Return the seconds of a span such as 5 min; what is none is left to be refused."""
    if not isinstance(value, str):
        return value
    match = _SPAN.fullmatch(value)
    factor, kind = UNITS.get(match[2], (0.0, "")) if match else (0.0, "")
    if match is None or kind != "seconds":
        raise ValueError("is no span of time such as 30 s, 5 min or 2 h")
    return float(match[1]) * factor


Span = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=LONGEST_SECONDS)]


def _severity(value: Any) -> Any:
    if isinstance(value, str) and value in {each.word for each in Severity}:
        return Severity.of(value)
    if isinstance(value, Severity):
        return value
    raise ValueError(f"is none of {', '.join(each.word for each in Severity)}")


Level = Annotated[Severity, BeforeValidator(_severity)]


class Rule(BaseModel):
    """What is watched for, how long it must hold, how much it matters, and what is said of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(
        pattern=f"^{NAME}$", description="Of lower-case letters, digits, - and _: it names the rule for ever."
    )
    title: str = Field("", max_length=120, description="As people read it; empty: the name.")
    when: str = Field("", description="What it watches for, such as system_cpu_busy_ratio > 80 %.")
    levels: Mapping[Level, str] = Field(
        default_factory=dict, description="Instead of when and severity: what it watches for at each severity."
    )
    severity: Level = Field(Severity.WARNING, description="How much it matters: info, warning, critical or urgent.")
    clear: str = Field(
        "",
        description="When it is clear again, if that is not just the opposite, such as system_cpu_busy_ratio < 70 %.",
    )
    for_: Span = Field(0.0, alias="for", description="How long it must hold before it fires.")
    keep_firing_for: Span = Field(0.0, description="How long it must be clear before it is over.")
    every: Span = Field(15.0, ge=1, le=86_400, description="How often it is evaluated.")
    no_data: Policy = Field(Policy.ALERT, description="Without data: alert, keep (as it was), or ok.")
    error: Policy = Field(Policy.ALERT, description="When it cannot be evaluated: alert, keep, or ok.")
    keep: Span = Field(3_600.0, description="How long at most it is kept as it was.")
    category: Category = Field(Category.SYSTEM, description="What it is about.")
    labels: Mapping[str, str] = Field(default_factory=dict, max_length=20, description="Handed on to channels.")
    message: str = Field(
        "",
        max_length=1_000,
        description="What is said, with {value}, {title}, {why} and the labels, such as {value:.2%}. {percent} is the "
        "value as pages write it, such as −5.10 %, {lost} a loss without its sign: 5.10 %. Empty: the title with "
        "the figure, its value and what it is compared with.",
    )
    runbook: str = Field("", max_length=500, description="Where it is written what to do.")
    is_enabled: bool = Field(True, alias="enabled", description="Whether it is evaluated.")

    @field_validator("runbook")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not re.match(r"https?://[^\s]+$", value):
            raise ValueError("is no address that begins with https:// or http://")
        return value

    @field_validator("message")
    @classmethod
    def _is_template(cls, value: str) -> str:
        try:
            parts = [*string.Formatter().parse(value)]
        except ValueError as error:
            raise ValueError(f"is no template: {error}") from error
        for _, field, spec, _ in parts:
            if field is not None and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", field):
                raise ValueError(f"{{{field}}} is no name of a label, nor value or title")
            if spec and "{" in spec:
                raise ValueError(f"{{{field}}} has a format inside its format")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Rule:
        if bool(self.when) == bool(self.levels):
            raise ValueError("give either when or levels")
        try:
            _ = self.conditions, self.clears
        except RuleRejected as error:
            raise ValueError(str(error)) from error
        return self

    @cached_property
    def conditions(self) -> tuple[tuple[Severity, Expression], ...]:
        """Return what it watches for at each severity, the highest first."""
        if not self.levels:
            return ((self.severity, read_expression(self.when)),)
        levels = sorted(self.levels.items(), reverse=True)
        return tuple((severity, read_expression(text, f"levels.{severity.word}")) for severity, text in levels)

    @cached_property
    def clears(self) -> Expression | None:
        """Return when it is clear again; None: when it does not hold."""
        return read_expression(self.clear, "clear") if self.clear else None

    @cached_property
    def only_operand(self) -> Figure | Worked | None:
        """Return what all its comparisons are of; None: they are of several, or it is no plain comparison."""
        every = [each for _, each in self.conditions] + ([self.clears] if self.clears else [])
        compared = [each for each in every if isinstance(each, Compared)]
        operand = compared[0].operand if compared else None
        is_one = len(compared) == len(every) and all(each.operand == operand for each in compared)
        return operand if is_one else None

    @cached_property
    def reads_readiness(self) -> bool:
        """Return whether it names what says whether trading may go on."""
        return any(_is_of_readiness(each.figure if isinstance(each, Worked) else each) for each in self.operands)

    @cached_property
    def watches_for(self) -> str:
        """Return a mark of the series that it watches: another threshold, or another span of time, means the same."""
        meant = sorted({_series_of(each) for _, each in self.conditions})
        return hashlib.blake2b(repr(meant).encode(), digest_size=8).hexdigest()

    @cached_property
    def timing(self) -> Timing:
        """Return its durations and policies."""
        # What a Prometheus sent and is not there was lost, and is sent again: what ends is there as ended.
        waits = BELIEVED_SECONDS if SENT_ALERT in self.figures else 0.0
        return Timing(
            no_data_intervals=max(NO_DATA_INTERVALS, math.ceil(waits / self.every)),
            every_seconds=self.every,
            for_seconds=self.for_,
            keep_firing_seconds=self.keep_firing_for,
            no_data=self.no_data,
            error=self.error,
            keep_seconds=self.keep,
        )

    @cached_property
    def operands(self) -> tuple[Figure | Worked, ...]:
        """Return the figures that it reads, as it reads them, each once."""
        expressions = [each for _, each in self.conditions] + ([self.clears] if self.clears else [])
        return tuple(dict.fromkeys(operand for each in expressions for operand in operands_of(each)))

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """Return the names of the figures that it reads."""
        return tuple(dict.fromkeys((each.figure if isinstance(each, Worked) else each).name for each in self.operands))


def _series_of(expression: Expression) -> str:
    """Return which series an expression means, as a text: its figures, and how they are joined."""
    match expression:
        case Compared():
            return str(expression.figure)
        case Absent():
            return str(expression)
        case Not():
            return _series_of(expression.of)
        case _:
            parts = ", ".join(_series_of(each) for each in expression.of)
            return f"{type(expression).__name__}({parts})"


def _is_of_readiness(figure: Figure) -> bool:
    named = {(each.label, each.operator, each.value) for each in figure.matchers}
    return figure.name in OF_READINESS or ("collector", "=", READINESS) in named
