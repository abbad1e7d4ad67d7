"""The portfolios that the names of a file mean: one that was renamed or merged keeps taking its old files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.currency import ASSUMED_CURRENCY
from core.errors import Mistake
from core.format import first_of
from portfolio.imports.mapping import OF_INSTRUMENTS
from portfolio.imports.points import Points
from portfolio.imports.understand import Understood, day


def with_ids(points: Points, ids: Mapping[str, str]) -> Points:
    """Return points by the id of the portfolio that each name means; a name that is not known stays."""
    meant = [ids.get(name, name) for name in points.names]
    if tuple(meant) == points.names:
        return points
    names = tuple(dict.fromkeys(meant))
    place = np.array([names.index(id) for id in meant], dtype=np.int64)
    return replace(points, names=names, code=place[points.code])


def as_known(understood: Understood, ids: Mapping[str, str]) -> Understood:
    """Return what a file says by the ids of portfolios, told where a name means another one.

    It has a mistake instead of points where two of its names mean one portfolio and both have a value at one time.
    """
    if understood.points is None or understood.kind in OF_INSTRUMENTS:
        return understood
    points = with_ids(understood.points, ids)
    both = _both(points) if len(points.names) < len(understood.points.names) else ""
    if both:
        said = f"it has two values of {both}: two of its names mean this portfolio"
        return replace(understood, points=None, mistakes=(Mistake(said),), remedy="Correct these lines.")
    meant = {name: ids.get(name, name) for name in understood.points.names}
    often = dict(zip(reversed(meant.values()), reversed(understood.frequencies), strict=True))
    currencies = {meant[name]: currency for name, currency in understood.currencies}
    new = [id for id in points.names if id not in ids.values() and id not in currencies]
    notes = [
        *understood.notes,
        *(f"{name} is taken for {id}" for name, id in meant.items() if name != id),
        *([f"currency of {first_of(new)} not told: {ASSUMED_CURRENCY}"] if new else []),
    ]
    return replace(
        understood,
        points=points,
        doubts=tuple(
            replace(doubt, rows=tuple(replace(row, name=meant[row.name]) for row in doubt.rows))
            for doubt in understood.doubts
        ),
        frequencies=tuple(often[id] for id in points.names),
        currencies=tuple(currencies.items()),
        notes=tuple(notes),
    )


def _both(points: Points) -> str:
    """Return the first portfolio and day that has two points at one time, empty for none."""
    order = np.lexsort((points.ts, points.code))
    code, ts = points.code[order], points.ts[order]
    twice = np.flatnonzero((code[1:] == code[:-1]) & (ts[1:] == ts[:-1]))
    return f"{points.names[code[twice[0]]]} on {day(int(ts[twice[0]]))}" if twice.size else ""
