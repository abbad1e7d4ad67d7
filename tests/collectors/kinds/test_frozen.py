"""Processes that are there and do nothing: stopped ones, and ports whose kernel answers for a process that hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from collectors.kinds.process.collector import ProcessProbe
from collectors.kinds.service import ServiceCollector
from collectors.kinds.systemd.collector import SystemdProbe
from core.kinds.process.source import ProcessSource
from core.kinds.process.spec import Process
from core.kinds.systemd.source import SystemdSource
from core.kinds.tcp.source import TcpSource
from core.model import Status
from core.tables import rows_of
from tests.collectors.services import of_tcp, told, values
from tests.support.freezing import freeze, thaw

ECHO = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.settimeout(1)
    try:
        connection.sendall(b"220 ready\\r\\n")
        if connection.recv(100).startswith(b"PING"):
            connection.sendall(b"PONG\\r\\n")
    except OSError:
        pass
    connection.close()
"""


class Child:
    """A process that greets whoever connects, and answers PING; it can be frozen."""

    def __init__(self) -> None:
        self.mark = f"fundwatch-test-{time.time_ns()}"
        self._process = subprocess.Popen([sys.executable, "-c", ECHO, self.mark], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.pid = self._process.pid

    def freeze(self) -> None:
        freeze(self.pid)

    def thaw(self) -> None:
        thaw(self.pid)
        while psutil.Process(self.pid).status() == psutil.STATUS_STOPPED:
            time.sleep(0.01)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.close()


def of_process(**given: Any) -> ServiceCollector:
    source = ProcessSource(name="job", **{"retries": 0, **given})
    return ServiceCollector(source, ProcessProbe(source))


def test_a_stopped_process_is_not_one_that_runs(child: Child) -> None:
    collector = of_process(command=child.mark)
    assert told(collector)[0] is Status.OK
    child.freeze()
    reading = collector.collect(time.time())
    why = f"pid {child.pid} is stopped (state T): it does nothing until it is continued (kill -CONT {child.pid})"
    assert (reading.components[0].status, reading.components[0].why) == (Status.DOWN, why)
    assert values(reading)["process_stopped"] == 1
    (row,) = rows_of({table.name: table for table in reading.tables}, Process)
    assert row.state == "stopped"
    child.thaw()
    assert told(collector)[0] is Status.OK


def test_one_of_several_that_is_stopped_is_critical_where_enough_run(child: Child) -> None:
    other = Child()
    try:
        both = of_process(command=f"{child.mark}|{other.mark}")
        child.freeze()
        status, why = told(both)
        assert status is Status.CRITICAL
        assert why.startswith(f"pid {child.pid} is stopped (state T)")
        needs_two = of_process(command=f"{child.mark}|{other.mark}", at_least=2)
        assert told(needs_two)[0] is Status.DOWN
    finally:
        other.close()


def test_a_unit_whose_main_process_is_stopped_is_not_fine(child: Child, tmp_path: Path) -> None:
    command = tmp_path / "systemctl"
    shown = f"LoadState=loaded\nActiveState=active\nSubState=running\nMainPID={child.pid}\nFreezerState=%s\n"
    source = SystemdSource(name="oms", unit="oms.service", retries=0)
    collector = ServiceCollector(source, SystemdProbe(source, str(command)))

    def show(freezer: str) -> tuple[Status, str]:
        command.write_text(f"#!/bin/sh\ncat <<END\n{shown % freezer}END\n")
        command.chmod(0o755)
        return told(collector)

    assert show("running")[0] is Status.OK
    assert show("frozen") == (
        Status.CRITICAL, "oms.service is active, but its processes are frozen (systemctl thaw lets them go on)"
    )  # fmt: skip
    child.freeze()
    status, why = show("running")
    assert status is Status.CRITICAL
    assert why.startswith(f"oms.service is active, but pid {child.pid} is stopped (state T)")


def test_a_port_says_who_answered_and_expects_hears_the_process(child: Child) -> None:
    silent, greeted = of_tcp(child.port), of_tcp(child.port, expects="220", timeout_seconds=2)
    asked = of_tcp(child.port, send="PING\r\n", expects="PONG", timeout_seconds=2)
    assert told(silent)[1].endswith("; only the kernel answered: set expects to hear the process")
    for collector in (greeted, asked):
        status, why = told(collector)
        assert status is Status.OK
        assert "kernel" not in why
    child.freeze()
    assert told(silent)[0] is Status.OK, "the kernel still answers, and says so"
    hangs = of_tcp(child.port, expects="220")
    for collector in (hangs, of_tcp(child.port, send="PING\r\n", expects="PONG")):
        status, why = told(collector)
        assert status is Status.DOWN
        assert why == (
            f"the kernel accepts connections at 127.0.0.1:{child.port}, and the process behind it says nothing within "
            "0.5 s: it hangs, or is not the one expected"
        )


def test_what_is_sent_needs_an_answer() -> None:
    with pytest.raises(ValidationError, match="send needs expects"):
        TcpSource(name="web", host="127.0.0.1", port=1, send="PING\r\n")
