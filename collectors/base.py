"""Small helpers for writing a collector."""

from __future__ import annotations

from collections.abc import Mapping

from core.model import Labels, Sample


def labels(**pairs: str) -> Labels:
    """Return label pairs sorted by name, the form that a Sample takes."""
    return tuple(sorted(pairs.items()))


def gauges(values: Mapping[str, float | None], **pairs: str) -> list[Sample]:
    """Return a sample for each metric of `values` that has a value, all with the same labels.

    None means "not measured": it gives no sample, so that a gap stays a gap.
    """
    shared = labels(**pairs)
    return [Sample(metric, float(value), shared) for metric, value in values.items() if value is not None]
