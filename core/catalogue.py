"""Every metric that Fundwatch collects, with its unit and meaning: what charts, rules and reports may name.

`python -m core.catalogue` prints docs/metrics.md. What exporters expose is not among them: those names are theirs.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from core.kinds.registry import KINDS, title_of
from core.metrics import Metric, metrics_of

OTHERS = {
    "core.machine": "The machine",
    "core.pipeline": "Fundwatch itself",
    "core.web": "Fundwatch's own requests",
    "core.alerts": "Alerting",
    "core.readiness": "Money safe",
}
"""Packages, or modules, whose metrics are of no watched source."""


@cache
def catalogue() -> Mapping[str, Metric]:
    """Return every metric by its name: the same one for all who ask."""
    return {metric: metric for _, metrics in _groups() for metric in metrics}


@cache
def of_sources() -> frozenset[str]:
    """Return the names of those that are of watched sources: they carry the label `instance`."""
    others = {
        metric for package in OTHERS for module in _modules(package) for metric in metrics_of(vars(module).items())
    }
    return frozenset(catalogue().keys() - others)


@cache
def kinds_of(metric: str) -> frozenset[str]:
    """Return the kinds of watched sources that tell a metric; none: it is of none of them."""
    packages = {kind: f"core.kinds.{kind}" for kind in KINDS}
    return frozenset(
        kind
        for kind, package in packages.items()
        if any(metric in metrics_of(vars(module).items()) for module in _modules(package))
    )


def as_markdown() -> str:
    """Return the catalogue as a page: a table of name, unit, labels and meaning for each group."""
    lines = [
        "# Metrics",
        "",
        "Made by `make texts`. Those of watched sources carry the label `instance` too.",
    ]
    for title, metrics in _groups():
        lines += ["", f"## {title}", "", "| metric | unit | labels | meaning |", "|---|---|---|---|"]
        lines += [f"| `{each}` | {each.unit} | {', '.join(each.labels) or '–'} | {each.meaning} |" for each in metrics]
    return "\n".join(lines) + "\n"


def _groups() -> Iterator[tuple[str, tuple[Metric, ...]]]:
    packages = {f"core.kinds.{kind}": title_of(kind) for kind in KINDS} | OTHERS
    for package, title in packages.items():
        found = {metric: metric for module in _modules(package) for metric in metrics_of(vars(module).items())}
        yield title, tuple(sorted(found.values()))


def _modules(package: str) -> Iterator[ModuleType]:
    found = import_module(package)
    if not hasattr(found, "__path__"):
        yield found
        return
    for module in pkgutil.iter_modules(found.__path__):
        yield import_module(f"{package}.{module.name}")


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
