"""A library in a process of its own: whatever becomes of that process, this one goes on."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import NoneType

import psutil
import pytest

from collectors.runtime.child import LONGEST_PAUSE_SECONDS, SETTLED_SECONDS, Child
from core.errors import SourceRejected, SourceUnavailable
from tests.collectors.readings import Time
from tests.support.child_answers import Echo
from tests.support.product import gone
from tests.support.servers import ROOT

MODULE = "tests.support.child_answers"
SECONDS = 20.0


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def child(clock: Time) -> Iterator[Child]:
    made = Child(MODULE, "the child", {}, clock)
    yield made
    made.close()


def echo(child: Child, text: str = "hello") -> Echo:
    return child.ask("echo", Echo, SECONDS, text=text)


def test_data_classes_come_back_as_they_were(child: Child) -> None:
    text = 'newline \n quote " \N{SNOWMAN}'
    assert echo(child, text) == Echo(text, frozenset({("orders", 1)}), {7: text}, child.pid or 0)
    assert echo(child).pid == child.pid, "one process answers all"


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV])
def test_one_that_crashes_in_the_middle_of_an_answer_is_started_again(child: Child, number: signal.Signals) -> None:
    first = echo(child).pid
    with pytest.raises(SourceUnavailable, match=f"the child ended by {number.name}"):
        child.ask("signal_itself", NoneType, SECONDS, number=int(number))
    again = echo(child)
    assert again.pid != first and not psutil.pid_exists(first)


def test_one_that_dies_between_two_questions_costs_none(child: Child) -> None:
    first = psutil.Process(echo(child).pid)
    first.kill()
    assert gone([first])
    assert echo(child).pid != first.pid


def test_one_that_leaves_as_a_question_comes_is_asked_again_once(child: Child, tmp_path: Path) -> None:
    first = echo(child).pid
    again = child.ask("leave_once", Echo, SECONDS, file=str(tmp_path / "left"))
    assert again.text == "again" and again.pid != first
    with pytest.raises(SourceUnavailable, match="the child ended by itself"):
        child.ask("leave", NoneType, SECONDS)
    assert echo(child)


def test_one_that_crashes_again_and_again_is_left_alone_for_a_while(child: Child, clock: Time) -> None:
    def crash() -> None:
        with pytest.raises(SourceUnavailable, match="ended by SIGABRT"):
            child.ask("signal_itself", NoneType, SECONDS, number=int(signal.SIGABRT))

    crash()
    for _ in range(4):
        crash()
        with pytest.raises(SourceUnavailable, match="times in a row; it is started again in"):
            echo(child)
        assert child.pid is None
        clock.seconds += LONGEST_PAUSE_SECONDS
    echo(child)
    clock.seconds += SETTLED_SECONDS
    crash()
    assert echo(child), "one that worked for long is started at once"


def test_one_that_does_not_answer_is_ended(child: Child) -> None:
    first = psutil.Process(echo(child).pid)
    with pytest.raises(SourceUnavailable, match=r"did not answer within .* and was ended"):
        child.ask("hang", NoneType, 0.3)
    assert gone([first]) and echo(child).pid != first.pid


def test_errors_cross_as_what_they_are(child: Child) -> None:
    with pytest.raises(SourceRejected, match="wrong password"):
        child.ask("refuse", NoneType, SECONDS)
    with pytest.raises(RuntimeError, match="the child: KeyError: 'no such thing'"):
        child.ask("stumble", NoneType, SECONDS)
    assert echo(child)


def test_it_is_small_and_one_that_has_grown_is_replaced_after_its_answer(child: Child) -> None:
    loaded = child.ask("modules", list[str], SECONDS)
    assert not {"pandas", "numpy", "chdb", "dash", "pydantic", "redis", "sqlalchemy"} & set(loaded)
    first = psutil.Process(echo(child).pid)
    assert first.memory_info().rss < 32 * 2**20
    grown = child.ask("grow", Echo, SECONDS, mebibytes=300)
    assert grown.pid == first.pid and gone([first])
    assert echo(child).pid != first.pid
    with pytest.raises(RuntimeError, match="MemoryError"):
        child.ask("grow", Echo, SECONDS, mebibytes=2_000)


def test_a_forgotten_child_ends(clock: Time) -> None:
    forgotten = Child(MODULE, "the child", {}, clock)
    process = psutil.Process(echo(forgotten).pid)
    del forgotten
    gc.collect()
    assert gone([process])


ASKS_AND_WAITS = f"""
import time
from types import NoneType
from collectors.runtime.child import Child
child = Child("{MODULE}", "the child", {{}})
child.start()
print(child.pid, flush=True)
child.ask("hang", NoneType, 60)
"""


def test_it_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ASKS_AND_WAITS], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.2)
        parent.kill()
        assert gone([child]), "also in the middle of an answer"
