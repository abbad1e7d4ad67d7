"""A metric: its name, and with it its meaning, its unit and its labels.

What a collector writes and a chart reads is one such constant, so that neither side spells it by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

UNITS = (
    ("_bytes_per_second", "bytes/s"),
    ("_seconds_per_second", "ratio"),
    ("_per_second", "/s"),
    ("_bytes", "bytes"),
    ("_seconds", "seconds"),
    ("_ratio", "ratio"),
)
"""Unit by the end of a name, as Prometheus names metrics; any other name counts something."""
MACHINE = "machine"
"""Label that names the machine that measured something: `host` may be a label of what is measured."""


class Metric(str):
    """The name of a metric, which is all that travels; `meaning` is a sentence, `labels` those beside `instance`."""

    meaning: str
    labels: tuple[str, ...]

    def __new__(cls, name: str, meaning: str, *labels: str) -> Metric:
        made = super().__new__(cls, name)
        made.meaning = meaning
        made.labels = labels
        return made

    @property
    def unit(self) -> str:
        """bytes, bytes/s, seconds, ratio, /s or count."""
        return unit_of(self)


def unit_of(name: str) -> str:
    """Return the unit of a metric by the end of its name."""
    return next((unit for ending, unit in UNITS if name.endswith(ending)), "count")


def metrics_of(names: Iterable[tuple[str, Any]]) -> tuple[Metric, ...]:
    """Return the metrics among the members of a module or mapping, those within mappings included, each once."""
    found: dict[str, Metric] = {}
    for _, value in names:
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, Metric):
                found[each] = each
    return tuple(found.values())
