"""Kills of a whole alert engine with its senders, at any moment: what was never told, and what was told twice.

A process has the runner, the router and a sender for each of two webhooks, as the product starts them; the webhooks
are in another process, and so is the plan. By a seed the plan lets hosts become busy and calm; it goes on only when two
more ticks were committed, so that it is known exactly which incidents there must be. The engine's time runs a thousand
times as fast. `python -m benchmarks.alert_kills 5` kills five times.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
from pydantic import SecretStr

from alerting.incidents import About
from benchmarks.alert_engine import runner_of, state_of
from benchmarks.hook import Arrival, Hook
from benchmarks.report import Figure, show
from core.alerts.evaluate import Value
from core.alerts.expression import Figure as Named
from core.alerts.expression import Worked
from core.model import labels
from core.settings.channels import Webhook
from storage.live.embedded import Valkey
from storage.state.alerts import KeptMessage, MessageStatus, messages_of, queue_in, read_incidents, ticked_at
from storage.state.database import State
from tests.support.alerting import QuietParts
from tests.support.servers import ROOT

KILLS, SEED, FASTER = 100, 20_261_129, 1_000
HOSTS, MOST_BUSY = 200, 12
SLOWEST_MS = 15.0
"""The webhooks answer after up to so long: kills come while an answer is on its way, too."""
RECEIVERS = ("desk", "phone")


class FastClock:
    """The machine's clock, a thousand times as fast."""

    def now(self) -> float:
        return time.time() * FASTER % 1e10

    def monotonic(self) -> float:
        return time.monotonic() * FASTER


class Planned(QuietParts):
    """What rules find: the hosts that the plan lets be busy."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan

    def __call__(self, operand: Named | Worked) -> Sequence[Value]:
        busy = set(orjson.loads(self._plan.read_bytes()))
        return [Value(labels(host=f"h{number}"), 0.9 if number in busy else 0.1) for number in range(HOSTS)]


def run(folder: Path, valkey: str, hook: str) -> None:
    """Evaluate and send until killed."""
    hooks = [Webhook(name=name, url=SecretStr(f"{hook}/{name}"), give_up_seconds=86_400) for name in RECEIVERS]
    with tempfile.TemporaryDirectory() as own:
        spool = Path(own) / "spool.sqlite"
        runner = runner_of(state_of(folder), spool, valkey, FastClock(), Planned(folder / "plan"), hooks)
        runner.step()
        print("ticking", flush=True)
        while True:
            runner.step()


class Plan:
    """Lets hosts become busy and calm by turns, each seen by a tick that was committed. `began`: how often each did."""

    def __init__(self, folder: Path, state: State) -> None:
        self.began: Counter[str] = Counter()
        self._file = folder / "plan"
        self._state = state
        self._chance = random.Random(SEED)
        self._busy: list[int] = []
        self._next = 0
        self._write()

    def run(self, stopping: threading.Event) -> None:
        """Go on until told to stop, and then until all are calm."""
        while not stopping.is_set():
            # Those that end were seen busy: what begins is in the next step still there.
            while len(self._busy) > self._chance.randint(0, MOST_BUSY):
                self._busy.pop(self._chance.randrange(len(self._busy)))
            for _ in range(self._chance.randint(1, 4)):
                self._begin()
            self._write()
            self._wait_until_seen()
        self._busy.clear()
        self._write()
        self._wait_until_seen()

    def _begin(self) -> None:
        self._next = (self._next + 1) % HOSTS
        self._busy.append(self._next)
        self.began[f"host=h{self._next}"] += 1

    def _write(self) -> None:
        made = self._file.with_suffix(".new")
        made.write_bytes(orjson.dumps(self._busy))
        made.replace(self._file)

    def _wait_until_seen(self) -> None:
        """The first tick that is committed from now on may have looked before: the second one has not."""
        seen = {ticked_at(self._state)}
        _wait(lambda: len(seen) > 2, lambda: seen.add(ticked_at(self._state)))


def _wait(is_so: Callable[[], bool], look: Callable[[], object] = lambda: None) -> None:
    ends = time.monotonic() + 120
    while not is_so():
        look()
        if time.monotonic() > ends:
            raise TimeoutError("the engine does not go on")
        time.sleep(0.002)


def main(kills: int) -> None:
    """Kill so often, and count."""
    with tempfile.TemporaryDirectory() as name, Hook(SLOWEST_MS) as hook:
        folder = Path(name)
        state = state_of(folder)
        state.migrate()
        valkey = Valkey(folder / "valkey")
        valkey.start()
        plan, stopping = Plan(folder, state), threading.Event()
        command = [sys.executable, "-m", "benchmarks.alert_kills", "run", name, valkey.url, hook.url]
        planner = threading.Thread(target=plan.run, args=(stopping,))
        planner.start()
        chance = random.Random(SEED)
        for number in range(kills + 1):
            with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
                assert process.stdout is not None
                process.stdout.readline()
                if number < kills:
                    time.sleep(chance.uniform(0.0, 0.6))
                else:
                    stopping.set()
                    planner.join()
                    _wait(lambda: _is_done(state))
                process.kill()
        valkey.stop()
        time.sleep(1)
        _tell(kills, state, plan.began, hook.arrivals)
        state.close()


def _is_done(state: State) -> bool:
    with state.reading() as connection:
        return not read_incidents(connection) and not queue_in(connection)[0]


def _tell(kills: int, state: State, began: Counter[str], arrivals: Sequence[Arrival]) -> None:
    with state.reading() as connection:
        incidents = read_incidents(connection, closed=True)
        messages = [each for one in incidents for each in messages_of(connection, one.id)]
    found = Counter(each.group for each in incidents)
    made = Counter((each.incident, each.about, each.receiver) for each in messages)
    abouts = (About.OPENED, About.RESOLVED)
    wanted = {(one.id, about, name) for one in incidents for about in abouts for name in RECEIVERS}
    # A key ends with the number of the message and its receiver, before which the incident stands.
    came_of = Counter(_of_key(each.key) for each in arrivals)
    ends = {(each.incident, each.receiver) for each in messages if each.about == About.RESOLVED and came_of[_of(each)]}
    lost = [each for each in messages if not came_of[_of(each)] and not _is_told_by_end(each, ends)]
    again = {_of(each) for each in messages if each.attempts > 1}
    twice = {of for of, count in came_of.items() if count > 1}
    show(
        Figure(f"incidents that had to be in {kills} kills", sum(began.values()), ""),
        Figure("of them lost", sum((began - found).values()), "", 0),
        Figure("incidents that had not to be", sum((found - began).values()), "", 0),
        Figure("notifications", len(messages), ""),
        Figure("of them told by a later one", sum(each.status == MessageStatus.MERGED for each in messages), ""),
        Figure("never made", len(wanted - made.keys()), "", 0),
        Figure("made twice", sum(count - 1 for count in made.values()), "", 0),
        Figure("made, and neither received nor told by a later one", len(lost), "", 0),
        Figure("received twice, though their receipt was recorded", len(twice - again), "", 0),
        Figure("received twice, with the same key: killed before it was recorded", len(twice & again), ""),
        Figure("requests received", len(arrivals), ""),
    )


def _of(message: KeptMessage) -> tuple[str, str, str]:
    return str(message.incident), str(message.number), message.receiver


def _of_key(key: str) -> tuple[str, str, str]:
    *_, incident, _opened, number, receiver = key.split("-")
    return incident, number, receiver


def _is_told_by_end(message: KeptMessage, ends: set[tuple[int, str]]) -> bool:
    return message.status == MessageStatus.MERGED and (message.incident, message.receiver) in ends


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(Path(sys.argv[2]), *sys.argv[3:5])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
