"""How files were read before, so that the next one of the kind is read the same way.

What a person said holds for every file with the same header. What a file told itself, and the portfolio, currency and
sheet that a person named, hold for those whose name is like its own too (alpha-2026-01.csv, alpha-2026-02.csv): another
fund's file with the same header never becomes part of this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from portfolio.imports.mapping import Mapping
from portfolio.imports.understand import Recall, Understood, header_key, stem_of
from storage.state.database import State
from storage.state.imports import recall_mapping, remember_mapping

EVERY_NAME = ""


def recall_from(state: State) -> Recall:
    """Return the function that finds what is remembered of a header and a file's name."""

    def recall(header: Sequence[str], name: str) -> Mapping:
        key = _digest(header)
        return _found(state, key, stem_of(name) or "-").over(_found(state, key, EVERY_NAME))

    return recall


def remember(state: State, understood: Understood, said: Mapping, who: str) -> None:
    """Remember how a file was read that was taken; `said` is what a person said of it."""
    key = _digest(understood.header)
    remember_mapping(state, key, stem_of(understood.name) or "-", understood.mapping().to_json(), who)
    general = replace(said, portfolio="", currency="", sheet="")
    if general != Mapping():
        remember_mapping(state, key, EVERY_NAME, general.over(_found(state, key, EVERY_NAME)).to_json(), who)


def _found(state: State, key: str, stem: str) -> Mapping:
    text = recall_mapping(state, key, stem)
    try:
        return Mapping.from_json(text) if text else Mapping()
    except ValueError:
        # Another version of Fundwatch remembered what this one does not know: it is asked for again.
        return Mapping()


def _digest(header: Sequence[str]) -> str:
    return hashlib.sha256(header_key(header).encode()).hexdigest()
