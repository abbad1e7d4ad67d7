"""What keeps alerts quiet: silences and windows of the state database, and causes that fire themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerting.changes import Firing, key_of
from alerting.quiet import Causes, Quiet
from core.alerts.conditions import Condition, Phase
from core.alerts.inhibition import read_inhibition
from core.alerts.matchers import read_matchers
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.silence import Silence, Window
from core.model import labels
from storage.state.database import State
from storage.state.silences import add_silence, add_window, end_silence, mute_all

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC).timestamp()
CPU = Rule.model_validate({"name": "cpu", "when": "cpu > 80 %", "category": "system", "labels": {"team": "ops"}})
A, B = labels(host="a"), labels(host="b")
FIRES = Condition(Phase.FIRING, severity=Severity.CRITICAL)


@pytest.fixture
def state(either_state: State) -> State:
    return either_state


def silence(matchers: str, begins: float = NOW, lasts: float = 3_600) -> Silence:
    return Silence(read_matchers(matchers), begins, begins + lasts, "why", "ana", NOW)


@pytest.mark.parametrize(
    ("matchers", "is_quiet"),
    [
        ('host="a"', True),
        ('host="b"', False),
        ('alertname="cpu", severity=~"critical|urgent"', True),
        ('severity="warning"', False),
        ('category="system", team!="desk", rule="cpu"', True),
    ],
)
def test_a_silence_means_alerts_by_all_their_labels(state: State, matchers: str, is_quiet: bool) -> None:
    add_silence(state, silence(matchers))
    quiet = Quiet(state)
    quiet.look(NOW)
    assert quiet.why(CPU, A, FIRES) == ("silence 1" if is_quiet else "")


@pytest.mark.transition("A15", "B7")
def test_what_lacks_data_has_its_labels_and_the_same_silence(state: State) -> None:
    add_silence(state, silence('host="a", severity="critical"'))
    quiet = Quiet(state)
    quiet.look(NOW)
    for phase in (Phase.FIRING, Phase.RECOVERING, Phase.NO_DATA, Phase.ERROR):
        blind = Condition(phase, severity=Severity.CRITICAL, is_announced=True)
        assert quiet.why(CPU, A, blind) == "silence 1", phase


def test_a_rule_that_is_changed_under_a_silence_is_quiet_by_what_it_is_now(state: State) -> None:
    add_silence(state, silence('team="ops", category="system"'))
    quiet = Quiet(state)
    quiet.look(NOW)
    assert quiet.why(CPU, A, FIRES) == "silence 1"
    changed = CPU.model_copy(update={"labels": {"team": "desk"}})
    assert quiet.why(changed, A, FIRES) == "" and quiet.why(CPU, A, FIRES) == "silence 1"


def test_a_silence_holds_in_its_time_and_until_it_is_ended(state: State) -> None:
    add_silence(state, silence('host="a"', NOW + 60))
    quiet = Quiet(state)
    found = []
    for seconds in (0, 60, 120):
        quiet.look(NOW + seconds)
        found.append((quiet.why(CPU, A, FIRES), quiet.why(CPU, B, FIRES)))
    assert found == [("", ""), ("silence 1", ""), ("silence 1", "")]
    end_silence(state, 1, "ana", NOW + 121)
    quiet.look(NOW + 121)
    assert quiet.why(CPU, A, FIRES) == ""


def test_everything_muted_is_what_is_told_before_any_silence(state: State) -> None:
    add_silence(state, silence('host="a"'))
    mute_all(state, Silence((), NOW, NOW + 60, "demonstration", "ana", NOW))
    quiet = Quiet(state)
    quiet.look(NOW)
    assert (quiet.why(CPU, A, FIRES), quiet.why(CPU, B, FIRES)) == ("everything is muted 2",) * 2
    quiet.look(NOW + 60)
    assert (quiet.why(CPU, A, FIRES), quiet.why(CPU, B, FIRES)) == ("silence 1", "")


def test_a_window_opens_and_closes_at_its_second_also_one_that_is_made_meanwhile(state: State) -> None:
    quiet = Quiet(state)
    quiet.look(NOW + 1)
    window = Window("w", read_matchers("host=a"), 0.0, 4e9, "why", "ana", NOW, "0 12 * * *", "UTC", 90.0)
    add_window(state, window)
    found = []
    for seconds in (2, 30, 89, 90, 86_399, 86_400):
        quiet.look(NOW + seconds)
        found.append(quiet.why(CPU, A, FIRES))
    assert found == ["maintenance 1"] * 3 + ["", "", "maintenance 1"]


def fires(component: str, severity: Severity = Severity.CRITICAL, rule: str = "state") -> Firing:
    of = Rule.model_validate({"name": rule, "when": "status >= critical"})
    found = labels(component=component)
    return Firing(key_of(rule, found), of, found, severity)


def told(*firing: Firing, rests_on: dict[str, tuple[str, ...]] | None = None) -> dict[str, str]:
    chain = {"Feed *": ("IQFeed *",), "IQFeed *": ("Network",)}
    found = Causes(rests_on or chain).why(firing)
    return {dict(each.labels)["component"]: found.get(each.key, "") for each in firing}


def test_of_a_chain_that_fires_its_last_cause_alone_is_told() -> None:
    assert told(fires("Feed L1"), fires("IQFeed main"), fires("Network"), fires("Redis main")) == {
        "Feed L1": "caused by Network", "IQFeed main": "caused by Network", "Network": "", "Redis main": "",
    }  # fmt: skip
    assert told(fires("Feed L1"), fires("Network")) == {"Feed L1": "caused by Network", "Network": ""}
    assert told(fires("Feed L1"), fires("IQFeed main")) == {"Feed L1": "caused by IQFeed main", "IQFeed main": ""}
    assert told(fires("Feed L1")) == {"Feed L1": ""}


def test_a_cause_that_is_critical_hides_what_is_urgent_and_a_warning_hides_nothing_graver() -> None:
    feed, network = fires("Feed L1", Severity.URGENT), fires("Network")
    assert told(feed, network) == {"Feed L1": "caused by Network", "Network": ""}
    assert told(feed, fires("Network", Severity.WARNING)) == {"Feed L1": "", "Network": ""}
    mild = fires("Feed L1", Severity.WARNING)
    assert told(mild, fires("Network", Severity.WARNING)) == {"Feed L1": "caused by Network", "Network": ""}


def test_of_two_that_rest_on_each_other_both_are_told() -> None:
    circle = {"a": ("b",), "b": ("a",)}
    assert told(fires("a"), fires("b"), rests_on=circle) == {"a": "", "b": ""}


def test_an_alert_that_another_one_hides_is_not_told_while_that_fires() -> None:
    causes = Causes({}, [read_inhibition('{severity="critical"} hides {severity="warning"} by component')])
    grave, less = fires("Disk"), fires("Disk", Severity.WARNING, "trend")
    assert causes.why([grave, less, fires("CPU", Severity.WARNING)]) == {less.key: "hidden by state"}
    assert causes.why([less]) == {}


def test_alerts_of_the_same_component_do_not_hide_each_other() -> None:
    assert Causes({"Network": ("Network",)}).why([fires("Network"), fires("Network", rule="other")]) == {}
