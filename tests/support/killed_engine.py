"""The alert engine over a real state database, in processes that end by SIGKILL at every moment of its course.

`python -m tests.support.killed_engine URL`: the database has its tables. A moment is before or after a statement that
writes, and before or after a commit. It prints, as JSON, what was put into the outbox by a process that nothing ended,
then by one that began after another was killed, for each of its moments: [[incident, about, receiver], …].
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import sqlalchemy as sa

from alerting.engine import Engine
from core.alerts.conditions import Condition
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.model import Labels, labels
from storage.state.alert_requests import Ask, Request, ask, requests_of
from storage.state.alerts import messages_of, read_incidents, ticked_at
from storage.state.database import State, metadata

HOST = labels(host="a")
BEGIN = 1_700_000_000.0
EVERY_SECONDS = 10.0
VALUES = (0.5, 0.9, 0.95, 0.5, 0.9, 0.9, 0.5)
ASKS_AT = 5
"""Before this evaluation somebody acknowledges."""
PLAN = Plan(receivers=("desk", "phone"), wait_seconds=0, interval_seconds=60, repeat_seconds=600)
CPU = Rule.model_validate({"name": "cpu", "when": "cpu > 80 %", "severity": "critical", "every": "10 s"})


class Clock(FakeClock):
    """Time as of an evaluation, the same in each process."""

    def __init__(self, number: int) -> None:
        super().__init__(BEGIN + number * EVERY_SECONDS)


def lives(url: str, token: int, ends_at: int) -> int:
    """Go on where the last process was, and return how many moments there were. It may not return."""
    state = State(url)
    moments = 0

    def moment(*_: Any) -> None:
        nonlocal moments
        moments += 1
        if moments == ends_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def writes(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            moment()

    last = ticked_at(state)
    first = round((last - BEGIN) / EVERY_SECONDS) + 1 if last else 0
    clock = Clock(first)
    engine = Engine(state, clock, _read(clock), _route, _mute, token)
    for name in ("before_cursor_execute", "after_cursor_execute"):
        sa.event.listen(state.engine, name, writes)
    commit = state.engine.dialect.do_commit

    def committed(connection: Any) -> None:
        moment()
        commit(connection)
        moment()

    state.engine.dialect.do_commit = committed  # type: ignore[method-assign]
    engine.start([CPU])
    for number in range(first, len(VALUES)):
        if number == ASKS_AT and engine.incidents:
            _acknowledge(state, clock, max(engine.incidents))
        engine.tick()
        clock.advance(EVERY_SECONDS)
    state.close()
    return moments


def _read(clock: FakeClock) -> Any:
    def read(operand: Figure | Worked) -> list[Value]:
        return [Value(HOST, VALUES[round((clock.now() - BEGIN) / EVERY_SECONDS)])]

    return read


def _route(rule: Rule, of: Labels) -> tuple[str, Plan]:
    return rule.name, PLAN


def _mute(rule: Rule, of: Labels, condition: Condition) -> str:
    return ""


def _acknowledge(state: State, clock: FakeClock, incident: int) -> None:
    """Ask once, whichever process it is."""
    with state.reading() as connection:
        if requests_of(connection, incident):
            return
    ask(state, Request(incident, Ask.ACKNOWLEDGE, "ana", clock.now(), clock.now() + 3_600))


def said(url: str) -> list[tuple[int, str, str]]:
    state = State(url)
    with state.reading() as connection:
        ids = sorted(each.id for closed in (False, True) for each in read_incidents(connection, closed=closed))
        rows = [(id, each.about, each.receiver) for id in ids for each in messages_of(connection, id)]
    state.close()
    order = {id: number for number, id in enumerate(dict.fromkeys(row[0] for row in rows), 1)}
    return [(order[id], about, receiver) for id, about, receiver in rows]


def emptied(url: str) -> None:
    state = State(url)
    with state.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name.startswith("alert_"):
                connection.execute(table.delete())
    state.close()


def is_killed(url: str, ends_at: int) -> bool:
    """Let a process live until that moment, and return whether it came to it."""
    child = os.fork()
    if not child:
        try:
            lives(url, 1, ends_at)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def main() -> None:
    url = sys.argv[1]
    emptied(url)
    moments = lives(url, 1, 0)
    found = [said(url)]
    for moment in range(1, moments + 1):
        emptied(url)
        if not is_killed(url, moment):
            raise SystemExit(f"it did not come to moment {moment} of {moments}")
        lives(url, 2, 0)
        found.append(said(url))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
