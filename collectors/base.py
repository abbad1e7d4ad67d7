"""What a collector's module builds on: the context it is made from, and helpers for samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from core.model import Sample, Table, labels
from core.settings.model import Settings

if TYPE_CHECKING:
    from collectors.runtime.task_view import TaskView
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Context:
    """What `make(context)`, the one function that every collector's module has, may use to make its collector."""

    settings: Settings
    stores: Stores
    runs: Callable[[], Sequence[TaskView]]
    """Returns the state of all collectors of this process."""
    settings_problem: Callable[[], str] = lambda: ""
    """Returns why changed settings were refused; empty while those of now are those of the file."""
    is_trial: bool = False
    """Whether a source is only tried: nothing is stored then."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did, in a sentence; with a table when it was a question."""

    sentence: str
    table: Table | None = None


Name = TypeVar("Name", bound=str)


def gauges(values: Mapping[Name, float | None], **pairs: str) -> list[Sample]:
    """Return a sample for each metric of `values` that has a value, all with the same labels.

    None means "not measured": it gives no sample, so that a gap stays a gap.
    """
    shared = labels(**pairs)
    return [Sample(metric, float(value), shared) for metric, value in values.items() if value is not None]
