"""Every row of docs/alert-states.md has a test of its number."""

from __future__ import annotations

import re
from pathlib import Path

from tests.alerting.test_conditions import COURSES

FOLDER = Path(__file__).parent
TABLE = FOLDER.parents[1] / "docs" / "alert-states.md"


def test_every_transition_has_a_test_and_every_number_is_one_of_the_table() -> None:
    rows = re.findall(r"^\| ([AB]\d+) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    marks = [
        row
        for file in FOLDER.rglob("test_*.py")
        for named in re.findall(r"^@pytest\.mark\.transition\((.*)\)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        for row in re.findall(r'"(\w+)"', named)
    ]
    courses = [name.partition(" ")[0] for name, *_ in COURSES if re.match(r"[AB]\d+ ", name)]
    assert len(rows) == len(set(rows)) == 38
    assert {*marks, *courses} == {*rows}
