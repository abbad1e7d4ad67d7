"""A Prometheus names Fundwatch as its Alertmanager: what it sends fires, is told by one rule, and ends."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from access.viewer import Viewer
from alerting.figures import Figures
from alerting.quiet import Causes
from alerting.readiness.alerts import urgent
from alerting.router import Router
from alerting.runner import Runner
from core.alerts.rule_set import assemble
from core.alerts.sent import BELIEVED_SECONDS, KEPT_SECONDS, MOST, RULE
from core.alerts.spec import ALERTS as ENGINE
from core.clock import FakeClock
from core.readiness import State
from core.roles import Role
from core.settings.routes import routes_of
from portfolio.vocabulary import query_of, vocabulary
from status.alerts import alerts_now
from storage.live.redis import Live
from storage.live.sent_alerts import read_sent
from storage.state.alerts import read_history
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.alerting import Alerting
from tests.support.amtool import asking
from tests.support.api import LIMITED, READER, client_of

OPERATOR = Viewer("otto", Role.OPERATOR)
ALERTS = "/api/v2/alerts"


class Sending:
    """An engine that evaluates the rule of what is sent, by the clock of the test."""

    def __init__(self, stores: Stores) -> None:
        self.stores = replace(stores, clock=FakeClock(time.time()))
        self.begin()

    def begin(self) -> None:
        settings = self.stores.settings
        rules = [each for each in assemble([], vocabulary(), query_of).in_force() if each.name == RULE]
        figures, router = (
            Figures(self.stores),
            Router(lambda: routes_of(settings.routes, settings.channels), self.stores.clock),
        )
        figures.use(rules)
        sender = Alerting(self.stores)  # its deliveries send nothing
        self.runner = Runner(self.stores, lambda: rules, figures, router, Causes({}), None, lambda *_: sender)
        self.runner.step()

    def after(self, seconds: float) -> None:
        clock = self.stores.clock
        assert isinstance(clock, FakeClock)
        clock.advance(seconds)
        for _ in range(2):  # a condition that has to wait for its turn
            self.runner.step()
            clock.advance(6)
        self.runner.step()

    def send(self, *alerts: dict[str, Any], status: int = 200, viewer: Viewer = OPERATOR) -> Any:
        answer = client_of(self.stores, viewer).post(ALERTS, json=[*alerts])
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None

    def fires(self, viewer: Viewer = READER) -> dict[str, str]:
        """Return the severity of what fires, by name."""
        found = client_of(self.stores, viewer).get(ALERTS).json
        return {each["labels"]["alertname"]: each["labels"]["severity"] for each in found}

    def hence(self, seconds: float) -> str:
        return datetime.fromtimestamp(self.stores.clock.now() + seconds, UTC).isoformat()


@pytest.fixture
def sending(stores: Stores) -> Sending:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    return Sending(stores)


def alert(name: str, severity: str = "", **more: Any) -> dict[str, Any]:
    return {"labels": {"alertname": name, "severity": severity, "instance": "web-1"}, **more}


def test_what_amtool_adds_fires_with_its_labels_and_what_it_says(sending: Sending, tmp_path: Path) -> None:
    with asking(sending.stores, tmp_path) as amtool:
        amtool("alert", "add", "HighCPU", "severity=page", "instance=web-1", "--annotation=description=CPU at 97 %")
        sending.after(6)
        (found,) = amtool.json("alert", "query", "alertname=HighCPU")
        assert found["labels"] == {
            "alertname": "HighCPU", "severity": "urgent", "instance": "web-1", "rule": "sent", "category": "system",
        }  # fmt: skip
        assert found["annotations"] == {"summary": "HighCPU", "description": "CPU at 97 %"}
        id = amtool("silence", "add", "HighCPU", "--comment=known", "--author=x", "--duration=1h").strip()
        sending.after(1)
        (hidden,) = amtool.json("alert", "query", "--silenced")
        assert hidden["status"]["silencedBy"] == [id]


def test_severities_are_understood(sending: Sending) -> None:
    words = {
        "page": "urgent",
        "error": "critical",
        "Critical": "critical",
        "": "warning",
        "odd": "warning",
        "none": "info",
    }
    sending.send(*(alert(f"of {word}", word) for word in words))
    sending.after(6)
    assert sending.fires() == {f"of {word}": severity for word, severity in words.items()}


def test_one_ends_when_it_says_and_is_forgotten(sending: Sending) -> None:
    sending.send(alert("Long", endsAt=sending.hence(3_600)), alert("Short", endsAt=sending.hence(60)))
    sending.after(6)
    assert set(sending.fires()) == {"Long", "Short"}
    sending.after(60)
    assert set(sending.fires()) == {"Long"}
    sending.send(alert("Long", endsAt=sending.hence(-1)))
    sending.after(6)
    assert sending.fires() == {}
    sending.after(KEPT_SECONDS + 1)
    sending.send(alert("Other"))
    assert [dict(each.labels)["alertname"] for each in read_sent(sending.stores.live)] == ["Other"]


def test_one_without_an_end_is_believed_for_five_minutes(sending: Sending) -> None:
    sending.send(alert("A"), alert("B", endsAt="0001-01-01T00:00:00Z"))
    sending.after(BELIEVED_SECONDS - 60)
    assert set(sending.fires()) == {"A", "B"}
    sending.send(alert("A"))  # sent again
    sending.after(61)
    assert set(sending.fires()) == {"A"}


def test_what_redis_has_lost_is_believed_until_it_ends(sending: Sending) -> None:
    sending.send(alert("A", endsAt=sending.hence(240)))
    sending.after(6)
    sending.stores.live.client.flushall()
    sending.after(60)
    assert set(sending.fires()) == {"A"}, "Prometheus sends it again, which is no other alert"
    sending.after(200)
    assert sending.fires() == {}


def test_after_a_start_without_what_was_sent_it_fires_on_until_it_would_have_been_sent_again(sending: Sending) -> None:
    sending.send(alert("A", "page"), alert("B", "page"))
    sending.after(6)
    sending.stores.live.client.flushall()
    sending.begin()
    sending.after(30)
    assert set(sending.fires()) == {"A", "B"}
    reading = sending.stores.live.readings([ENGINE])[ENGINE]
    assert urgent(reading, [], sending.stores.clock.now())[0].state is State.NOT_READY
    sending.send(alert("A", "page"))
    sending.after(BELIEVED_SECONDS - 30)
    assert set(sending.fires()) == {"A"}
    with sending.stores.state.reading() as connection:
        happened = [(row.what, row.labels) for _, row in reversed(read_history(connection, 10))]
    assert [what for what, of in happened if '"A"' in of] == ["fires"]
    assert [what for what, of in happened if '"B"' in of] == ["fires", "resolved"]


def test_a_nul_ends_nothing(sending: Sending) -> None:
    sending.send({"labels": {"alertname": "A", "host": "a\0b"}, "annotations": {"description": "x\0y"}})
    sending.after(6)
    (found,) = client_of(sending.stores, READER).get(ALERTS).json
    assert (found["labels"]["host"], found["annotations"]["description"]) == ("ab", "xy")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"labels": {}}, "it has no labels"),
        ({"labels": {"alertname": ""}}, "it has no labels"),
        ({"labels": {"a b": "x"}}, "'a b' is no name of a label"),
        ({"labels": {"a": "x" * 2_000}}, "a has more than"),
        ({"labels": {"a": "x"}, "startsAt": "2999-01-01T00:00:00Z"}, "startsAt is after endsAt"),
    ],
)
def test_one_that_is_wrong_is_named_and_keeps_no_other_back(sending: Sending, wrong: dict[str, Any], said: str) -> None:
    told = sending.send(alert("Right"), wrong, alert("Too"), status=400)
    assert f"alert 1: {said}" in told and "2 other alerts taken" in told
    sending.after(6)
    assert set(sending.fires()) == {"Right", "Too"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"labels": {"a": 5}}, "1.labels.a"), ({"labels": {"a": "x"}, "endsAt": "tomorrow"}, "1.endsAt")],
)
def test_what_is_no_list_of_alerts_is_refused_whole(sending: Sending, wrong: dict[str, Any], said: str) -> None:
    assert said in sending.send(alert("Right"), wrong, status=400)
    assert read_sent(sending.stores.live) == []


def test_a_label_may_be_any_word_and_is_meant_in_quotes(sending: Sending, tmp_path: Path) -> None:
    sending.send({"labels": {"alertname": "Slow", "service.name": "oms"}})
    sending.after(6)
    (found,) = client_of(sending.stores, READER).get(ALERTS, query_string={"filter": '"service.name"="oms"'}).json
    assert found["labels"]["service.name"] == "oms"


def test_an_alert_on_readiness_is_no_reason_of_readiness(sending: Sending) -> None:
    of_ours = "http://prometheus:9090/graph?g0.expr=fundwatch_trading_ready+%3D%3D+0&g0.tab=1"
    of_others = "http://prometheus:9090/graph?g0.expr=up%7Bjob%3D%22readiness_checker%22%7D+%3D%3D+0&g0.tab=1"
    sending.send(alert("NotReady", "page", generatorURL=of_ours), alert("Down", "page", generatorURL=of_others),
                 alert("Bare", "page", generatorURL=None))  # fmt: skip
    sending.after(6)
    told = {each.title: each.follows_readiness for each in alerts_now(sending.stores).firing}
    assert told == {"NotReady": True, "Down": False, "Bare": False}


def test_who_may_not_send_does_not_and_who_is_limited_sees_no_other_portfolio(sending: Sending) -> None:
    of_beta = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
    reads = Viewer("service:eye", Role.OPERATOR, scopes=frozenset({"read"}))
    for viewer in (READER, of_beta, reads):
        sending.send(alert("A"), status=403, viewer=viewer)
    sending.send(*({"labels": {"alertname": each, "portfolio": each}} for each in ("alpha", "beta")))
    sending.after(6)
    assert set(sending.fires(LIMITED)) == {"beta"} and set(sending.fires()) == {"alpha", "beta"}


def test_too_many_are_refused_and_redis_away_is_said(sending: Sending) -> None:
    many = [{"labels": {"n": str(n)}} for n in range(MOST + 1)]
    assert "more than 10,000 alerts" in sending.send(*many, status=400)
    away = replace(sending.stores, live=Live("redis://127.0.0.1:9", "x"))
    assert client_of(away, OPERATOR).post(ALERTS, json=[alert("A")]).status_code == 503
    away.live.close()
