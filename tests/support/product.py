"""The product as a person starts it: `python app.py` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import psutil

from tests.support.servers import ROOT, free_port, wait_for_http


class Product:
    """A running Fundwatch on a folder of its own, open to readers of this machine.

    Leaving the `with` block kills whatever is left of it.
    """

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._command = command or (sys.executable, "app.py")
        own = {"data_dir": str(folder), "port": str(self.port), "machine": "host-1", "sign_in": "loopback-open"}
        chosen = own | settings
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FUNDWATCH_")}
        self.environment = clean | {f"FUNDWATCH_{name.upper()}": value for name, value in chosen.items()}
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Product:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def launch(self) -> subprocess.Popen[str]:
        """Start without waiting."""
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return self.process

    def start(self, seconds: float = 60) -> Product:
        """Start and wait until it answers. Raises AssertionError with what it printed when it ends instead."""
        process = self.launch()
        wait_for_http(self.port, seconds=seconds, give_up=lambda: process.poll() is not None)
        assert process.poll() is None, self.output()
        return self

    def family(self) -> list[psutil.Process]:
        """Return the process and everything it started."""
        assert self.process is not None
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def stop(self, number: int = signal.SIGTERM, *, whole_group: bool = False) -> tuple[int, float]:
        """Send a signal and return the exit code and the seconds until the end."""
        assert self.process is not None
        began = time.monotonic()
        if whole_group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        code = self.process.wait(30)
        return code, time.monotonic() - began

    def output(self) -> str:
        """Return all it printed, once it has ended."""
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.read()

    def kill(self) -> None:
        """End every process of it at once, as a power cut would."""
        if self.process is None or self.process.poll() is not None:
            return
        for member in self.family():
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()


def gone(processes: list[psutil.Process], seconds: float = 3) -> bool:
    """Return whether every process ends within the time."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
