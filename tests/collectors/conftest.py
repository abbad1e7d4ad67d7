from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

import pytest

from collectors.runtime.runner import Runner
from core.clock import FakeClock
from tests.collectors.fakes import FakeLive, FakeWriter
from tests.collectors.services import Site


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """A clock that APScheduler reads too; its module is the only place where it can be given one."""
    fake = FakeClock()

    class Injected(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(fake.now(), tz)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Injected)
    return fake


@pytest.fixture
def fake_writer() -> FakeWriter:
    return FakeWriter()


@pytest.fixture
def fake_live() -> FakeLive:
    return FakeLive()


@pytest.fixture
def runner(clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive) -> Iterator[Runner]:
    """A runner whose guard the test turns by hand with `tick`; start it with `runner.scheduler.start()`."""
    made = Runner("host-1", clock, fake_writer, fake_live)
    yield made
    if made.scheduler.running:
        made.stop(deadline_seconds=0.0)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({"/": (200, {}, b"all good"), "/json": (200, {}, b'{"checks": [{"state": "up"}], "n": 3}')})
    yield made
    made.close()
