"""A tick of the alert engine: 2,000 rules of 10 sets of labels each, all due, on a state database in a file.

Of the rules two thirds are plain, the others have a threshold for clearing, levels, or two figures joined. What figures
are worth comes from memory: reading it is measured elsewhere. Ticks where all is clear, where a twentieth begins and
ceases to fire, and where everything fires; and that one, with ten silences, as it goes on.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from alerting.engine import Engine
from alerting.quiet import Causes, Quiet
from benchmarks.report import Figure, show
from core.alerts.causes import RESTS_ON
from core.alerts.evaluate import Value
from core.alerts.expression import Figure as Named
from core.alerts.expression import Worked
from core.alerts.matchers import read_matchers
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.alerts.silence import Silence
from core.clock import FakeClock
from core.model import Labels, labels
from storage.state.database import State
from storage.state.silences import add_silence

RULES, SERIES, TICKS = 2_000, 10, 7
MOST_SECONDS = 0.5
KINDS = (
    *({"when": "load > 80 %"},) * 4,
    {"when": "load > 80 %", "clear": "load < 70 %"},
    {"levels": {"warning": "load > 80 %", "critical": "load > 95 %"}},
)
JOINED = {"when": "load > 80 % and use > 10 %"}


class Took(NamedTuple):
    """Seconds by the clock, and of processor time: the same where nothing else runs on the machine."""

    clock: float
    processor: float


class Bench:
    """An engine and what it reads."""

    def __init__(self, folder: Path) -> None:
        self.state = State(f"sqlite:///{folder / 'state.sqlite'}")
        self.state.migrate()
        self.clock = FakeClock()
        self.calm = [Value(self.labels(number), 0.5) for number in range(SERIES)]
        self.loud = [Value(each.labels, 0.99) for each in self.calm]
        self.is_loud: Callable[[int], bool] = lambda number: False
        self.quiet = Quiet(self.state)
        self.rules = [rule(number) for number in range(RULES)]
        self.numbers = {id: number for number, each in enumerate(self.rules) for id in each.figures}
        self.engine = Engine(
            self.state, self.clock, self.read, self.route, self.quiet.why, 1, Causes(RESTS_ON).why
        )  # fmt: skip
        self.engine.start(self.rules)

    @staticmethod
    def labels(number: int) -> Labels:
        return labels(host=f"host-{number}", component=f"Machine {number}")

    def read(self, operand: Named | Worked) -> Sequence[Value]:
        assert isinstance(operand, Named)
        return self.loud if self.is_loud(self.numbers[operand.name]) else self.calm

    def route(self, rule: Rule, of: Labels) -> tuple[str, Plan]:
        return rule.category.value, Plan(receivers=("desk",))

    def ticks(self, count: int = TICKS) -> Took:
        """Return the medians of so many ticks, the silences read before each."""
        taken = [self.tick() for _ in range(count)]
        return Took(*(statistics.median(each) for each in zip(*taken, strict=True)))

    def tick(self) -> Took:
        self.clock.advance(1.0)
        began, worked = time.perf_counter(), time.process_time()
        self.quiet.look(self.clock.now())
        assert self.engine.tick() == RULES
        return Took(time.perf_counter() - began, time.process_time() - worked)


def rule(number: int) -> Rule:
    """Return the rule of a number: each reads a figure of its own."""
    kind = JOINED if number % 10 == 9 else KINDS[number % len(KINDS)]
    given = {key: _own(value, number) for key, value in kind.items()}
    return Rule.model_validate({"name": f"rule-{number}", "every": "1 s", **given})


def _own(text: object, number: int) -> object:
    if isinstance(text, dict):
        return {key: _own(value, number) for key, value in text.items()}
    return str(text).replace("load", f"load_{number}").replace("use", f"use_{number}")


def figures(name: str, took: Took, most_seconds: float | None = None) -> tuple[Figure, Figure]:
    """Return both times; the target holds for processor time, which other work on the machine changes least."""
    target = None if most_seconds is None else most_seconds * 1e3
    worked = Figure(f"{name}, processor", took.processor * 1e3, "ms", target)
    return worked, Figure("   by the clock", took.clock * 1e3, "ms")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        first = bench.tick()
        calm = bench.ticks()
        told = [*figures(f"a tick of {RULES:,} rules × {SERIES}, all clear", calm, MOST_SECONDS)]
        bench.is_loud = lambda number: number % 20 == int(bench.clock.now()) % 2
        some = bench.ticks()
        told += figures("… where a twentieth begins and a twentieth ceases to fire", some, MOST_SECONDS)
        bench.is_loud = lambda number: True
        storm = bench.tick()
        fires = bench.ticks()
        now = bench.clock.now()
        for number in range(10):
            matchers = read_matchers(f'host="host-{number}", severity=~"warning|critical"')
            add_silence(bench.state, Silence(matchers, now, now + 3_600, "measured", "bench", now))
        silenced = bench.tick()
        quiet = bench.ticks()
        show(
            *told,
            *figures("… the very first one, all written down", first),
            *figures("… where everything begins to fire at once", storm),
            *figures("… where everything fires", fires, MOST_SECONDS),
            *figures("… where ten silences have just been made", silenced),
            *figures("… where everything fires and is silenced", quiet, MOST_SECONDS),
        )
        bench.state.close()


if __name__ == "__main__":
    main()
