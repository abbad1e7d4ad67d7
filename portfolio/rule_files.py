"""The rules in force, read again when one of their files was changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.alerts.files import RuleFault, rule_files_in
from core.alerts.rule import Rule
from core.alerts.rule_set import RuleSet, assemble, load_rules, require
from core.errors import SettingsError
from core.memo import Memo
from core.settings.model import Settings, config_file
from portfolio.vocabulary import query_of, vocabulary

_READ: Memo[tuple[Settings, RuleSet]] = Memo(4)
"""Beside the settings, so that their id is that of no others meanwhile."""


def rule_set(settings: Settings) -> RuleSet:
    """Return the rules of these settings and of the files of their folder, with what is wrong with them."""
    try:
        seen = tuple(map(_seen, rule_files_in(settings.rules_dir)))
    except SettingsError as error:
        found = assemble([], vocabulary(), query_of)
        return replace(found, faults=(RuleFault(str(settings.rules_dir), 1, "", str(error)),))
    return _READ.get((id(settings), seen), lambda: (settings, _read(settings)))[1]


def in_force(settings: Settings) -> Sequence[Rule]:
    """Return the rules that are evaluated. Raises SettingsError, a line a mistake, until they are mended."""
    return require(rule_set(settings)).in_force()


def _read(settings: Settings) -> RuleSet:
    return load_rules(settings, config_file(), vocabulary(), query_of)


def _seen(path: Path) -> object:
    """Return what is another one when a file was changed, or may be read now."""
    try:
        found = path.stat()
    except OSError:
        return path, None
    return path, found.st_mtime_ns, found.st_ctime_ns, found.st_size
