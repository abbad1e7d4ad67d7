"""Taking the watched sources of changed settings while the program runs; everything else needs a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError
from core.format import count, first_of, noun
from core.kinds.base import Source
from core.kinds.registry import KINDS
from core.model import SourceId
from core.settings.load import WATCH, load_settings
from core.settings.model import Settings, config_file


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The settings with the sources of now, and how they differ from those before."""

    settings: Settings
    added: tuple[SourceId, ...] = ()
    changed: tuple[SourceId, ...] = ()
    removed: tuple[SourceId, ...] = ()
    needs_restart: tuple[str, ...] = ()
    """Other settings that differ and stay as they were at the start."""

    @property
    def differs(self) -> bool:
        """Whether any source differs."""
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        """Say what was taken, in a sentence or two."""
        parts = [
            f"{word} {first_of([str(id) for id in ids])}"
            for word, ids in (("added", self.added), ("changed", self.changed), ("removed", self.removed))
            if ids
        ]
        told = f"Settings read again: {'; '.join(parts) or 'no source differs'}."
        if not self.needs_restart:
            return told
        verb = noun(len(self.needs_restart), "waits", "wait")
        others = count(len(self.needs_restart), "other setting")
        return f"{told} {others} {verb} for a restart: {first_of(self.needs_restart)}."


def reloaded(current: Settings) -> Reloaded:
    """Return the settings as environment and file say now, with nothing but their sources taken.

    Raises SettingsError, whose message has a line a problem: nothing of wrong settings is taken.
    """
    found = load_settings()
    before, after = sources_of(current), sources_of(found)
    file = config_file()
    if before.keys() - after.keys() and not file.exists():
        raise SettingsError(f"{file}: it is gone; an empty one would take its sources away")
    return Reloaded(
        current.model_copy(update={WATCH: found.watch}),
        added=tuple(id for id in after if id not in before),
        changed=tuple(id for id in after if id in before and after[id] != before[id]),
        removed=tuple(id for id in before if id not in after),
        needs_restart=tuple(
            name for name in Settings.model_fields if name != WATCH and getattr(found, name) != getattr(current, name)
        ),
    )


def sources_of(settings: Settings) -> Mapping[SourceId, Source]:
    """Return every watched source by its id."""
    return {source.id: source for kind in KINDS for source in settings.watch.of(kind)}
