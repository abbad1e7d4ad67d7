"""The rules in force, read again when one of their files was changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.alerts.rule import Rule
from core.alerts.rule_set import files_stamp, load_rules, require
from core.settings.model import Settings
from portfolio.vocabulary import query_of, vocabulary


class RuleFiles:
    """The rules of the settings and of the files of their folder. Called by one thread."""

    def __init__(self, settings: Settings, config: Path) -> None:
        """config: the file that the settings are of."""
        self._settings = settings
        self._config = config
        self._seen: object = None
        self._rules: Sequence[Rule] = ()

    def in_force(self) -> Sequence[Rule]:
        """Return the rules that are evaluated. Raises SettingsError, a line a mistake, until they are mended."""
        seen = files_stamp(self._settings)
        if seen != self._seen:
            self._rules = require(load_rules(self._settings, self._config, vocabulary(), query_of)).in_force()
            self._seen = seen
        return self._rules
