"""What rules may name: every figure with its unit and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.catalogue import catalogue, of_sources
from core.metrics import MACHINE, unit_of
from core.model import Labels, labels

INSTANCE = "instance"
METRIC = "metric"
"""The one label of what stands for a metric that a rule names and nobody has sent yet."""
STATE = "state"
"""Unit of what is compared with a word such as down."""


class Of(StrEnum):
    """What a figure is of, which tells what else may be asked of it."""

    COLLECTED = "collected"
    """A metric: it may be worked on over a span of time."""
    OWN = "own"
    """A word of Fundwatch's own."""
    PORTFOLIO = "portfolio"
    """A figure of portfolios: it may have a window, a benchmark and a frequency."""


@dataclass(frozen=True, slots=True)
class FigureKind:
    """A figure that rules may name."""

    name: str
    of: Of
    unit: str
    """ratio, seconds, bytes, bytes/s, /s, count, or STATE."""
    labels: tuple[str, ...] | None
    """Names of its labels; None: those of an exporter or a program, which nobody here knows."""
    meaning: str


Vocabulary = Mapping[str, FigureKind]

STATUS, AGE, SILENT, COLLECTOR_FAILED, VALUE_AGE, VALUE_OVERDUE, SENT_ALERT, LIMIT_LEVEL = (
    "status", "age", "silent", "collector_failed", "value_age", "value_overdue", "sent_alert", "limit_level",
)  # fmt: skip
PORTFOLIO, LIMIT = "portfolio", "limit"
"""Labels of LIMIT_LEVEL: whose limit it is, and its id."""
OWN_FIGURES = (
    FigureKind(
        STATUS, Of.OWN, STATE, ("component", "collector", MACHINE),
        "State of a component: ok, warning, critical or down. While it is unknown there are no data.",
    ),
    FigureKind(AGE, Of.OWN, "seconds", ("collector", MACHINE), "Age of the newest reading of a collector."),
    FigureKind(
        SILENT, Of.OWN, "count", ("collector", MACHINE),
        "1: the newest reading of a collector is stale, or there is none yet, else 0.",
    ),
    FigureKind(
        COLLECTOR_FAILED, Of.OWN, "count", ("collector", MACHINE), "1: the newest run of a collector failed, else 0."
    ),
    FigureKind(VALUE_AGE, Of.OWN, "seconds", ("portfolio",), "Age of the newest value of a portfolio of the fund."),
    FigureKind(
        VALUE_OVERDUE, Of.OWN, "count", ("portfolio",),
        "1: the value that is due of a portfolio of the fund has not come, else 0.",
    ),
    FigureKind(
        LIMIT_LEVEL, Of.OWN, "count", (PORTFOLIO, LIMIT),
        "A limit of a portfolio of the fund: 0 while it is kept, else how much matters what is told of it: 1 info, 2 "
        "warning, 3 critical, 4 urgent. While it cannot be worked out there are no data.",
    ),
    FigureKind(
        SENT_ALERT, Of.OWN, "count", None,
        "An alert that a Prometheus sent, by its label severity: 1 info, 2 warning, 3 critical, 4 urgent; 0: it ended.",
    ),
)  # fmt: skip
"""Fundwatch's own words."""
PORTFOLIO_LABELS = ("portfolio", "origin")
"""Of figures of portfolios. Without a word about origin the fund's own are meant."""


def collected() -> list[FigureKind]:
    """Return every metric that Fundwatch collects."""
    watched = of_sources()
    return [
        FigureKind(
            name, Of.COLLECTED, metric.unit, (*metric.labels, INSTANCE if name in watched else MACHINE), metric.meaning
        )
        for name, metric in catalogue().items()
    ]


def awaited(metric: str) -> Labels:
    """Return the labels of the condition that a rule has of a metric as long as nobody has sent it yet."""
    return labels(**{METRIC: metric})


def named(metrics: Iterable[str]) -> list[FigureKind]:
    """Return metrics that exporters or programs name."""
    return [FigureKind(name, Of.COLLECTED, unit_of(name), None, "") for name in metrics]


def vocabulary_of(kinds: Iterable[FigureKind]) -> Vocabulary:
    """Return figures by name; of two with one name the first counts."""
    found: dict[str, FigureKind] = {}
    for kind in kinds:
        found.setdefault(kind.name, kind)
    return found
