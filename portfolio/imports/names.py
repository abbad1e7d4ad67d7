"""Names of portfolios and instruments that a file brings: which are new, and which look like one that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from portfolio.imports.headers import word_of

NEAR_RATIO = 0.8
"""Of letters in common (difflib's ratio) from which a name may be another one misspelt."""
MOST_COMPARED = 200
"""New names that are compared with those that are there: a file of thousands of new ones is no misspelling."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a file."""

    new: tuple[str, ...]
    near: tuple[tuple[str, str], ...]
    """New ones that may be misspelt, each with the one that it is like."""


def compare_names(names: Sequence[str], there: Iterable[str]) -> Names:
    """Return which of `names` are not `there`, and which of those may be one that is."""
    known = set(there)
    new = tuple(name for name in names if name not in known)
    words: dict[str, str] = {}
    for name in sorted(known - set(names)):
        words.setdefault(word_of(name), name)
    near = []
    for name in new[:MOST_COMPARED]:
        if found := get_close_matches(word_of(name), words, 1, NEAR_RATIO):
            near.append((name, words[found[0]]))
    return Names(new, tuple(near))
