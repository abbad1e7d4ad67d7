"""Forty kills of the alert engine at any moment of its ticks: what was never told, and what was told twice.

Its time runs two hundred times as fast; twenty conditions begin and cease to fire by turns. `python -m
benchmarks.alert_kills 5` kills five times.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from alerting.engine import Engine
from benchmarks.report import Figure, show
from core.alerts.evaluate import Value
from core.alerts.expression import Figure as Named
from core.alerts.expression import Worked
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.model import Labels, labels
from storage.state.alerts import KeptMessage, messages_of, newest_token, read_history, read_incidents
from storage.state.database import State
from tests.support.servers import ROOT

KILLS, SERIES, FASTER, PHASE_SECONDS = 40, 20, 200, 400.0
RULE = Rule.model_validate({"name": "load", "when": "load > 80 %", "severity": "critical", "every": "1 s"})


class FastClock:
    """The machine's clock, two hundred times as fast."""

    def now(self) -> float:
        return time.time() * FASTER % 1e10

    def monotonic(self) -> float:
        return time.monotonic() * FASTER


def run(file: str) -> None:
    """Tick until killed."""
    state, clock = State(f"sqlite:///{file}"), FastClock()
    state.migrate()

    def read(operand: Named | Worked) -> Sequence[Value]:
        phase = clock.now() / PHASE_SECONDS
        return [Value(labels(host=str(n)), float(int(phase + n / SERIES) % 2)) for n in range(SERIES)]

    def route(rule: Rule, of: Labels) -> tuple[str, Plan]:
        return str(of), Plan(receivers=("desk", "phone"), wait_seconds=0, interval_seconds=1e9, repeat_seconds=0)

    with state.reading() as connection:
        token = newest_token(connection) + 1
    engine = Engine(state, clock, read, route, lambda rule, of, condition: "", token)
    engine.start([RULE])
    print("ticking", flush=True)
    while True:
        engine.tick()


def main(kills: int) -> None:
    """Kill so often, and count."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "state.sqlite")
        for _ in range(kills):
            command = [sys.executable, "-m", "benchmarks.alert_kills", "run", file]
            with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(random.uniform(0.0, 1.0))
                process.kill()
        state = State(f"sqlite:///{file}")
        with state.reading() as connection:
            incidents = read_incidents(connection) + read_incidents(connection, closed=True)
            told = {each.id: messages_of(connection, each.id) for each in incidents}
            began = sum(row.what == "fires" for _, row in read_history(connection, 1_000_000))
        state.close()
    ended = sum(each.closed_at is not None for each in incidents)
    opened, resolved = (_told(told.values(), about) for about in ("opened", "resolved"))
    show(
        Figure(f"alerts that began during {kills} kills", began, ""),
        Figure("of them told to fewer than both receivers", 2 * began - len(opened), "", 0),
        Figure("of those that ended, never told so", 2 * ended - len(resolved), "", 0),
        Figure("messages made twice", sum(count - 1 for each in (opened, resolved) for count in each.values()), "", 0),
    )


def _told(messages: Iterable[Sequence[KeptMessage]], about: str) -> Counter[tuple[int, str]]:
    return Counter((each.incident, each.receiver) for of in messages for each in of if each.about == about)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
