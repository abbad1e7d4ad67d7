"""What is sent and what is not, in whatever order messages come and attempts end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.attempts import next_attempt
from alerting.notice import DIGEST
from alerting.taking import HOUR_SECONDS, NEVER_TOLD, RESERVE, Taken, digest_of, severity_of, take_next
from core.alerts.severity import Severity
from core.settings.channels import Channel, PagerDuty, Webhook
from storage.state import outbox
from storage.state.alert_tables import alert_messages
from storage.state.alerts import KeptMessage, MessageStatus, add_messages
from storage.state.database import State, Transaction, metadata

LIMIT = 3
CHANNEL = Webhook.model_validate({"name": "desk", "url": "https://x.example", "per_hour": LIMIT})
START = 1_700_000_000.0
INCIDENTS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("tells"), INCIDENTS, st.sampled_from(["warning", "critical", "urgent"]), st.booleans()),
    st.tuples(st.just("ends"), INCIDENTS),
    st.tuples(st.just("tries"), st.sampled_from(["sent", "down", "refused", "dies"])),
    st.tuples(st.just("waits"), st.sampled_from([1.0, 70.0, 1_000.0])),
)


class Course:
    """One outbox, and who puts messages in as the engine would: numbers that rise, nothing after the end."""

    def __init__(self, connection: Transaction, channel: Channel = CHANNEL) -> None:
        self.connection = connection
        self.channel = channel
        self.now = START
        self.numbers: defaultdict[int, int] = defaultdict(int)
        self.over: set[int] = set()
        self.taken: list[tuple[float, KeptMessage]] = []
        self.late: set[tuple[int, int]] = set()
        """What was held back and came after all, instead of a digest."""

    def put(self, incident: int, about: str, severity: str, muted: bool = False) -> None:
        if incident in self.over:
            return
        number = self.numbers[incident]
        self.numbers[incident] += 1
        if about == "resolved":
            self.over.add(incident)
        body = orjson.dumps({"severity": severity, "opened_at": self.now, "members": []}).decode()
        status = MessageStatus.SUPPRESSED if muted else MessageStatus.QUEUED
        muted_by = "a silence" if muted else ""
        about = "opened" if about == "tells" and not number else about
        row = KeptMessage(incident, number, "desk", about, status, self.now, self.now, body, muted_by)
        add_messages(self.connection, [row])

    def attempt(self, outcome: str) -> bool:
        held = {(row.incident, row.number) for row in outbox.held_back(self.connection, "desk")}
        taken = take_next(self.connection, self.channel, self.now)
        if taken is None:
            return False
        self._check(taken)
        message = taken.message
        self.late |= {(message.incident, message.number)} & held
        if outcome == "sent":
            outbox.finish(self.connection, replace(message, status=MessageStatus.SENT, done_at=self.now))
            self.taken.append((self.now, message))
        elif outcome == "refused":
            outbox.finish(self.connection, replace(message, status=MessageStatus.FAILED, done_at=self.now))
        elif outcome == "down":
            again = next_attempt(message, self.channel, self.now, 0.0, 0.5)
            status = MessageStatus.RETRYING if again else MessageStatus.FAILED
            outbox.finish(self.connection, replace(message, status=status, next_at=again or 0.0, done_at=self.now))
        return True

    def _check(self, taken: Taken) -> None:
        message = taken.message
        if message.about == "resolved":
            assert any(each.status in (MessageStatus.SENT, MessageStatus.MERGED) for each in taken.before)
        assert message.muted_by != "a silence"

    def rows(self) -> list[KeptMessage]:
        asked = alert_messages.select().order_by(alert_messages.c.incident, alert_messages.c.number)
        return [KeptMessage(**row._mapping) for row in self.connection.execute(asked)]


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=40))
def test_nothing_is_lost_nothing_is_told_twice_and_no_limit_is_passed(steps: Sequence[tuple[object, ...]]) -> None:
    state = State("sqlite://")
    metadata.create_all(state.engine)
    goes_through(steps, state)
    state.close()


def test_the_same_holds_on_postgresql(new_postgres_state: Callable[[], State]) -> None:
    state = new_postgres_state()

    @settings(max_examples=15)
    @given(st.lists(STEPS, max_size=40))
    def holds(steps: Sequence[tuple[object, ...]]) -> None:
        goes_through(steps, state)

    holds()
    state.close()


@pytest.mark.parametrize(
    ("channel", "is_sent"),
    [(CHANNEL, False), (PagerDuty.model_validate({"name": "desk", "routing_key": "k", "per_hour": LIMIT}), True)],
)
def test_the_limit_of_a_pager_holds_back_no_end_that_would_stay_open(channel: Channel, is_sent: bool) -> None:
    state = State("sqlite://")
    metadata.create_all(state.engine)
    with state.begin() as connection:
        course = Course(connection, channel)
        for incident in range(LIMIT):
            course.put(incident + 1, "opened", "warning")
            assert course.attempt("sent")
        course.put(1, "resolved", "warning")
        assert course.attempt("sent") == is_sent
        course.put(9, "opened", "warning")
        assert not course.attempt("sent"), "what begins is held back"
    state.close()


def test_a_digest_names_what_is_over_the_gravest_first_and_not_without_end() -> None:
    def ended(incident: int, severity: str, **of: str) -> KeptMessage:
        members = [{"title": "Disk is full", "labels": of, "severity": severity, "muted_by": ""}]
        body = orjson.dumps({"severity": severity, "opened_at": START, "members": members}).decode()
        return KeptMessage(incident, 1, "desk", "resolved", "suppressed", START, START, body, outbox.RATE)

    note = digest_of([ended(1, "warning", mount="/data"), ended(2, "critical", mount="/log")], START)["note"]
    assert str(note).endswith("over by now: 2 (Disk is full: mount /log, Disk is full: mount /data).")
    many = digest_of([ended(number, "warning", mount=f"/{'x' * 500}") for number in range(1, 100)], START)["note"]
    assert "and 89 more" in str(many) and len(str(many)) < 1_000


def goes_through(steps: Sequence[tuple[object, ...]], state: State) -> None:
    """Take these steps in a transaction that is taken back: nothing of them is there for the next ones."""
    with state.begin() as connection:
        course = Course(connection)
        for step in steps:
            match step:
                case ("tells", int(incident), str(severity), bool(muted)):
                    course.put(incident, "changed" if course.numbers[incident] else "opened", severity, muted)
                case ("ends", int(incident)):
                    if course.numbers[incident]:
                        course.put(incident, "resolved", "warning")
                case ("tries", str(outcome)):
                    course.attempt(outcome)
                case ("waits", float(seconds)):
                    course.now += seconds
        for _ in range(30):
            while course.attempt("sent"):
                pass
            course.now += HOUR_SECONDS / 2
        _all_is_told(course)
        connection.rollback()


def _all_is_told(course: Course) -> None:
    keys = [(each.incident, each.number) for _, each in course.taken]
    assert len(keys) == len(set(keys)), "sent twice"
    last: dict[int, KeptMessage] = {}
    for row in course.rows():
        assert row.status not in outbox.WAITING, row
        assert not (row.status == MessageStatus.SUPPRESSED and row.muted_by == outbox.RATE), row
        if row.incident and row.muted_by != "a silence":
            last[row.incident] = row
    for row in last.values():
        if row.status == MessageStatus.SUPPRESSED:
            assert row.about == "resolved" and row.muted_by == NEVER_TOLD
        else:
            was_digested = row.status == MessageStatus.MERGED and row.muted_by == outbox.RATE
            assert row.status in (MessageStatus.SENT, MessageStatus.FAILED) or was_digested, row
    assert not [row for row in course.rows() if row.muted_by == outbox.RATE and severity_of(row) is Severity.URGENT]
    sent = [
        at
        for at, each in course.taken
        if each.about != DIGEST and (each.incident, each.number) not in course.late
        if severity_of(each) < Severity.URGENT
    ]
    for at in sent:
        assert sum(at - HOUR_SECONDS < each <= at for each in sent) <= LIMIT * RESERVE
