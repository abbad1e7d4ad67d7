"""What is given to figures of holdings and trades: numbers of the right shape, or an error that names the field.

Returns may miss a value; a holding, price or quantity may not: a missing one would silently count as nothing held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Bools, Floats

Size: TypeAlias = int | None
Labels: TypeAlias = Sequence[str] | NDArray[Any]


@dataclass(frozen=True, eq=False)
class Groups:
    """Names in alphabetical order, and by position the place of its name among them."""

    names: tuple[str, ...]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, field: str, labels: Labels, count: int) -> Groups:
        """Return the groups of so many labels. Raises ValueError when there are more or fewer."""
        given = np.asarray(labels, dtype=np.str_)
        if given.shape != (count,):
            raise ValueError(f"{field}: {given.size}, not {count}; give each position one label")
        names, codes = np.unique(given, return_inverse=True)
        return cls(tuple(map(str, names)), codes.astype(np.intp))

    def summed(self, values: Floats) -> Floats:
        """Return values summed by group along the last axis."""
        if len(self.names) == len(self.codes):
            return values[..., np.argsort(self.codes)]
        member = np.zeros((len(self.codes), len(self.names)))
        member[np.arange(len(self.codes)), self.codes] = 1.0
        found: Floats = values @ member
        return found


def numbers(field: str, values: ArrayLike, *shape: Size) -> Floats:
    """Return values as floats. `shape`: the length of each axis, None for any; without one, any shape.

    Raises ValueError that names the field, when the shape is another or a value is missing or infinite.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field}: holds something that is no number ({error})") from error
    if shape and (found.ndim != len(shape) or any(_differ(*pair) for pair in zip(found.shape, shape, strict=True))):
        wanted = " × ".join("any" if size is None else str(size) for size in shape)
        got = " × ".join(map(str, found.shape)) or "one number"
        raise ValueError(f"{field}: {got}, not {wanted}; lengths differ")
    # A sum that is finite proves that nothing is missing or infinite, in one pass.
    if not np.isfinite(found.sum()):
        refuse(field, ~np.isfinite(found), "is missing or infinite; give a number, 0 where there is nothing")
    return found


def positive(field: str, values: ArrayLike, *shape: Size) -> Floats:
    """Return values as `numbers` does. Raises ValueError also where one is not above 0."""
    found = numbers(field, values, *shape)
    refuse(field, found <= 0, "is not above 0")
    return found


def share(field: str, value: float) -> float:
    """Return the value. Raises ValueError when it is not between 0 and 1, both excluded."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{field}: {value} is not between 0 and 1; give 0.95 for 95 %")
    return value


def refuse(field: str, wrong: Bools, why: str) -> None:
    """Raise ValueError that says where the first wrong value stands; nothing when none is wrong."""
    if not wrong.any():
        return
    place = np.unravel_index(int(wrong.argmax()), wrong.shape)
    at = f"[{', '.join(map(str, place))}]" if place else ""
    raise ValueError(f"{field}{at}: {why}")


def _differ(got: int, wanted: Size) -> bool:
    return wanted is not None and got != wanted
