"""A fund whose alerts a real engine evaluates, on figures that a test sets by hand."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from alerting.quiet import Causes
from alerting.runner import Runner
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.alerts.written import written
from core.clock import FakeClock
from core.model import Labels, labels
from storage.stores import Stores
from tests.support.alerting import QuietParts

CPU = Rule.model_validate(
    {"name": "cpu-high", "title": "CPU is busy", "when": "system_cpu_busy_15m_ratio > 80 %", "severity": "critical",
     "every": "1 s", "message": "CPU of {machine} is {value:.0%} busy",
     "runbook": "https://wiki.example/cpu"}
)  # fmt: skip
LOSS = Rule.model_validate(
    {"name": "daily-loss", "title": "Daily loss", "when": "daily_return < -5 %", "severity": "urgent", "every": "1 s",
     "message": "{portfolio} lost {value:.1%}"}
)  # fmt: skip
SLOW = Rule.model_validate({"name": "slow", "when": "system_swap_used_ratio > 50 %", "for": "1 h", "every": "1 s"})


class Desk(QuietParts):
    """A fund whose alerts a real engine evaluates: what rules see is set by hand."""

    def __init__(self, stores: Stores) -> None:
        folder = stores.settings.data_dir / "rules"
        folder.mkdir(parents=True, exist_ok=True)
        stores = replace(stores, settings=stores.settings.model_copy(update={"rules_dir": folder}))
        self.stores = stores
        self.file = folder / "desk.yaml"
        self.file.write_text(written([CPU, LOSS, SLOW]))
        self.rules: Sequence[Rule] = (CPU, LOSS, SLOW)
        self.values: dict[str, Sequence[Value]] = {}
        self.runner = Runner(
            stores, lambda: self.rules, self, self.route, Causes({}), None, lambda *_: self
        )  # fmt: skip

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]:
        return self.values.get(getattr(operand, "name", ""), ())

    def route(self, rule: Rule, _of: Labels) -> tuple[str, Plan]:
        return rule.name, Plan(receivers=("log",), wait_seconds=0)

    def busy(self, ratio: float = 0.93) -> None:
        self.values["system_cpu_busy_15m_ratio"] = [Value(labels(machine="host-1"), ratio)]

    def lose(self, *portfolios: str) -> None:
        self.values["daily_return"] = [Value(labels(portfolio=each), -0.081) for each in portfolios]

    def goes_on(self, seconds: float = 1.0, times: int = 6) -> None:
        clock = self.stores.clock
        assert isinstance(clock, FakeClock)
        for _ in range(times):
            clock.advance(seconds)
            self.runner.step()


@contextlib.contextmanager
def running(desk: Desk) -> Iterator[Desk]:
    """Gives the desk while its engine runs, for pages that are looked at by the machine's clock."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            desk.runner.step()
            stopping.wait(0.2)

    engine = threading.Thread(target=run)
    engine.start()
    yield desk
    stopping.set()
    engine.join()
