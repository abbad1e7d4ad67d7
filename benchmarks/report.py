"""One line a figure: what, measured, target, met or missed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and its target; `at_most` says which side of it is good."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the target is reached; True when there is none."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        target = "" if self.target is None else f"  (target {'≤' if self.at_most else '≥'} {self.target:g} {self.unit})"
        mark = " " if self.target is None else ("✓" if self.is_met else "✗")
        return f"{mark} {self.name:<62} {self.value:>12.4g} {self.unit}{target}"


def show(*figures: Figure) -> None:
    """Print the figures."""
    for figure in figures:
        print(figure, flush=True)
