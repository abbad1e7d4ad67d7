"""The rules in force, read again when one of their files, or what the state database has of them, was changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.alerts.files import RuleFault, RuleFile, read_rules, rule_files_in
from core.alerts.kept import NOTHING_KEPT, STATE_DATABASE, KeptRules
from core.alerts.rule import Rule
from core.alerts.rule_set import RuleSet, assemble, load_rules, require, with_kept
from core.errors import SettingsError, StorageError
from core.memo import Memo
from core.settings.model import Settings, config_file
from portfolio.vocabulary import query_of, vocabulary
from storage.state.rules import kept_in

if TYPE_CHECKING:
    from storage.state.database import State
    from storage.stores import Stores

_READ: Memo[tuple[Settings, RuleSet]] = Memo(4)
"""Beside the settings, so that their id is that of no others meanwhile."""
MOST_TEXTS = 5_000
log = logging.getLogger(__name__)


def rule_set(stores: Stores) -> RuleSet:
    """Return every rule, with what is wrong with them; what the state database does not answer is told among that."""
    try:
        return rules_of(stores.settings, kept_rules(stores.state))
    except StorageError as error:
        found = rules_of(stores.settings, NOTHING_KEPT)
        wrong = RuleFault(STATE_DATABASE, 1, "", f"rules that were made here cannot be read: {error}")
        return replace(found, left_out=(*found.left_out, wrong))


def in_force(stores: Stores) -> Sequence[Rule]:
    """Return every rule, those that are not evaluated with `is_enabled` False.

    Raises SettingsError, a line a mistake, until files are mended; StorageUnavailable.
    """
    return require(rules_of(stores.settings, kept_rules(stores.state))).told_off()


def kept_rules(state: State) -> KeptRules:
    """Return what the state database has of rules. Raises StorageUnavailable."""
    with state.reading() as connection:
        return kept_in(connection)


def rules_of(settings: Settings, kept: KeptRules) -> RuleSet:
    """Return the rules of these settings, of the files of their folder and of the state database."""
    try:
        seen = tuple(map(_seen, rule_files_in(settings.rules_dir)))
    except SettingsError as error:
        found = with_kept(assemble([], vocabulary(), query_of), kept, _read_kept)
        return replace(found, faults=(RuleFault(str(settings.rules_dir), 1, "", str(error)),))
    return _READ.get((id(settings), seen, kept), lambda: (settings, _read(settings, kept)))[1]


def _read(settings: Settings, kept: KeptRules) -> RuleSet:
    found = with_kept(load_rules(settings, config_file(), vocabulary(), query_of), kept, _read_kept)
    for fault in found.left_out:
        log.warning("alerts: a rule of the state database is left out: %s", fault)
    return found


@lru_cache(MOST_TEXTS)
def _read_kept(text: str) -> RuleFile:
    """Return what a rule of the state database says: of many only the one that was changed is read anew."""
    return read_rules(text, STATE_DATABASE, vocabulary(), query_of)


def _seen(path: Path) -> object:
    """Return what is another one when a file was changed, or may be read now."""
    try:
        found = path.stat()
    except OSError:
        return path, None
    return path, found.st_mtime_ns, found.st_ctime_ns, found.st_size
