"""Attributes that are no Python names."""

from __future__ import annotations

from typing import Any


def attributes(**values: Any) -> dict[str, Any]:
    """Return `aria_label="x"` as `{"aria-label": "x"}`, ready to be passed on; None values are left out."""
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}
