"""Real Celery workers on a broker of their own, with tasks that succeed, fail, are retried, or take long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from celery import Celery

from tests.support.servers import ROOT

BROKER, ONLY = "TEST_CELERY_BROKER", "TEST_CELERY_ONLY"

app = Celery("jobs", broker=os.environ.get(BROKER, "memory://"), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_send_sent_event=True,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
)


@app.task(name="jobs.load")
def load(symbol: str) -> str:
    return symbol


@app.task(name="jobs.wait")
def wait(seconds: float) -> None:
    import time

    time.sleep(seconds)


@app.task(name="jobs.fail")
def fail(symbol: str) -> None:
    raise ValueError(f"no price for {symbol}")


@app.task(name="jobs.retry", bind=True, max_retries=1)
def retry(self: Any) -> None:
    raise self.retry(exc=ConnectionError("vendor away"), countdown=0)


for known in [name for name in app.tasks if name.startswith("jobs.")] if os.environ.get(ONLY) else ():
    if known != os.environ[ONLY]:
        app.tasks.unregister(known)


class CeleryWorker:
    """A worker with a pool of two threads; `events` is its option -E, `only` the one task that it knows."""

    def __init__(
        self,
        broker: str,
        folder: Path,
        name: str = "w1",
        *,
        events: bool = True,
        queues: str = "celery",
        only: str = "",
    ):
        self._only = only
        self._broker = broker
        self._log = folder / f"{name}.log"
        self._command = [
            sys.executable, "-m", "celery", "-A", "tests.support.celery_workers", "worker", "-n", f"{name}@test",
            "-P", "threads", "-c", "2", "-l", "WARNING", "-Q", queues, *(["-E"] if events else []),
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> CeleryWorker:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env={**os.environ, BROKER: self._broker, ONLY: self._only},
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def stop(self) -> None:
        """Let it finish and say goodbye."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
