"""Units of systemd on this machine.

Costs this machine one `systemctl show` an interval: a process of 5 to 10 ms that asks systemd over its socket.
"""

from __future__ import annotations

import subprocess
import time
from collections import deque

from collectors.base import Context
from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.stopped import stopped_state, told
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from core.errors import SourceRejected, SourceUnavailable
from core.format import coarse_duration, count, percent
from core.kinds.systemd import spec
from core.kinds.systemd.source import SystemdSource
from core.kinds.systemd.spec import Checks
from core.model import Status
from core.net.reach import Deadline
from core.rates import Rates

__all__ = ["act", "make", "parse"]

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts", "StateChangeTimestamp",
    "ActiveEnterTimestampMonotonic", "MemoryCurrent", "MemoryMax", "CPUUsageNSec", "TasksCurrent",
    "MainPID", "FreezerState",
)  # fmt: skip
UNSET = 2**64 - 1


def make(context: Context, source: SystemdSource) -> ServiceCollector:
    """Return the collector of one unit."""
    return make_service(context, source, SystemdProbe(source))


def parse(text: str) -> dict[str, str]:
    """Return the properties of `systemctl show` by name."""
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines()) if name}


class SystemdProbe:
    """Asks for one unit and remembers its counters."""

    def __init__(self, source: SystemdSource, command: str = "systemctl") -> None:
        self._source = source
        self._command = command
        self._rates = Rates()
        self._restarts: deque[tuple[float, int]] = deque()

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Ask once. Raises SourceUnavailable when the unit is not active, SourceRejected when there is none."""
        del now
        unit = parse(self._shown(deadline))
        state, detail = unit.get("ActiveState", ""), unit.get("SubState", "")
        if unit.get("LoadState") in ("not-found", "masked"):
            why = "is masked" if unit["LoadState"] == "masked" else "does not exist on this machine"
            raise SourceRejected(f"the unit {self._source.unit} {why}")
        if unit.get("LoadState") in ("error", "bad-setting"):
            raise SourceRejected(f"systemd cannot load the unit {self._source.unit}: {unit['LoadState']}")
        if state in ("failed", "inactive", "deactivating") or not state:
            raise SourceUnavailable(f"{self._source.unit} is {state or 'in no state'} ({detail}){_reason(unit)}")
        return self._found(unit, state, detail, time.monotonic())

    def _shown(self, deadline: Deadline) -> str:
        whose = ["--user"] if self._source.of_user else []
        wanted = f"--property={','.join(PROPERTIES)}"
        command = [self._command, *whose, "show", "--no-pager", wanted, "--", self._source.unit]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=deadline.left(), check=False)
        except FileNotFoundError:
            raise SourceRejected("this machine has no systemd (there is no systemctl)") from None
        except subprocess.TimeoutExpired:
            raise SourceUnavailable(f"no answer from systemctl within {deadline.seconds:g} s") from None
        if done.returncode == 0:
            return done.stdout
        said = " ".join(done.stderr.split())[:200]
        if "not been booted with systemd" in said or "Failed to connect to bus" in said:
            raise SourceRejected("this machine was not started by systemd: it knows no units")
        raise SourceUnavailable(f"systemctl exited with {done.returncode}: {said}")

    def _found(self, unit: dict[str, str], state: str, detail: str, at: float) -> Found:
        restarts = _number(unit, "NRestarts")
        entered = _number(unit, "ActiveEnterTimestampMonotonic")
        up = time.clock_gettime(time.CLOCK_MONOTONIC) - entered / 1e6 if entered else None
        spent = _number(unit, "CPUUsageNSec")
        memory = _number(unit, "MemoryCurrent")
        checks = [bad_if(Checks.STATE, state != "active", f"{self._source.unit} is {state} ({detail})")]
        if frozen := _frozen(unit):
            checks.append(Check(Checks.FROZEN, Status.CRITICAL, f"{self._source.unit} is {state}, but {frozen}"))
        checks += self._restart_checks(restarts, at)
        most = _number(unit, "MemoryMax")
        if memory is not None and most:
            share = memory / most
            checks.append(judged(Checks.MEMORY, share, f"{percent(share)} of its MemoryMax", spec.MEMORY, share))
        return Found(
            f"{state} ({detail})" + (f" for {coarse_duration(up)}" if up is not None and state == "active" else ""),
            None,
            {
                spec.UPTIME: up,
                spec.RESTARTS: restarts,
                spec.MEMORY_USED: memory,
                spec.TASKS: _number(unit, "TasksCurrent"),
                spec.CPU_RATIO: self._rates.per_second("cpu", spent / 1e9, at) if spent is not None else None,
            },
            checks,
        )

    def _restart_checks(self, restarts: float | None, at: float) -> list[Check]:
        if restarts is None:
            return []
        self._restarts.append((at, int(restarts)))
        while len(self._restarts) > 2 and self._restarts[1][0] <= at - spec.FLAPPING_SECONDS:
            self._restarts.popleft()
        times = max(int(restarts) - self._restarts[0][1], 0)
        why = f"restarted {count(times, 'time')} in {coarse_duration(spec.FLAPPING_SECONDS)}"
        return [judged(Checks.RESTARTS, times, why, spec.FLAPPING)]


def _reason(unit: dict[str, str]) -> str:
    result, code = unit.get("Result", ""), unit.get("ExecMainStatus", "")
    parts = [f"result {result}"] if result not in ("", "success") else []
    parts += [f"exit status {code}"] if code not in ("", "0") else []
    since = unit.get("StateChangeTimestamp", "")
    parts += [f"since {since}"] if since else []
    return f": {', '.join(parts)}" if parts else ""


def _frozen(unit: dict[str, str]) -> str:
    """Return why a unit that systemd calls active does nothing; empty when it does."""
    if unit.get("FreezerState", "") in ("frozen", "freezing"):
        return "its processes are frozen (systemctl thaw lets them go on)"
    pid = int(_number(unit, "MainPID") or 0)
    state = stopped_state(pid) if pid else ""
    return told([(pid, state)]) if state else ""


def _number(unit: dict[str, str], name: str) -> float | None:
    """Return a property as number; None when it is absent, not set, or without limit."""
    text = unit.get(name, "")
    return float(text) if text.isdigit() and int(text) < UNSET else None
