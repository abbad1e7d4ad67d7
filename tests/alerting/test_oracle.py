"""The same alerts, silences, routes and inhibitions given to Fundwatch and to a real Alertmanager: both say the same.

Where they mean to differ nothing is compared: what rests on each other in a circle, and incidents of those whom a route
that goes on tells of some alone (docs/alerting.md).
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from alerting.figures import Figures
from alerting.quiet import Causes
from alerting.router import Router
from alerting.runner import Runner
from core.alerts.rule import Rule
from core.alerts.rule_set import assemble
from core.alerts.sent import RULE
from core.alerts.severity import Severity
from core.clock import FakeClock, SystemClock
from core.model import labels
from core.settings.alerts import Alerts
from core.settings.channels import Channels, Webhook
from core.settings.routes import Route
from portfolio.vocabulary import query_of, vocabulary
from storage.stores import Stores
from tests.support.alerting import Alerting
from tests.support.alertmanager import alertmanager
from tests.support.amtool import Amtool, asking

SEED = 7
NAMES, TEAMS, ZONES = ("NetworkDown", "DbSlow", "CacheFull", "JobLate"), ("db", "cache", ""), ("eu-1", "eu-2", "us")
SEVERITIES = ("info", "warning", "critical")
POSTED = ("alertname", "team", "zone", "severity", "host")
INHIBIT = (
    '{severity="critical"} hides {severity="warning"} by zone, team',
    '{alertname="NetworkDown"} hides {alertname=~"Db.*|Cache.*", team!="net"} by zone',
)
ROUTES = (
    Route(labels={"team": "db|cache"}, receivers=("stores",), group_by=("alertname", "team")),
    Route(labels={"zone": "eu-.*"}, receivers=("europe", "desk"), group_by=("zone",)),
    Route(receivers=("desk",), group_by=("alertname",)),
)
CONFIG = """
route:
  receiver: nobody
  group_wait: 0s
  routes:
    - {matchers: ['team=~"db|cache"'], receiver: stores, group_by: [alertname, team]}
    - {matchers: ['zone=~"eu-.*"'], receiver: europe, group_by: [zone], continue: true}
    - {matchers: ['zone=~"eu-.*"'], receiver: desk, group_by: [zone]}
    - {receiver: desk, group_by: [alertname]}
receivers: [{name: nobody}, {name: stores}, {name: europe}, {name: desk}]
inhibit_rules:
  - {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [zone, team]}
  - {source_matchers: ['alertname="NetworkDown"'], target_matchers: ['alertname=~"Db.*|Cache.*"', 'team!="net"'],
     equal: [zone]}
"""

Alert = frozenset[tuple[str, str]]
"""The labels with which one was sent."""


@dataclass
class Both:
    """Fundwatch and Alertmanager, each with its client; both hold the same alerts."""

    ours: Amtool
    theirs: Amtool
    runner: Runner

    def get(self, path: str, **asked: Any) -> tuple[Any, Any]:
        """Return what each answers, ours after a tick."""
        self.runner.step()
        answers = [self._ask("GET", of, path, params=asked) for of in (self.ours, self.theirs)]
        assert [each.status_code for each in answers] == [200, 200], (path, asked, [each.text for each in answers])
        return answers[0].json(), answers[1].json()

    def post(self, path: str, body: Any) -> list[requests.Response]:
        return [self._ask("POST", of, path, json=body) for of in (self.ours, self.theirs)]

    def states(self) -> list[dict[Alert, tuple[str, bool, bool]]]:
        """Return of each the state of every alert, and whether a silence or else another alert hides it.

        Of one that both do Fundwatch names the silence.
        """
        return [{alert_of(each): state_of(each["status"]) for each in found} for found in self.get("alerts")]

    @staticmethod
    def _ask(method: str, of: Amtool, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {of.secret}"}
        return requests.request(method, f"{of.url}/api/v2/{path}", headers=headers, timeout=60, **more)


@pytest.fixture
def both(stores: Stores, tmp_path: Path) -> Iterator[Both]:
    with comparing(stores, tmp_path, population(random.Random(SEED))) as found:
        yield found


@contextmanager
def comparing(stores: Stores, folder: Path, alerts: Sequence[Mapping[str, str]]) -> Iterator[Both]:
    hooks = tuple(Webhook(name=name, url=SecretStr("http://127.0.0.1:9/")) for name in ("stores", "europe", "desk"))
    changed = {"channels": Channels(webhook=hooks), "routes": ROUTES, "alerts": Alerts(inhibit=INHIBIT)}
    made = replace(stores, settings=stores.settings.model_copy(update=changed), clock=SystemClock())
    rules = [each for each in assemble([], vocabulary(), query_of).in_force() if each.name == RULE]
    figures, sender = Figures(made), Alerting(made)  # its deliveries send nothing
    figures.use(rules)
    causes, router = Causes({}, made.settings.alerts.inhibitions), Router(lambda: ROUTES, made.clock)
    runner = Runner(made, lambda: rules, figures, router, causes, None, lambda *_: sender)
    for name in ("ours", "theirs"):
        (folder / name).mkdir()
    with alertmanager(CONFIG, folder / "theirs") as url, asking(made, folder / "ours") as ours:
        found = Both(ours, Amtool(url, "none", folder / "theirs"), runner)
        ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        answers = found.post("alerts", [{"labels": each, "endsAt": ends} for each in alerts])
        assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]
        yield found


def population(chance: random.Random) -> list[dict[str, str]]:
    """Return 80 alerts; some have no team."""
    found = []
    for number in range(80):
        name = chance.choice(NAMES)
        team = "net" if name == "NetworkDown" else chance.choice(TEAMS)
        drawn = (name, team, chance.choice(ZONES), chance.choice(SEVERITIES), f"h{number}")
        found.append({label: value for label, value in zip(POSTED, drawn, strict=True) if value})
    return found


def matchers(chance: random.Random) -> list[tuple[str, str, str]]:
    """Return one to three matchers."""
    values = {
        "alertname": (*NAMES, "Db.*", "DbSlow|JobLate", ""), "team": ("db", "cache", "", "d.", ".+", ".*"),
        "zone": (*ZONES, "eu-[12]", "eu"), "severity": (*SEVERITIES, "w.*|info"), "host": ("h1", "h.", "h[1-5]."),
        "nowhere": ("", "x", ".*"),
    }  # fmt: skip
    labels = chance.sample(sorted(values), chance.randint(1, 3))
    return [(label, chance.choice(("=", "!=", "=~", "!~")), chance.choice(values[label])) for label in labels]


def state_of(status: Mapping[str, Any]) -> tuple[str, bool, bool]:
    is_silenced = bool(status["silencedBy"])
    return status["state"], is_silenced, bool(status["inhibitedBy"]) and not is_silenced


def alert_of(told: Mapping[str, Any]) -> Alert:
    return frozenset((label, value) for label, value in told["labels"].items() if label in POSTED)


def test_queries_by_matchers_find_the_same_alerts(both: Both) -> None:
    chance, found = random.Random(SEED), 0
    for _ in range(60):
        asked = [f'{label}{operator}"{value}"' for label, operator, value in matchers(chance)]
        ours, theirs = (sorted(map(sorted, map(alert_of, each))) for each in both.get("alerts", filter=asked))
        assert ours == theirs, asked
        found += 0 < len(ours) < 80
    assert found > 15, "most queries found all or nothing: they compare little"
    words = ("alert", "query", "team=db", 'zone=~"eu-.*"', "-o", "json")
    ours, theirs = (sorted(map(sorted, map(alert_of, json.loads(of(*words))))) for of in (both.ours, both.theirs))
    assert ours == theirs and ours


def test_the_same_alerts_hide_others_and_the_same_go_together(both: Both) -> None:
    ours, theirs = both.states()
    assert ours == theirs
    assert 5 < sum(is_inhibited for _, _, is_inhibited in ours.values()) < 70
    shown, meant = (
        {(each["receiver"]["name"], frozenset(map(alert_of, each["alerts"]))) for each in found}
        for found in both.get("alerts/groups")
    )
    assert shown == meant and len(shown) > 8
    (told, wanted) = (
        {alert_of(each): sorted(one["name"] for one in each["receivers"]) for each in found}
        for found in both.get("alerts")
    )
    assert told == wanted


def test_silences_are_taken_or_refused_and_hide_the_same_until_they_are_expired(both: Both) -> None:
    chance, now = random.Random(SEED + 1), datetime.now(UTC)
    times = {"startsAt": (now - timedelta(minutes=1)).isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    made: list[tuple[str, str]] = []
    refused = 0
    for _ in range(25):
        meant = [
            {"name": label, "value": value, "isRegex": "~" in operator, "isEqual": operator[0] == "="}
            for label, operator, value in matchers(chance)
        ]
        answers = both.post("silences", {"matchers": meant, **times, "createdBy": "ana", "comment": "known"})
        if "means every alert, or nearly all" in answers[0].text and any(not each["isEqual"] for each in meant):
            # Alertmanager takes one that means nearly all alerts if it says so by a negation.
            both.theirs("silence", "expire", answers[1].json()["silenceID"])
            continue
        assert answers[0].ok == answers[1].ok, (meant, [each.text for each in answers])
        if not answers[0].ok:
            refused += 1
            continue
        made.append((answers[0].json()["silenceID"], answers[1].json()["silenceID"]))
        if len(made) % 3 == 1:
            assert_the_same(both)
    assert refused and len(made) > 8
    for number, ids in enumerate(made):
        for of, id in zip((both.ours, both.theirs), ids, strict=True):
            of("silence", "expire", id)
        if number % 4 == 0:
            assert_the_same(both)
    assert_the_same(both)
    assert not any(is_silenced for _, is_silenced, _ in both.states()[0].values())


def assert_the_same(both: Both) -> None:
    """Also the silences that hold, by what they mean."""
    ours, theirs = both.states()
    assert ours == theirs
    shown, meant = (
        sorted(
            sorted((one["name"], one["value"], one["isRegex"], one["isEqual"]) for one in each["matchers"])
            for each in found
            if each["status"]["state"] == "active"
        )
        for found in both.get("silences")
    )
    assert shown == meant


def test_amtool_makes_finds_and_expires_silences_alike(both: Both) -> None:
    said = []
    for of in (both.ours, both.theirs):
        id = of("silence", "add", "JobLate", "team=~d.", "--duration=1h", "--author=ana", "--comment=known").strip()
        both.runner.step()
        hidden = [*map(alert_of, of.json("alert", "query", "--silenced", "--inhibited"))]
        queried = [len(of.json("silence", "query", *words)) for words in ((), ("team=db",), ("alertname=JobLate",))]
        of("silence", "expire", id)
        ended = len(of.json("silence", "query")), len(of.json("silence", "query", "--expired"))
        said.append((sorted(map(sorted, hidden)), queried, ended))
    assert said[0] == said[1] and said[0][0]


def test_routes_lead_to_the_same_receivers(tmp_path: Path) -> None:
    routes = (
        Route(labels={"team": "db|cache"}, receivers=("stores",), goes_on=True),
        Route(severities=("critical",), receivers=("pager",)),
        Route(labels={"team": "db", "zone": "eu.*"}, receivers=("europe",), goes_on=True),
        Route(labels={"zone": "eu"}, receivers=("nobody-else",)),
        Route(severities=("warning", "critical"), receivers=("desk",)),
    )
    config = tmp_path / "routes.yml"
    config.write_text("""
route:
  receiver: none
  routes:
    - {matchers: ['team=~"db|cache"'], receiver: stores, continue: true}
    - {matchers: ['severity="critical"'], receiver: pager}
    - {matchers: ['team="db"', 'zone=~"eu.*"'], receiver: europe, continue: true}
    - {matchers: ['zone=~"eu"'], receiver: nobody-else}
    - {matchers: ['severity=~"warning|critical"'], receiver: desk}
receivers: [{name: none}, {name: stores}, {name: pager}, {name: europe}, {name: nobody-else}, {name: desk}]
""")
    router = Router(lambda: routes, FakeClock())
    rule = Rule.model_validate({"name": "cpu", "when": "cpu > 80 %"})
    amtool = Amtool("http://127.0.0.1:9", "none", tmp_path).program
    asked = [*itertools.product(("db", "cache", "web"), ("eu", "eu-1", "us"), ("info", "warning", "critical"))]
    for team, zone, severity in asked:
        words = [f"team={team}", f"zone={zone}", f"severity={severity}"]
        command = [amtool, "config", "routes", "test", f"--config.file={config}", *words]
        meant = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
        _, plan = router(rule, labels(team=team, zone=zone))
        told = ",".join(plan.at(Severity.of(severity)).receivers) or "none"
        assert told == meant, words
