"""What a watched source is judged by: one check a limit, summed up as the source's one component."""

from __future__ import annotations

from collections.abc import Sequence

from core.checks import Check
from core.limits import Limit
from core.model import SEVERITY, Component, Status, Table, worst
from core.tables import table_of

__all__ = ["Check", "bad_if", "checks_table", "judged", "summed"]


def summed(component: str, fine: str, checks: Sequence[Check]) -> Component:
    """Return the component of a source: the worst check's state and every bad sentence once, or `fine`."""
    bad = sorted((check for check in checks if SEVERITY[check.status]), key=lambda check: -SEVERITY[check.status])
    reasons = tuple(dict.fromkeys(check.why for check in bad)) or (fine,)
    status = worst([check.status for check in checks] or [Status.OK])
    return Component(component, status, "; ".join(reasons), reasons=reasons)


def checks_table(checks: Sequence[Check]) -> Table:
    """Return the checks as the table "checks" of a reading."""
    return table_of(Check, checks)


def judged(name: str, value: float, why: str, limit: Limit, share: float | None = None) -> Check:
    """Return the check of a value against its limit; `share` is the length of its bar."""
    return Check(name, limit.status(value), why, share)


def bad_if(name: str, is_bad: bool, why: str, fine: str = "", status: Status = Status.WARNING) -> Check:
    """Return a check that is `status` with `why` when something is bad, else OK."""
    return Check(name, status if is_bad else Status.OK, why if is_bad else fine)
