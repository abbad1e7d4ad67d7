"""The rules in force as their files change while the program runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.alerts.kept import NOTHING_KEPT
from core.alerts.rule_set import require
from core.errors import SettingsError
from core.settings.load import load_settings
from core.settings.model import Settings
from portfolio.rule_files import rules_of

RULE = "rules: [{name: desk, when: system_cpu_busy_ratio > 80 %}]\n"


def names(files: Settings) -> set[str]:
    return {rule.name for rule in require(rules_of(files, NOTHING_KEPT)).in_force()}


@pytest.fixture
def files(tmp_path: Path) -> Settings:
    return load_settings().model_copy(update={"rules_dir": tmp_path / "rules"})


def test_what_editors_leave_beside_the_files_is_none_of_them(files: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    assert "desk" not in names(files), "there is no folder"
    folder.mkdir()
    (folder / "desk.yaml").write_text(RULE)
    (folder / ".#desk.yaml").symlink_to("ana@desk.1234:1700000000")
    (folder / ".hidden.yml").write_text("no rules at all")
    assert "desk" in names(files)


def test_what_cannot_be_read_is_told_and_taken_once_it_can(files: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.write_text("it is a file")
    with pytest.raises(SettingsError, match="cannot be read: Not a directory"):
        names(files)
    folder.unlink()
    folder.mkdir()
    (folder / "desk.yaml").symlink_to(tmp_path / "away.yaml")
    with pytest.raises(SettingsError, match=r"desk\.yaml:1: .*No such file"):
        names(files)
    (tmp_path / "away.yaml").write_text(RULE)
    assert "desk" in names(files)
