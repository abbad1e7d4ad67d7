"""From an alert's evaluation to the first byte at a webhook, beside Alertmanager, turn by turn in one run.

Ours: from the beginning of the tick that finds it, through the transaction and the sender's. Alertmanager, which has no
state database: from its API being posted the alert, without a wait for others of the group. Then ours again where each
incident is told to a webhook as well that never answers.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import orjson
from pydantic import SecretStr

from benchmarks.alert_engine import runner_of, state_of
from benchmarks.hook import HANGS, Hook
from benchmarks.report import Figure, show
from core.alerts.evaluate import Value
from core.alerts.expression import Figure as Named
from core.alerts.expression import Worked
from core.clock import FakeClock
from core.model import labels
from core.settings.channels import Webhook
from storage.live.embedded import Valkey
from tests.support.alerting import QuietParts
from tests.support.alertmanager import alertmanager

ALERTS, TARGET_MS, LONGEST_SECONDS = 150, 50.0, 60.0
CONFIG = """
route: {{receiver: hook, group_by: [host], group_wait: 0s, group_interval: 1h, repeat_interval: 24h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/"}}]}}]
"""


class Ours(QuietParts):
    """An engine and what its rule finds: hosts that are busy, one more at each turn."""

    def __init__(self, folder: Path, valkey: str, *hooks: Webhook) -> None:
        self._busy = 0
        self._clock = FakeClock(time.time())
        folder.mkdir()
        self._state = state_of(folder)
        self._state.migrate()
        self._runner = runner_of(self._state, folder / "spool.sqlite", valkey, self._clock, self, hooks)
        self._runner.step()

    def __call__(self, operand: Named | Worked) -> Sequence[Value]:
        return [Value(labels(host=f"h{number}"), 0.9) for number in range(self._busy)]

    def fires(self) -> float:
        """Let one more host be busy, and return when the tick that finds it began."""
        self._busy += 1
        self._clock.advance(1.0)
        began = time.monotonic()
        self._runner.step()
        return began

    def close(self) -> None:
        self._runner.stop(1.0)
        self._state.close()


def post(url: str, number: int) -> float:
    """Send Alertmanager an alert, and return when that began."""
    body = orjson.dumps([{"labels": {"alertname": "busy", "host": f"h{number}"}}])
    request = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
    began = time.monotonic()
    urllib.request.urlopen(request, timeout=LONGEST_SECONDS).close()
    return began


def arrived(hook: Hook, many: int) -> float:
    """Wait for so many requests and return when the last of them came."""
    ends = time.monotonic() + LONGEST_SECONDS
    while len(hook.arrivals) < many:
        if time.monotonic() > ends:
            raise TimeoutError(f"{len(hook.arrivals)} of {many} messages came")
        time.sleep(0.001)
    return hook.arrivals[many - 1].at


def told(name: str, taken: Sequence[float], target: float | None = None) -> list[Figure]:
    """Return the figures of times in seconds."""
    return [
        Figure(f"{name}, p50", statistics.median(taken) * 1e3, "ms"),
        Figure(f"{name}, p99", statistics.quantiles(taken, n=100)[98] * 1e3, "ms", target),
    ]


def hooked(name: str, hook: Hook) -> Webhook:
    return Webhook(name=name, url=SecretStr(f"{hook.url}/{name}"))


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as name,
        Hook() as mine,
        Hook() as theirs,
        Hook() as beside,
        Hook(HANGS) as stuck,
        alertmanager(CONFIG.format(url=theirs.url), Path(name)) as url,
    ):
        folder = Path(name)
        valkey = Valkey(folder / "valkey")
        valkey.start()
        ours = Ours(folder / "alone", valkey.url, hooked("desk", mine))
        held = Ours(folder / "beside", valkey.url, hooked("desk", beside), hooked("stuck", stuck))
        taken: tuple[list[float], ...] = [], [], []
        worked: list[float] = []
        for number in range(1, ALERTS + 1):
            before = time.process_time()
            began = ours.fires()
            taken[0].append(arrived(mine, number) - began)
            worked.append(time.process_time() - before)
            began = post(url, number)
            taken[1].append(arrived(theirs, number) - began)
            began = held.fires()
            taken[2].append(arrived(beside, number) - began)
        ours.close()
        held.close()
        valkey.stop()
        show(
            *told("an alert's evaluation to the first byte at a webhook", taken[0][1:], TARGET_MS),
            Figure(
                "… processor time of ours, the reading that pages show included, p50",
                statistics.median(worked) * 1e3,
                "ms",
            ),
            *told("… Alertmanager: POST to the first byte", taken[1][1:]),
            *told("… ours, where another webhook never answers", taken[2][1:], TARGET_MS),
            Figure("… requests that the other one was sent meanwhile", len(stuck.arrivals), ""),
        )


if __name__ == "__main__":
    main()
