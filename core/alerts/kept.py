"""Rules that people made on the page Rules or by the API, and those that they switched off."""

from __future__ import annotations

from dataclasses import dataclass

STATE_DATABASE = "state database"
"""What stands for the file of a rule that is kept there."""
MOST_CHARACTERS = 10_000
"""Of the text of a rule."""


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule as it was written: a file of rules with this one in it. Times are epoch seconds."""

    name: str
    text: str
    made_by: str
    made_at: float
    changed_by: str
    changed_at: float
    version: int = 1
    """Counts its changes: who changes it says which one he has seen."""


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A rule that somebody switched off, wherever it stands."""

    name: str
    who: str
    at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class KeptRules:
    """All that the state database has of rules."""

    rules: tuple[KeptRule, ...] = ()
    off: tuple[SwitchedOff, ...] = ()

    def rule(self, name: str) -> KeptRule | None:
        """Return the rule of a name; None: it is not kept here."""
        return next((each for each in self.rules if each.name == name), None)

    def switched_off(self, name: str) -> SwitchedOff | None:
        """Return who switched a rule off; None: nobody did."""
        return next((each for each in self.off if each.name == name), None)


NOTHING_KEPT = KeptRules()
