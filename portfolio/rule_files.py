"""The rules in force, read again when one of their files was changed."""

from __future__ import annotations

from collections.abc import Sequence

from core.alerts.rule import Rule
from core.alerts.rule_set import RuleSet, load_rules, require
from core.memo import Memo
from core.settings.model import Settings, config_file
from portfolio.vocabulary import query_of, vocabulary

SUFFIXES = (".yaml", ".yml")
_READ: Memo[tuple[Settings, RuleSet]] = Memo(4)
"""Beside the settings, so that their id is that of no others meanwhile."""


def rule_set(settings: Settings) -> RuleSet:
    """Return the rules of these settings and of the files of their folder, with what is wrong with them."""
    return _READ.get((id(settings), _files(settings)), lambda: (settings, _read(settings)))[1]


def in_force(settings: Settings) -> Sequence[Rule]:
    """Return the rules that are evaluated. Raises SettingsError, a line a mistake, until they are mended."""
    return require(rule_set(settings)).in_force()


def _read(settings: Settings) -> RuleSet:
    return load_rules(settings, config_file(), vocabulary(), query_of)


def _files(settings: Settings) -> tuple[object, ...]:
    folder = settings.rules_dir
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return tuple((path, (found := path.stat()).st_mtime_ns, found.st_size) for path in files)
