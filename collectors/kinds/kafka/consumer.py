"""A member of a consumer group in a process of its own, run by collectors/runtime/child.py: librdkafka may abort.

Offsets are committed when the importer says that what was read is durable, and not before: what was fetched and not
committed is read again, by this member or by whoever has the partition then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
from confluent_kafka import (
    OFFSET_INVALID,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as Received

from collectors.kinds.kafka.messages import Committed, Fetched, Message
from collectors.runtime.served import serve
from core.errors import SourceError, SourceRejected, SourceUnavailable

MOST_BATCH_BYTES = 8 * 2**20
MOST_MESSAGE_BYTES = 8 * 2**20
SHOWN_BYTES = 4_000
"""Of a message that can be no rows."""
NEXT_SECONDS = 0.1
"""How long it waits for one more message when it has some."""
ASK_SECONDS = 2.0
REFUSED = {
    KafkaError._AUTHENTICATION: "wrong user or password, or another mechanism",
    KafkaError.SASL_AUTHENTICATION_FAILED: "wrong user or password",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "the user may not read the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "the user may not read as this consumer group",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "there is no such topic",
    KafkaError._UNKNOWN_TOPIC: "there is no such topic",
    KafkaError._SSL: "no TLS connection",
}
MOVING = {
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError._WAIT_COORD,
    KafkaError._ASSIGNMENT_LOST,
    KafkaError._STATE,
}
"""Why a commit is not kept that concern the group's members alone."""


class Member:
    """The questions: `fetch` and `commit` by turns."""

    def __init__(self) -> None:
        self._topic = ""
        self._errors: dict[int, str] = {}
        self._batch = 0
        self._first: dict[int, int] = {}
        """Offset of the first message of the newest batch by partition, until that is committed."""
        self._next: dict[int, int] = {}
        """Offset after its last one, likewise."""
        self._durable: dict[int, int] = {}
        """Offsets that are durable and that the group does not keep yet."""

    def open(self, settings: Mapping[str, Any], topic: str) -> None:
        """Make the member; it joins with the first question. Raises SourceRejected."""
        self._topic = topic
        try:
            self._consumer = Consumer(dict(settings) | {"error_cb": self._failed})
            self._is_latest = settings.get("auto.offset.reset") == "latest"
            self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        except KafkaException as error:
            raise SourceRejected(f"cannot be read with these settings: {error.args[0].str()}") from error

    def fetch(self, most: int, seconds: float) -> Fetched:
        """Return the next messages, `most` at most; what was fetched and not committed comes once more.

        Waits so many seconds for the first one. Raises SourceUnavailable, SourceRejected.
        """
        self._errors.clear()
        self._go_back()
        self._batch += 1
        found: list[Message] = []
        size, ends, is_all = 0, time.monotonic() + seconds, False
        while len(found) < most and size < MOST_BATCH_BYTES:
            left = max(ends - time.monotonic(), 0.0)
            received = self._consumer.poll(min(NEXT_SECONDS, left) if found else left)
            if received is None:
                is_all = True
                break
            if (error := received.error()) is not None:
                self._failed(error)
                self._check_refused()
                continue
            found.append(self._noted(received))
            size += len(orjson.dumps(found[-1].text))  # as it crosses over: a control character is six bytes
        if not found:
            self._check_refused()
            self._check_reachable()
            self._keep()
        mine = self._consumer.assignment()
        return Fetched(self._batch, found, len(mine), self._lag(mine), is_all)

    def commit(self, batch: int) -> Committed:
        """Let the group keep how far a batch came, unless another one was fetched since. Raises SourceRejected."""
        if batch != self._batch:
            return Committed(False)
        self._durable |= self._next
        self._first, self._next = {}, {}
        return Committed(self._keep())

    def may_leave(self) -> bool:
        """Return whether nothing that was read waits for its commit."""
        return not self._next and not self._durable

    def _keep(self) -> bool:
        if not self._durable:
            return True
        offsets = [TopicPartition(self._topic, number, offset) for number, offset in self._durable.items()]
        try:
            kept = self._consumer.commit(offsets=offsets, asynchronous=False) or []
        except KafkaException as error:
            return self._not_kept(error.args[0])
        failed = next((each.error for each in kept if each.error is not None), None)
        if failed is not None:
            return self._not_kept(failed)
        self._durable.clear()
        return True

    def _not_kept(self, error: KafkaError) -> bool:
        if error.code() in MOVING:
            return False
        raise self._explained(error.code(), error.str())

    def _noted(self, received: Received) -> Message:
        number, offset = received.partition() or 0, received.offset() or 0
        self._first.setdefault(number, offset)
        self._next[number] = offset + 1
        sort, milliseconds = received.timestamp()
        at = None if sort == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1e3
        text, fault = _text(received.value())
        return Message(number, offset, at, text, fault)

    def _go_back(self) -> None:
        """Read what was not committed again. Raises SourceUnavailable."""
        try:
            for number, offset in self._first.items():
                self._consumer.seek(TopicPartition(self._topic, number, offset))
        except KafkaException as error:
            raise SourceUnavailable(f"cannot be read again: {error.args[0].str()}") from error
        self._first, self._next = {}, {}

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Let the group keep where it begins with what is new: a later member would begin at a later end."""
        try:
            known = consumer.committed(partitions, timeout=ASK_SECONDS) if self._is_latest else partitions
            for each in known if self._is_latest else ():
                if each.offset < 0:
                    each.offset = consumer.get_watermark_offsets(each, timeout=ASK_SECONDS)[1]
                    self._durable.setdefault(each.partition, each.offset)
        except KafkaException as error:
            self._failed(error.args[0])
            known = partitions
        consumer.assign(known)

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Forget what is another member's now: that reads on from what the group keeps."""
        for each in partitions:
            for known in (self._first, self._next, self._durable):
                known.pop(each.partition, None)

    def _lag(self, mine: list[TopicPartition]) -> int | None:
        try:
            return self._behind(mine)
        except KafkaException:  # what was fetched is worth more than how much is left
            return None

    def _behind(self, mine: list[TopicPartition]) -> int | None:
        positions = {each.partition: each.offset for each in self._consumer.position(mine)}
        lag = 0
        for each in mine:
            last = self._consumer.get_watermark_offsets(each, cached=True)[1]
            at = positions.get(each.partition, OFFSET_INVALID)
            if last == OFFSET_INVALID:
                return None
            if at < 0:  # nothing was read since it joined: the group's own offset is where it stands
                at = self._consumer.committed([each], timeout=ASK_SECONDS)[0].offset
            lag += max(last - at, 0) if at >= 0 else 0
        return lag

    def _failed(self, error: KafkaError) -> None:
        self._errors[error.code()] = error.str()

    def _check_refused(self) -> None:
        for code, said in self._errors.items():
            if code in REFUSED:
                raise self._explained(code, said)

    def _check_reachable(self) -> None:
        """Raise SourceUnavailable where no broker answers, SourceRejected where there is no such topic."""
        try:
            topics = self._consumer.list_topics(self._topic, timeout=ASK_SECONDS).topics
        except KafkaException as error:
            self._check_refused()
            raise self._explained(error.args[0].code(), error.args[0].str()) from error
        found = topics.get(self._topic)
        if found is not None and found.error is not None:
            raise self._explained(found.error.code(), found.error.str())

    def _explained(self, code: int, said: str) -> SourceError:
        if code in REFUSED:
            return SourceRejected(f"topic {self._topic}: {REFUSED[code]} ({said})")
        return SourceUnavailable(f"topic {self._topic} cannot be read: {said}")


def _text(value: bytes | str | None) -> tuple[str, str]:
    """Return what a message says, and why it can be no rows."""
    content = value.encode() if isinstance(value, str) else value or b""
    shown = content[:SHOWN_BYTES].decode(errors="backslashreplace")
    if not content:
        return "", "is empty"
    if len(content) > MOST_MESSAGE_BYTES:
        return shown, f"has more than {MOST_MESSAGE_BYTES:,} bytes"
    try:
        return content.decode(), ""
    except UnicodeDecodeError as error:
        return shown, f"is no UTF-8, at byte {error.start}"


if __name__ == "__main__":
    member = Member()
    serve({each.__name__: each for each in (member.open, member.fetch, member.commit)}, member.may_leave)
