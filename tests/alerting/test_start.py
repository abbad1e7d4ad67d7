"""Alerting beside collectors: of sources that are taken while the program runs it hears at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.start import prepare_alerting
from collectors.runtime.start import start_collectors
from core.alerts.rule import Rule
from core.clock import SystemClock
from core.model import labels
from core.settings.load import load_settings
from storage.stores import Stores
from tests.alerting.test_figures import told

OFF = "sources: {system: false, processes: false, inbox: false, own: false, requests: false, audit: false}\n"
SOON_SECONDS = 20.0
STATES = Rule.model_validate({"name": "states", "when": "status >= warning"})


def soon(holds: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)


def test_sources_that_are_taken_while_it_runs_are_evaluated_and_those_taken_away_are_gone(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, hangup = tmp_path / "fundwatch.yaml", threading.Event()

    def watches(*names: str) -> None:
        lines = [f"    - {{name: {name}, host: 127.0.0.1, port: 9}}\n" for name in names]
        file.write_text(OFF + "watch:\n  tcp:\n" + "".join(lines))

    watches("first")
    settings = load_settings().model_copy(update={"data_dir": stores.settings.data_dir, "machine": "host-1"})
    real = replace(stores, clock=SystemClock(), settings=settings)
    parts = prepare_alerting(real)
    assert parts is not None
    read = parts.figures

    def watched() -> list[str]:
        read.begin()
        return sorted(name for name in told(read, 'silent{collector=~"tcp:.*"}'))

    runner = start_collectors(real, hangup, parts.take)
    try:
        assert watched() == ["collector=tcp:first"]
        watches("second")
        hangup.set()
        soon(lambda: watched() == ["collector=tcp:second"])
        read.begin()
        assert read.why_gone(STATES, labels(collector="tcp:first", component="TCP first")) == "it is no longer watched"
        assert told(read, 'status{collector="tcp:second"}').keys() == {"collector=tcp:second,component=TCP second"}
    finally:
        runner.stop(2.0)
