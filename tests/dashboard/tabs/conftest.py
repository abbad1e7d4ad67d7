"""Stores of an own portfolio, and what sends rows of it, for pages that are tried with rows of a test's own."""

from __future__ import annotations

from tests.support.funded import funded, send

__all__ = ["funded", "send"]
