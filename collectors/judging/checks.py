"""What a watched source is judged by: one check a limit, summed up as the source's one component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from core.limits import Limit
from core.model import SEVERITY, Component, Status, Table, worst


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a source."""

    name: str
    """"memory", "replication": the card of this name takes its state from here."""
    status: Status
    why: str
    """A sentence without the name of the source: "93 % of its 1 GiB in use"."""
    share: float | None = None
    """How much of a limit is used: the length of its bar."""


def summed(component: str, fine: str, checks: Sequence[Check]) -> Component:
    """Return the component of a source: the worst check's state and every bad sentence, or `fine`."""
    bad = sorted((check for check in checks if SEVERITY[check.status]), key=lambda check: -SEVERITY[check.status])
    why = "; ".join(check.why for check in bad) or fine
    return Component(component, worst([check.status for check in checks] or [Status.OK]), why)


def checks_table(checks: Sequence[Check]) -> Table:
    """Return the checks as the table "checks" of a reading."""
    columns = tuple(field.name for field in fields(Check))
    return Table("checks", columns, tuple(astuple(check) for check in checks))


def limit(name: str, share: float, why: str, warning: float, critical: float) -> Check:
    """Return the check of a share of a limit against two thresholds, each taking effect when reached."""
    return Check(name, Limit(warning, critical).status(share), why, share)


def bad_if(name: str, is_bad: bool, why: str, fine: str = "", status: Status = Status.WARNING) -> Check:
    """Return a check that is `status` with `why` when something is bad, else OK."""
    return Check(name, status if is_bad else Status.OK, why if is_bad else fine)
