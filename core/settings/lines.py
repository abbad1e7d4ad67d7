"""On which line of a YAML file something stands, so that a mistake is told with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import yaml

Place = tuple[str | int, ...]
"""Names and numbers of items from the outside in: ("rules", 0, "when")."""


def line_of(file: Path, place: Place) -> int | None:
    """Return the line (counted from 1) of what stands at a place, or of what it stands in; None: not in this file."""
    try:
        known = _known(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return next((known[part] for part in upwards(place) if part in known), None)


def lines_of(tree: yaml.Node | None) -> dict[Place, int]:
    """Return the line of everything in a file, counted from 1; of a field that of its name."""
    return dict(_lines(tree)) if tree is not None else {}


def upwards(place: Place) -> Iterator[Place]:
    """Yield a place, what it stands in, what that stands in, and so on."""
    for length in range(len(place), 0, -1):
        yield place[:length]


@lru_cache(maxsize=4)
def _known(file: Path, _changed: int) -> Mapping[Place, int]:
    return lines_of(yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader))


def _lines(node: yaml.Node, place: Place = ()) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _lines(value, (*place, number))
