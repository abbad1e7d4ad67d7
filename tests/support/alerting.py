"""An alert engine over real stores, as a process runs it, that evaluates rules over values which a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from alerting.quiet import Causes
from alerting.router import Router
from alerting.runner import Runner
from core.alerts.causes import RestsOn
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.model import SEVERITY, Labels, Status, labels
from portfolio.channel_set import routes_in_force
from storage.stores import Stores

BUSY = Rule.model_validate(
    {
        "name": "busy",
        "title": "CPU busy",
        "when": "cpu > 80 %",
        "severity": "warning",
        "labels": {"team": "core"},
        "message": "{host} is {value:.0%} busy",
        "every": "1 s",
    }
)
LOSS = Rule.model_validate(
    {"name": "loss", "when": "daily_return < -5 %", "severity": "urgent", "category": "portfolio", "every": "1 s"}
)
DOWN = Rule.model_validate({"name": "down", "when": "status == down", "severity": "critical", "every": "1 s"})
RULES = (BUSY, LOSS, DOWN)
CALM: Mapping[str, Sequence[Value]] = {"cpu": [Value(labels(host="a"), 0.5)]}
STORM: Mapping[str, Sequence[Value]] = {
    "cpu": [Value(labels(host="a"), 0.93), Value(labels(host="b"), 0.85)],
    "daily_return": [Value(labels(portfolio=each, origin="own"), -0.06) for each in ("alpha", "beta")],
    "status": [
        Value(labels(component=each, collector=each), float(SEVERITY[Status.DOWN]), f"{each} is silent")
        for each in ("inbox", "Kafka")
    ],
}
"""Two busy machines, a loss of two portfolios, two components that are down: one of a reason that names files."""


class QuietParts:
    """What a runner is given beside what rules find: nothing is taken away, read ahead, or sent."""

    def use(self, rules: Sequence[Rule]) -> None:
        """Take note of nothing: what rules ask is known."""

    def begin(self) -> None:
        """Begin a tick: what rules find is what the test said last."""

    def why_gone(self, rule: Rule, of: Labels) -> str:
        """Return that nothing was taken away on purpose."""
        return ""

    def start(self) -> None:
        """Send nothing."""

    def wake(self) -> None:
        """Send nothing."""

    def stop(self, seconds: float) -> bool:
        """Return that nothing is being sent."""
        return True


class Alerting(QuietParts):
    """The engine, and what rules find."""

    def __init__(self, stores: Stores, rests_on: RestsOn | None = None) -> None:
        self.stores = stores
        self.values = CALM
        self.rules: Sequence[Rule] = RULES
        router = Router(partial(routes_in_force, stores), stores.clock)
        self.runner = Runner(stores, lambda: self.rules, self, router, Causes(rests_on or {}), None, lambda *_: self)

    def finds(self, values: Mapping[str, Sequence[Value]]) -> None:
        """Let rules find these values, and tick."""
        self.values = values
        self.step()

    def step(self, seconds: float = 1.5) -> None:
        """Tick after so long. Only over stores whose clock can be set."""
        advance = getattr(self.stores.clock, "advance", None)
        if advance is not None:
            advance(seconds)
        self.runner.step()

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]:
        figure = operand.figure if isinstance(operand, Worked) else operand
        return [
            replace(each) for each in self.values.get(figure.name, ()) if all_hold(figure.matchers, dict(each.labels))
        ]
