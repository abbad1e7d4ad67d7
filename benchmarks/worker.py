"""A process that does named jobs when its parent asks, and says how long each took.

Both sides of a comparison speak through it: our figures in Fundwatch's environment, the released packages in theirs.
A question is a line `job number seconds`, an answer a line of JSON. Arrays that a job returns are kept beside the data.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

Jobs = Mapping[str, Callable[[int], Any]]
"""A job gets the number of the run and returns its figures, which have a length; arrays and tuples of them are kept."""
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn of a job took: seconds by run, how many figures came back, the memory before it and at most."""

    seconds: list[float]
    processor_seconds: float
    """Of all runs: what they would take at least on a quiet machine."""
    figures: int
    resident_bytes: int
    peak_bytes: int


class Worker:
    """A child process with jobs. Leaving the `with` block ends it."""

    def __init__(self, python: str | Path, module: str, folder: Path) -> None:
        self.errors = folder / f"{module}.log"
        with self.errors.open("w") as log:
            self._process = subprocess.Popen(
                [str(python), "-m", module, str(folder)],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD, "MPLBACKEND": "Agg"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.versions: dict[str, str] = self._answer()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, job: str, number: int = 0, turn_seconds: float = 0.0) -> Answer:
        """Return what runs of `job` took: one, and others until `turn_seconds` are over.

        Raises RuntimeError with the worker's last words when it failed.
        """
        assert self._process.stdin is not None
        print(job, number, turn_seconds, file=self._process.stdin, flush=True)
        return Answer(**self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"worker ended: {self.errors.read_text()[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found


def serve(folder: Path, side: str, jobs: Jobs, packages: tuple[str, ...]) -> None:
    """Do jobs until the parent has no more. What jobs print goes to the log, only answers to the parent."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _say(answers, {name: version(name) for name in packages})
    for line in sys.stdin:
        job, number, turn_seconds = line.split()
        gc.collect()
        before = _resident_bytes()
        seconds: list[float] = []
        used = time.process_time()
        while not seconds or sum(seconds) < float(turn_seconds):
            began = time.perf_counter()
            found = jobs[job](int(number) + len(seconds))
            seconds.append(time.perf_counter() - began)
        used = time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if isinstance(found, (np.ndarray, tuple)):
            np.save(folder / f"{side}-{job}.npy", found)
        answer = Answer(seconds, used, len(found), before, peak)
        _say(answers, asdict(answer))


def _say(answers: Any, content: Any) -> None:
    print(json.dumps(content), file=answers, flush=True)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
