"""Sending over a real state database to real servers that misbehave: nothing lost, nothing doubled, nobody delayed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from pydantic import SecretStr

from alerting.attempts import GIVE_UP_END_SECONDS
from alerting.sender import Postman, Sender
from alerting.taking import DIGEST_SECONDS, HOUR_SECONDS, MOST_IN_DIGEST, NEVER_TOLD, digest_of
from alerting.undelivered import TAKEN_AWAY
from core.errors import StorageUnavailable
from core.settings.channels import Channels, Webhook
from storage.state import outbox as outbox_rows
from storage.state.alerts import MessageStatus, Overtaken, check_token, read_history
from storage.state.database import State
from storage.state.outbox import RATE
from tests.support.outbox import TOKEN, Outbox
from tests.support.receivers import Receiver, Reply
from tests.support.servers import BUSY_SECONDS

DOWN, GONE, LATER = Reply(500), Reply(404, b"no such hook"), Reply(429, headers={"Retry-After": "90"})
OK = Reply()


@pytest.fixture
def desk() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def outbox(state: State, desk: Receiver, phone: Receiver) -> Outbox:
    return with_channels(state, desk, phone)


@pytest.fixture
def either_outbox(either_state: State, desk: Receiver, phone: Receiver) -> Outbox:
    return with_channels(either_state, desk, phone)


def with_channels(state: State, desk: Receiver, phone: Receiver, **more: Any) -> Outbox:
    """Two webhooks; the phone stands in for the desk."""
    webhooks = [
        {"name": "desk", "url": f"{desk.url}/hook?key=hunter2", "fallback": "phone", "timeout_seconds": 1, **more},
        {"name": "phone", "url": f"{phone.url}/hook"},
    ]
    return Outbox(state, Channels.model_validate({"webhook": webhooks}))


def postman(outbox: Outbox, name: str = "desk", token: int = TOKEN) -> Postman:
    return Postman(
        outbox.state, outbox.channels, outbox.channel(name), outbox.clock.now, token, "m1", "https://fund.example"
    )


def subjects(receiver: Receiver) -> list[str]:
    return [each.json["subject"] for each in receiver.received]


@pytest.mark.transition("B10")
def test_a_message_is_sent_once_and_what_was_answered_is_kept(outbox: Outbox, desk: Receiver) -> None:
    outbox.put("desk")
    one = postman(outbox)
    assert (one.turn(), one.turn()) == (True, False)
    assert subjects(desk) == ["[WARNING] CPU 93 % on a"]
    assert desk.received[0].json["link"] == "https://fund.example/alerts?incident=1"
    [row] = outbox.rows()
    assert (row.status, row.attempts, row.reply, row.done_at) == ("sent", 1, "200", outbox.clock.now())
    with outbox.state.reading() as connection:
        ((_, told),) = read_history(connection, 10)
    assert (told.what, told.detail, told.incident, told.at) == ("delivered", "desk: opened", 1, outbox.clock.now())
    assert (told.rule, told.severity, told.labels) == ("cpu", "warning", '{"host":"a"}'), "filters find it"


@pytest.mark.transition("B11")
def test_a_channel_that_is_down_is_tried_again_ever_more_slowly(outbox: Outbox, desk: Receiver) -> None:
    desk.then(DOWN, DOWN, DOWN, DOWN, OK)
    outbox.put("desk")
    one, pauses = postman(outbox), []
    while outbox.states() != [("opened", "sent")]:
        assert one.turn()
        assert not one.turn(), "before its time"
        pauses.append(outbox.rows()[0].next_at - outbox.clock.now())
        outbox.clock.advance(max(0.0, pauses[-1]))
    for pause, expected in zip(pauses, (1, 2, 4, 8), strict=False):
        assert 0.8 * expected <= pause <= 1.2 * expected
    assert len(desk.received) == 5
    assert len({each.headers["idempotency-key"] for each in desk.received}) == 1


@pytest.mark.parametrize("is_date", [False, True])
def test_who_asks_to_be_left_alone_is_left_alone(outbox: Outbox, desk: Receiver, is_date: bool) -> None:
    asks = formatdate(time.time() + 90, usegmt=True) if is_date else "90"
    desk.then(Reply(429, headers={"Retry-After": asks}), OK)
    outbox.put("desk")
    outbox.put("desk", incident=2)
    one = postman(outbox)
    one.turn()
    outbox.clock.advance(60)
    assert not one.turn() and len(desk.received) == 1, "not with another message either"
    outbox.clock.advance(31 + BUSY_SECONDS)
    while one.turn():
        pass
    assert outbox.states() == [("opened", "sent")] * 2


@pytest.mark.parametrize("behaviour", ["hangs", "drips", "cuts"])
def test_a_receiver_that_does_not_end_its_answer_costs_no_more_than_the_deadline(
    outbox: Outbox, desk: Receiver, behaviour: str
) -> None:
    desk.then(Reply(behaviour=behaviour))
    outbox.put("desk")
    began = time.monotonic()
    postman(outbox).turn()
    assert time.monotonic() - began < 1 + BUSY_SECONDS
    assert outbox.states() == [("opened", "retrying")]


def test_one_that_answers_twice_is_sent_to_once(outbox: Outbox, desk: Receiver) -> None:
    desk.then(Reply(behaviour="twice"))
    outbox.put("desk")
    one = postman(outbox)
    assert one.turn() and not one.turn()
    assert outbox.states() == [("opened", "sent")] and len(desk.received) == 1


@pytest.mark.transition("B12")
def test_what_is_refused_goes_to_the_fallback_at_once_and_the_channel_is_told_of_once(
    outbox: Outbox, desk: Receiver, phone: Receiver
) -> None:
    desk.then(GONE)
    outbox.put("desk", severity="critical")
    outbox.put("desk", incident=2)
    for one in (postman(outbox), postman(outbox, "phone")):
        while one.turn():
            pass
    assert outbox.states("desk") == [("opened", "failed")] * 2
    assert outbox.rows("desk")[0].problem == "127.0.0.1 answers 404: no such hook"
    assert sorted(subjects(phone)) == [
        "[CRITICAL] CPU 93 % on a",
        "[CRITICAL] The channel desk does not deliver: 127.0.0.1 answers 404: no such hook",
        "[WARNING] CPU 93 % on a",
    ]
    with outbox.state.reading() as connection:
        rows = [row for _, row in read_history(connection, 10)]
    happened = [(row.what, row.detail.partition(":")[0]) for row in rows]
    assert {row.rule for row in rows if row.what == "undelivered"} == {"cpu"}
    assert sorted(happened) == [("delivered", "phone")] * 3 + [("undelivered", "desk")] * 2


def test_the_end_follows_where_the_beginning_went(outbox: Outbox, desk: Receiver, phone: Receiver) -> None:
    desk.then(GONE)
    outbox.put("desk")
    for name in ("desk", "phone", "phone"):
        postman(outbox, name).turn()
    outbox.put("desk", "resolved", number=1)
    for name in ("desk", "phone"):
        postman(outbox, name).turn()
    assert outbox.states("desk") == [("opened", "failed"), ("resolved", "suppressed")]
    assert outbox.rows("desk")[1].muted_by == NEVER_TOLD
    assert subjects(phone)[-1] == "[RESOLVED] CPU 93 % on a"


def test_the_end_follows_the_beginning_though_the_channel_has_no_fallback_any_more(
    outbox: Outbox, desk: Receiver, phone: Receiver
) -> None:
    desk.then(GONE)
    outbox.put("desk")
    for name in ("desk", "phone", "phone"):
        postman(outbox, name).turn()
    outbox.put("desk", "resolved", number=1)
    edited = outbox.channel("desk").model_copy(update={"fallback": ""})
    channels = {**outbox.channels, "desk": edited}
    Postman(outbox.state, channels, edited, outbox.clock.now, TOKEN, "m1", "").turn()
    postman(outbox, "phone").turn()
    assert subjects(phone)[-1] == "[RESOLVED] CPU 93 % on a"


def test_what_a_channel_that_is_off_leaves_goes_to_its_fallback_also_after_a_restart(
    outbox: Outbox, phone: Receiver
) -> None:
    in_force = {name: each for name, each in outbox.channels.items() if name != "desk"}
    other = Webhook(name="aside", url=SecretStr(f"{phone.url}/aside"))
    sender = Sender(outbox.state, lambda: {"aside": other, **in_force}, outbox.clock.now, TOKEN, machine="m1",
                    address="", fallbacks=lambda: {"desk": "phone"})  # fmt: skip
    outbox.put("desk")
    assert sender.give_up_lost() == 1
    assert ("opened", "queued") in outbox.states("phone") and outbox.states("aside") == []


def test_the_end_is_told_where_it_was_heard_though_the_channel_works_again(
    outbox: Outbox, desk: Receiver, phone: Receiver
) -> None:
    desk.then(DOWN)
    outbox.put("desk")
    postman(outbox).turn()
    desk.then(GONE)
    outbox.put("desk", "changed", number=1)
    for name in ("desk", "phone", "phone"):
        postman(outbox, name).turn()
    desk.then(OK)
    outbox.put("desk", "resolved", number=2)
    for name in ("desk", "phone"):
        postman(outbox, name).turn()
    assert [state for _, state in outbox.states("desk")] == ["merged", "failed", "suppressed"]
    assert subjects(phone)[-1] == "[RESOLVED] CPU 93 % on a"


@pytest.mark.transition("B12")
def test_it_is_given_up_after_its_time_and_the_end_of_it_later(outbox: Outbox, desk: Receiver) -> None:
    desk.then(DOWN)
    outbox.put("desk")
    outbox.put("desk", "resolved", incident=2)
    one = postman(outbox)
    patience = outbox.channel("desk").give_up_seconds
    for seconds in (0.0, patience - 1, 2.0):
        outbox.clock.advance(seconds)
        while one.turn():
            pass
    assert outbox.states("desk") == [("opened", "failed"), ("resolved", "retrying")]
    outbox.clock.advance(GIVE_UP_END_SECONDS)
    one.turn()
    assert outbox.states("desk") == [("opened", "failed"), ("resolved", "failed")]


def test_a_wait_that_is_longer_than_our_patience_is_not_waited_for(outbox: Outbox, desk: Receiver) -> None:
    desk.then(Reply(503, headers={"Retry-After": "7200"}))
    outbox.put("desk")
    postman(outbox).turn()
    assert outbox.states("desk") == [("opened", "failed")] and len(outbox.rows("phone")) == 2


@pytest.mark.transition("B11")
def test_what_is_over_before_it_was_told_is_told_in_one_message(outbox: Outbox, desk: Receiver) -> None:
    desk.then(DOWN)
    outbox.put("desk")
    one = postman(outbox)
    one.turn()
    desk.then(OK)
    outbox.put("desk", "resolved", number=1)
    while one.turn():
        pass
    assert outbox.states() == [("opened", "merged"), ("resolved", "sent")]
    assert subjects(desk)[1:] == ["[RESOLVED] It fired and is over: CPU 93 % on a"]


def test_the_newest_of_an_incident_tells_what_those_before_it_would_have(outbox: Outbox, desk: Receiver) -> None:
    for number, about in enumerate(("opened", "changed", "raised")):
        outbox.put("desk", about, number=number, severity="urgent" if about == "raised" else "warning")
    one = postman(outbox)
    while one.turn():
        pass
    assert subjects(desk) == ["[URGENT] Worse: CPU 93 % on a"]
    assert [state for _, state in outbox.states()] == ["merged", "merged", "sent"]


def test_who_was_never_told_does_not_hear_the_end(outbox: Outbox, desk: Receiver) -> None:
    outbox.put("desk", muted_by="a silence")
    with outbox.state.begin() as connection:
        connection.exec_driver_sql("UPDATE alert_messages SET status = 'suppressed'")
    outbox.put("desk", "resolved", number=1)
    assert not postman(outbox).turn()
    assert outbox.states() == [("opened", "suppressed"), ("resolved", "suppressed")] and desk.received == []


@pytest.mark.transition("B13")
def test_a_limit_holds_back_all_but_what_is_critical_and_a_digest_tells_it(
    state: State, desk: Receiver, phone: Receiver
) -> None:
    outbox = with_channels(state, desk, phone, per_hour=2)
    one = postman(outbox)
    for incident in range(1, 7):
        outbox.put("desk", incident=incident, severity="critical" if incident > 4 else "warning")
    while one.turn():
        pass
    assert [subject.split()[0] for subject in subjects(desk)] == ["[WARNING]"] * 2 + ["[CRITICAL]"] * 2
    held = [row for row in outbox.rows() if row.muted_by == RATE]
    assert [row.incident for row in held] == [3, 4]
    outbox.put("desk", "resolved", incident=3, number=1)
    assert not one.turn(), "nothing of it was told: the digest tells both"
    outbox.clock.advance(DIGEST_SECONDS)
    assert one.turn() and not one.turn()
    digest = desk.received[-1].json
    assert digest["about"] == "digest" and len(digest["alerts"]) == 1
    assert "3 messages of 2 incidents held back" in digest["subject"] and "over by now: 1" in digest["note"]
    assert "(2 new, 1 ended)" in digest["note"] and digest["link"] == "https://fund.example/alerts"
    outbox.put("desk", incident=7)
    one.turn()
    outbox.clock.advance(DIGEST_SECONDS)
    assert not one.turn(), "the next digest waits twice as long"
    outbox.clock.advance(DIGEST_SECONDS)
    assert one.turn()
    assert desk.received[-1].json["incident"] == 7, "one alone comes as itself"
    outbox.clock.advance(HOUR_SECONDS)
    outbox.put("desk", "resolved", incident=4, number=1)
    assert one.turn(), "a digest told of it, so its end is told"
    assert desk.received[-1].json["about"] == "resolved"


def test_what_was_held_back_of_one_incident_comes_as_its_newest_message_and_no_faster_than_digests(
    state: State, desk: Receiver, phone: Receiver
) -> None:
    outbox = with_channels(state, desk, phone, per_hour=1)
    one = postman(outbox)
    outbox.put("desk")
    outbox.put("desk", incident=2)
    while one.turn():
        pass
    outbox.put("desk", "resolved", incident=2, number=1)
    assert not one.turn()
    outbox.clock.advance(DIGEST_SECONDS)
    desk.then(DOWN)
    assert one.turn()
    outbox.clock.advance(2)
    desk.then(OK)
    assert one.turn() and not one.turn()
    assert subjects(desk)[-1] == "[RESOLVED] It fired and is over: CPU 93 % on a"
    assert [state for about, state in outbox.states() if about != "digest"] == ["sent", "merged", "sent"]
    outbox.put("desk", incident=3)
    for is_due in (False, False, True):
        assert one.turn() == is_due
        outbox.clock.advance(DIGEST_SECONDS)


def test_a_digest_counts_what_it_has_no_room_for(outbox: Outbox) -> None:
    for incident in range(1, MOST_IN_DIGEST + 31):
        outbox.put("desk", "escalated", incident=incident, severity="critical")
    body: Any = digest_of(outbox.rows(), outbox.clock.now())
    assert (len(body["members"]), body["more"]) == (MOST_IN_DIGEST, 30)
    assert "(80 escalated)" in str(body["note"])


def test_the_fallback_gets_what_a_digest_told(state: State, desk: Receiver, phone: Receiver) -> None:
    outbox = with_channels(state, desk, phone, per_hour=1)
    one = postman(outbox)
    for incident in range(1, 5):
        outbox.put("desk", incident=incident)
    while one.turn():
        pass
    outbox.clock.advance(DIGEST_SECONDS)
    desk.then(GONE)
    while one.turn():
        pass
    other = postman(outbox, "phone")
    while other.turn():
        pass
    (told,) = (each.json for each in phone.received if each.json["about"] == "digest")
    assert told["subject"].startswith("[WARNING] 3 messages of 3 incidents held back")
    assert told["subject"].endswith("The channel desk did not deliver this.") and len(told["alerts"]) == 3


def test_what_is_urgent_is_told_though_limit_and_reserve_are_used_up(
    state: State, desk: Receiver, phone: Receiver
) -> None:
    outbox = with_channels(state, desk, phone, per_hour=1)
    one = postman(outbox)
    for incident in range(1, 5):
        outbox.put("desk", incident=incident, severity="critical")
    while one.turn():
        pass
    assert len(desk.received) == 2
    outbox.put("desk", "escalated", incident=5, severity="urgent")
    assert one.turn()
    assert subjects(desk)[-1].startswith("[URGENT] Nobody acknowledged")


def test_limits_count_over_a_restart(state: State, desk: Receiver, phone: Receiver) -> None:
    outbox = with_channels(state, desk, phone, per_hour=1)
    outbox.put("desk")
    postman(outbox).turn()
    outbox.put("desk", incident=2)
    assert not postman(outbox).turn() and len(desk.received) == 1


def test_a_channel_that_asks_for_an_hour_gives_up_what_cannot_wait_and_the_fallback_has_what_is_critical(
    state: State, desk: Receiver, phone: Receiver
) -> None:
    outbox = with_channels(state, desk, phone, fallback="phone")
    desk.then(Reply(429, headers={"Retry-After": "600"}), Reply())
    outbox.put("desk")
    one = postman(outbox)
    assert one.turn() and not one.turn()
    outbox.put("desk", incident=2, severity="urgent")
    outbox.put("desk", incident=3)
    assert one.turn() and not one.turn()
    assert [row.incident for row in outbox.rows("phone") if row.about == "opened"] == [2]
    assert [row.status for row in outbox.rows("desk")] == ["retrying", "failed", "queued"]
    outbox.clock.advance(601)
    assert one.turn() and one.turn()
    assert [row.status for row in outbox.rows("desk")] == ["sent", "failed", "sent"]


def test_an_attempt_that_nobody_finished_is_made_again_and_not_twice_at_once(
    either_outbox: Outbox, desk: Receiver
) -> None:
    outbox = either_outbox
    outbox.put("desk")
    died = postman(outbox)
    assert died._take(outbox.clock.now())
    other = postman(outbox)
    assert not other.turn(), "it may be on its way"
    outbox.clock.advance(60)
    assert other.turn() and outbox.states() == [("opened", "sent")]
    assert outbox.rows()[0].attempts == 2


def test_a_sender_that_was_overtaken_sends_nothing(either_outbox: Outbox, desk: Receiver) -> None:
    outbox = either_outbox
    outbox.put("desk")
    with outbox.state.begin() as connection:
        check_token(connection, TOKEN + 1, outbox.clock.now(), outbox.clock.now())
    with pytest.raises(Overtaken):
        postman(outbox).turn()
    assert desk.received == []
    assert postman(outbox, token=TOKEN + 1).turn()


def test_with_the_state_database_away_after_the_answer_it_is_not_sent_again(outbox: Outbox, desk: Receiver) -> None:
    outbox.put("desk")
    one = postman(outbox)
    begin, calls = outbox.state.begin, iter([True, False, False, True])

    @contextmanager
    def sometimes() -> Iterator[Any]:
        if not next(calls):
            raise StorageUnavailable("the disk is full")
        with begin() as connection:
            yield connection

    outbox.state.begin = sometimes  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            one.turn()
    assert not one.turn()
    assert outbox.states() == [("opened", "sent")] and len(desk.received) == 1


def test_what_waits_for_a_channel_that_is_gone_goes_to_another_one(outbox: Outbox, phone: Receiver) -> None:
    outbox.put("pager")
    sender = Sender(outbox.state, lambda: outbox.channels, outbox.clock.now, TOKEN, machine="m1", address="")
    assert (sender.give_up_lost(), sender.give_up_lost()) == (1, 0)
    [row] = outbox.rows("pager")
    assert (row.status, row.problem) == ("failed", TAKEN_AWAY)
    assert {each.receiver for each in outbox.rows()} == {"pager", "desk"}


def test_a_channel_that_is_taken_away_ends_after_what_is_in_flight_and_the_rest_goes_to_its_fallback(
    state: State, desk: Receiver, phone: Receiver
) -> None:
    outbox = with_channels(state, desk, phone, timeout_seconds=5, per_hour=1)
    desk.then(Reply(behaviour="hangs"))
    outbox.put("desk", incident=1)
    in_force = dict(outbox.channels)
    sender = Sender(outbox.state, lambda: in_force, outbox.clock.now, TOKEN, machine="m1", address="")
    sender.start()
    try:
        soon(lambda: len(desk.received) == 1)
        outbox.put("desk", incident=2)
        outbox.put("desk", incident=3)
        del in_force["desk"]
        sender.take()
        assert sender.give_up_lost() == 0, "an attempt is under way"
        soon(lambda: {status for _, status in outbox.states("desk")} == {"failed"})
        soon(lambda: sum("did not deliver this" in each.json["note"] for each in phone.received) == 3)
        assert len(desk.received) == 1
        in_force["desk"] = outbox.channel("desk").model_copy(update={"per_hour": 0})
        outbox.put("desk", incident=4)
        soon(lambda: len(desk.received) == 2)
    finally:
        assert sender.stop(10)


def test_what_was_held_back_from_a_channel_that_is_gone_is_told_too(outbox: Outbox) -> None:
    outbox.put("pager")
    with outbox.state.begin() as connection:
        [row] = outbox_rows.waiting_for(connection, "pager")
        outbox_rows.finish_all(connection, [replace(row, status=MessageStatus.SUPPRESSED, muted_by=RATE)])
    sender = Sender(outbox.state, lambda: outbox.channels, outbox.clock.now, TOKEN, machine="m1", address="")
    assert sender.give_up_lost() == 1
    assert ("opened", "queued") in outbox.states("desk")


def soon(holds: Callable[[], object]) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.02)


def test_an_answer_with_a_nul_is_kept_without_it(outbox: Outbox, desk: Receiver) -> None:
    desk.then(Reply(400, b"no\0 hook"))
    outbox.put("desk")
    assert postman(outbox).turn()
    (row,) = outbox.rows("desk")
    assert row.status == "failed" and "no hook" in row.problem


def test_no_secret_stands_in_what_is_kept_or_logged(
    outbox: Outbox, desk: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    desk.then(Reply(400, f"no hook at {desk.url}/hook?key=hunter2".encode()))
    outbox.put("desk")
    postman(outbox).turn()
    assert "hunter2" not in repr(outbox.rows()) and "hunter2" not in caplog.text
    assert "***" in outbox.rows("desk")[0].problem


def test_a_channel_that_hangs_delays_no_other(outbox: Outbox, desk: Receiver, phone: Receiver) -> None:
    desk.then(Reply(behaviour="hangs"))
    for incident in range(1, 6):
        outbox.put("desk", incident=incident)
        outbox.put("phone", incident=incident)
    sender = Sender(outbox.state, lambda: outbox.channels, outbox.clock.now, TOKEN, machine="m1", address="")
    sender.start()
    try:
        ends = time.monotonic() + 20
        while len(phone.received) < 5 and time.monotonic() < ends:
            time.sleep(0.02)
        assert len(phone.received) == 5
        assert len(desk.received) < 5, "the phone had all before the desk was tried five times"
    finally:
        assert sender.stop(10)
