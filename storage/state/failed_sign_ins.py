"""Sign-ins that failed, counted by account and by address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.access_tables import failed_sign_ins as failed
from storage.state.database import State, Transaction, upsert


@dataclass(frozen=True, slots=True)
class Failures:
    """How often it failed in a row, and when last (epoch seconds)."""

    times: int
    last_at: float


Wait = Callable[[Mapping[str, Failures]], float]
"""Returns the seconds to wait, by what failed of each subject."""


def failures_of(state: State, subjects: Sequence[str]) -> dict[str, Failures]:
    """Return what failed of each of these subjects. Raises StorageUnavailable."""
    with state.reading() as connection:
        return _found(connection, subjects)


def count_attempt(state: State, subjects: Sequence[str], now: float, wait: Wait, forget_before: float) -> float:
    """Count an attempt as failed, and return 0; or count nothing and return the seconds that it has to `wait`.

    What failed before `forget_before` is forgotten.
    """
    with state.begin() as connection:
        connection.execute(sa.delete(failed).where(failed.c.last_at < forget_before))
        found = _found(connection, subjects)
        seconds = wait(found)
        if seconds > 0:
            return seconds
        times = {each: found[each].times if each in found else 0 for each in subjects}
        upsert(connection, failed, [{"subject": each, "times": times[each] + 1, "last_at": now} for each in subjects])
        return 0.0


def take_back(connection: Transaction, subject: str) -> None:
    """Count one attempt less."""
    counted = (failed.c.subject == subject) & (failed.c.times > 0)
    connection.execute(sa.update(failed).where(counted).values(times=failed.c.times - 1))


def forget_failures(connection: Transaction, subjects: Sequence[str], prefix: str = "") -> None:
    """Forget what failed of these subjects, and of those that begin with `prefix` if there is one."""
    gone: sa.ColumnElement[bool] = failed.c.subject.in_(subjects)
    if prefix:
        gone |= failed.c.subject.startswith(prefix, autoescape=True)
    connection.execute(sa.delete(failed).where(gone))


def _found(connection: Transaction, subjects: Sequence[str]) -> dict[str, Failures]:
    rows = connection.execute(sa.select(failed).where(failed.c.subject.in_(subjects)).with_for_update())
    return {row.subject: Failures(row.times, row.last_at) for row in rows}
