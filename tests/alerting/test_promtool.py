"""Tests of rules beside promtool's: the same rules over the same series give the same alerts at the same times."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerting.trial import START, Trial, failures, series_of
from core.alerts.rule import Rule
from status.played import played
from tests.support.servers import ROOT

PROGRAM = ROOT / ".cache" / "promtool" / "usr" / "bin" / "promtool"
MINUTE_SECONDS = 60
A, B = 'disk_ratio{mount="/a"}', 'disk_ratio{mount="/b"}'


@dataclass(frozen=True)
class Case:
    """A rule in both languages, and series: each a value a minute."""

    name: str
    ours: str
    theirs: str
    series: dict[str, str]
    minutes: int
    holds_minutes: int = 0
    """for"""
    keeps_minutes: int = 0
    """keep_firing_for"""

    @property
    def rule(self) -> Rule:
        return Rule.model_validate({
            "name": self.name, "when": self.ours, "severity": "critical", "every": "1 min", "no_data": "ok",
            "for": f"{self.holds_minutes} min", "keep_firing_for": f"{self.keeps_minutes} min",
        })  # fmt: skip

    @property
    def promtool_rule(self) -> dict[str, Any]:
        return {
            "alert": self.name, "expr": self.theirs, "labels": {"severity": "critical"},
            "for": f"{self.holds_minutes}m", "keep_firing_for": f"{self.keeps_minutes}m",
        }  # fmt: skip

    def trial(self, firing: Sequence[Sequence[dict[str, str]]]) -> Trial:
        """Return a test of ours that expects these labels to fire, minute by minute."""
        return Trial.model_validate({
            "name": self.name,
            "series": [{"figure": of, "every": "1 min", "values": values} for of, values in self.series.items()],
            "expect": [
                {"at": at * MINUTE_SECONDS, "rule": self.name, "firing": [{"labels": each} for each in some]}
                for at, some in enumerate(firing)
            ],
        })  # fmt: skip

    def promtool_trial(self, firing: Sequence[Sequence[dict[str, str]]]) -> dict[str, Any]:
        return {
            "interval": "1m",
            "input_series": [{"series": of, "values": values} for of, values in self.series.items()],
            "alert_rule_test": [
                {"eval_time": f"{at}m", "alertname": self.name,
                 "exp_alerts": [{"exp_labels": {**each, "severity": "critical"}} for each in some]}
                for at, some in enumerate(firing)
            ],
        }  # fmt: skip

    def fires(self) -> list[list[dict[str, str]]]:
        """Return which labels fire by our rule, minute by minute."""
        series = [series_of(each) for each in self.trial([[]]).series]
        times = (START + minute * MINUTE_SECONDS for minute in range(self.minutes))
        return [
            [dict(of) for of, each in sorted(now.known.items()) if each.fires]
            for now in played(self.rule, series, times)
        ]


ABOVE, ABSENT = ("disk_ratio > 0.9", "disk_ratio > 0.9"), ('absent(disk_ratio{mount="/a"})',) * 2
KNOWN = [
    (Case("at-once", *ABOVE, {A: "0.5x2 0.95x3 0.5x4"}, 10), [3, 4, 5, 6]),
    (Case("with-for", *ABOVE, {A: "0.5x2 0.95x5 0.5x4"}, 12, holds_minutes=3), [6, 7, 8]),
    (Case("too-short", *ABOVE, {A: "0.5 0.95x2 0.5 0.95x2 0.5x3"}, 9, holds_minutes=3), []),
    (Case("keeps-firing", *ABOVE, {A: "0.95x2 0.5x8"}, 10, keeps_minutes=4), [*range(7)]),
    (Case("kept-and-back", *ABOVE, {A: "0.95x1 0.5x2 0.95 0.5x9"}, 14, keeps_minutes=4), [*range(10)]),
    (Case("absent", *ABSENT, {A: "0.5x3 stale _x3 0.5x3", B: "0.5x12"}, 12, holds_minutes=2), [6, 7]),
    (Case("never-there", *ABSENT, {B: "0.5x6"}, 6, holds_minutes=2), [2, 3, 4, 5]),
]  # fmt: skip
"""Cases, and the minutes in which mount /a fires."""


def random_case(number: int) -> Case:
    """Return a case of two sets of labels that go up and down: six times would be flapping, which promtool has not."""
    by = random.Random(number)
    spans = {of: [f"{by.choice([0.5, 0.95])}x{by.randrange(7)}" for _ in range(4)] for of in (A, B)}
    series = {of: " ".join([*some, "0.5x24"]) for of, some in spans.items()}
    return Case(f"random-{number}", *ABOVE, series, 24, by.randrange(4), by.randrange(4))


def promtool(folder: Path, cases: Sequence[Case], firing: Sequence[Any]) -> subprocess.CompletedProcess[str]:
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM.relative_to(ROOT)} is missing: make {PROGRAM.relative_to(ROOT)} fetches it")
    for case, some in zip(cases, firing, strict=True):
        rules = {"groups": [{"name": "g", "interval": "1m", "rules": [case.promtool_rule]}]}
        content = {"rule_files": [f"{case.name}.rules"], "evaluation_interval": "1m",
                   "tests": [case.promtool_trial(some)]}  # fmt: skip
        (folder / f"{case.name}.rules").write_text(yaml.safe_dump(rules))
        (folder / f"{case.name}.yml").write_text(yaml.safe_dump(content))
    command = [str(PROGRAM), "test", "rules", *(f"{case.name}.yml" for case in cases)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("case", "minutes"), KNOWN, ids=[case.name for case, _ in KNOWN])
def test_what_is_known_by_hand_both_find(tmp_path: Path, case: Case, minutes: list[int]) -> None:
    theirs = [[{"mount": "/a"}] if at in minutes else [] for at in range(case.minutes)]
    # Of a series that is not there we say nothing of its labels.
    ours = [[{} for _ in some] for some in theirs] if case.ours.startswith("absent") else theirs
    assert case.fires() == ours
    assert failures(case.trial(ours), {case.name: case.rule}) == []
    ran = promtool(tmp_path, [case], [theirs])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    wrong = [*ours[:-1], [{"mount": "/z"}]]
    assert failures(case.trial(wrong), {case.name: case.rule}) != []
    assert promtool(tmp_path, [case], [wrong]).returncode == 1


def test_two_sets_of_labels_that_go_up_and_down_give_the_same_alerts_minute_by_minute(tmp_path: Path) -> None:
    cases = [random_case(number) for number in range(120)]
    firing = [each.fires() for each in cases]
    assert sum(len({str(some) for some in each}) > 2 for each in firing) > 60, "most of them say something"
    ran = promtool(tmp_path, cases, firing)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[:4_000]
