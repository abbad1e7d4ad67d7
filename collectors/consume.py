"""Takes in the rows that messages of a Kafka topic are, in batches, in the order of each partition.

Offsets are committed when a batch is durable, in ClickHouse or in the spool: a kill in between reads it again, which is
harmless, since a row that is there is there once. A message that cannot be read and a row that cannot be taken are kept
with the reason and where they stand, and hold up no other. The consumer lives in a process of its own
(collectors/kinds/kafka/consumer.py).
"""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from collectors.kinds.kafka.connection import settings as settings_of
from collectors.kinds.kafka.messages import Committed, Fetched, Message
from collectors.kinds.kafka.probe import probe
from collectors.runtime.child import Child
from collectors.taken import asked_by, component, content_of, why_refused
from core.errors import RowsRefused, RowsWait, SourceUnavailable, StorageError
from core.format import count
from core.ingest.kinds import KINDS
from core.model import Reading, Sample
from core.net.reach import Deadline
from core.pipeline.spec import TOPIC_LAG, TOPIC_REFUSED, TOPIC_ROWS, TopicTaken
from core.settings.consume import JSON, Consume
from core.tables import table_of
from portfolio.ingest.sparing import LONGEST_SECONDS, Row, take_good_rows
from storage.state.pulled import Mark, RefusedRow, move_pull, read_pull

if TYPE_CHECKING:
    from storage.stores import Stores

T = TypeVar("T")

log = logging.getLogger(__name__)

MODULE = "collectors.kinds.kafka.consumer"
LONGEST_LOOK_SECONDS = 20.0
"""After it no further batch is begun: what is left waits for the next look."""
WAIT_SECONDS = 1.0
"""How long a look waits for a message."""
ANSWER_SECONDS = 15.0
"""Longest time a question to the consumer may take: it may have to ask its cluster some of its own."""
PROBE_SECONDS = 3.0
SESSION_SECONDS = 10.0
"""After so long without a sign of life others get the partitions: a restart waits for it."""
SPARE_SECONDS = 60.0
"""Beside two intervals: a member that is not asked for so long leaves the group by itself, as where another process
collects now."""
QUEUED_KILOBYTES = 16_384
FETCH_BYTES = 4 * 2**20
"""Of one answer of a broker, packed: unpacked it may be ten times as much."""


class Consumer:
    """The importer of one topic."""

    def __init__(self, stores: Stores, consume: Consume) -> None:
        self.name = consume.collector
        self.interval_seconds = consume.interval_seconds
        self.timeout_seconds = LONGEST_LOOK_SECONDS + LONGEST_SECONDS + 2 * ANSWER_SECONDS
        self._stores = stores
        self._consume = consume
        self._kind = KINDS[consume.kind]
        setup = {"settings": member_settings(consume), "topic": consume.topic}
        self.child = Child(MODULE, f"the process that reads the topic {consume.topic}", setup)
        self._most = consume.batch_messages
        self._last = ""
        """What was wrong with the row that was refused last."""
        self._last_message: float | None = None

    def take_in(self, now: float) -> Reading:
        """Take in what came. Raises SourceUnavailable, SourceRejected."""
        try:
            before = found = read_pull(self._stores.state, self.name)
            began = time.monotonic()
            while True:
                fetched = self._fetched()
                if not fetched.messages:
                    break
                found = self._take(found, fetched.messages, now)
                self._ask("commit", Committed, batch=fetched.batch)
                if fetched.is_all or time.monotonic() - began > LONGEST_LOOK_SECONDS:
                    break
        except StorageError as error:
            raise SourceUnavailable(f"messages wait where they are: storage does not answer ({error})") from error
        row = TopicTaken(
            self.name, self._consume.topic, self._consume.kind, found.rows, found.refused, fetched.lag,
            fetched.partitions, self._last_message,
        )  # fmt: skip
        return Reading(
            samples=_samples(row),
            components=(component(self.name, found, before, self._last, now),),
            tables=(table_of(TopicTaken, [row]),),
        )

    def close(self) -> None:
        """End the process that reads."""
        self.child.close()

    def _fetched(self) -> Fetched:
        return self._ask("fetch", Fetched, most=self._most, seconds=WAIT_SECONDS)

    def _ask(self, question: str, answer: type[T], **parameters: Any) -> T:
        try:
            return self.child.ask(question, answer, ANSWER_SECONDS, **parameters)
        except SourceUnavailable as error:
            # librdkafka may be left without its coordinator by a broker that froze: a fresh one finds it.
            self.child.close()
            probe(self._consume, Deadline(PROBE_SECONDS))  # says more plainly what is wrong with address, TLS or age
            raise SourceUnavailable(str(error)) from error

    def _take(self, before: Mark, messages: Sequence[Message], now: float) -> Mark:
        """Store the rows of messages, and keep those that cannot be."""
        places: dict[int, str] = {}
        rows: list[Row] = []
        refused: list[RefusedRow] = []
        for message in messages:
            where = self._where(message)
            found, problem = self._rows_of(message)
            if problem:
                refused.append(RefusedRow(message.text, f"{where}: the message {problem}", where))
            for number, row in enumerate(found, start=1):
                places[id(row)] = where if len(found) == 1 else f"{where}, row {number}"
            rows += found
        try:
            asked = asked_by(self._stores, self._kind, self.name)
            spared = take_good_rows(self._stores, asked, rows, are_apart=True)
        except RowsRefused as error:
            return self._sparing_less(before, messages, f"{error.faults[0]}", now)
        except RowsWait as error:
            raise SourceUnavailable(f"messages wait where they are: {error}") from error
        for row, fault in spared.refused:
            where = places[id(row)]
            refused.append(RefusedRow(content_of(row), f"{where}: {why_refused(fault)}", where))
        self._most = min(2 * self._most, self._consume.batch_messages)
        return self._moved(before, messages, spared.taken, refused, now)

    def _sparing_less(self, before: Mark, messages: Sequence[Message], why: str, now: float) -> Mark:
        """Try fewer messages at a time where too many rows are wrong to tell them apart; one alone is kept whole."""
        if len(messages) > 1:
            self._most = max(len(messages) // 2, 1)
            raise SourceUnavailable(f"its rows cannot be taken: {why}; it goes on with fewer messages at a time")
        (message,) = messages
        where = self._where(message)
        refused = [RefusedRow(message.text, f"{where}: the message cannot be taken: {why}", where)]
        return self._moved(before, messages, 0, refused, now)

    def _moved(
        self, before: Mark, messages: Sequence[Message], taken: int, refused: Sequence[RefusedRow], now: float
    ) -> Mark:
        self._last = refused[-1].reason if refused else self._last
        moved = move_pull(self._stores.state, self.name, before, "", taken, refused, now)
        self._last_message = max((each.at for each in messages if each.at is not None), default=self._last_message)
        if moved.refused > before.refused:
            log.warning("%s: %s refused: %s", self.name, count(moved.refused - before.refused, "row"), self._last)
        return moved

    def _where(self, message: Message) -> str:
        return f"{self._consume.topic}[{message.partition}] offset {message.offset}"

    def _rows_of(self, message: Message) -> tuple[list[Row], str]:
        """Return the rows that a message is, and why it is none."""
        if message.fault:
            return [], message.fault
        most = self._stores.settings.ingest.most_rows
        read = _of_json if self._consume.format == JSON else _of_csv
        found, problem = read(message.text, self._consume.columns)
        if len(found) > most:
            return [], f"has {count(len(found), 'row')}, and {count(most, 'row')} are the most that are taken at once"
        return found, problem


def make(stores: Stores, consume: Consume) -> Consumer:
    """Return the importer of a topic."""
    return Consumer(stores, consume)


def member_settings(consume: Consume) -> Mapping[str, Any]:
    """Return how librdkafka's consumer is set up: it commits nothing by itself."""
    longest = 2 * consume.interval_seconds + SPARE_SECONDS
    return {
        **settings_of(consume),
        "topic.metadata.refresh.interval.ms": 30_000,
        "group.id": consume.consumer_group,
        "auto.offset.reset": consume.start,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "session.timeout.ms": int(SESSION_SECONDS * 1e3),
        "heartbeat.interval.ms": int(SESSION_SECONDS * 1e3 / 3),
        "max.poll.interval.ms": int(longest * 1e3),
        "queued.max.messages.kbytes": QUEUED_KILOBYTES,
        "fetch.max.bytes": FETCH_BYTES,
    }


def _samples(row: TopicTaken) -> tuple[Sample, ...]:
    found = [(TOPIC_ROWS, row.rows), (TOPIC_REFUSED, row.refused), (TOPIC_LAG, row.lag)]
    return tuple(
        Sample(metric, float(value), (("importer", row.importer),)) for metric, value in found if value is not None
    )


def _of_json(text: str, _columns: Sequence[str]) -> tuple[list[Row], str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return [], f"is no JSON: {error.msg}"
    rows = found if isinstance(found, list) else [found]
    if any(not isinstance(row, dict) for row in rows):
        return [], "is no object, and no list of objects"
    return rows, ""


def _of_csv(text: str, columns: Sequence[str]) -> tuple[list[Row], str]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        return [], f"is no CSV: {error}"
    if not columns:
        header, *lines = lines or [[]]
        columns = [name.strip() for name in header]
        if len(set(columns)) < len(columns) or not all(columns):
            return [], "has a column twice in its header, or none"
    if not lines:
        return [], "has no rows"
    for number, line in enumerate(lines, start=1):
        if len(line) != len(columns):
            return [], f"has {count(len(line), 'cell')} in row {number}, and the header {count(len(columns), 'column')}"
    return [dict(zip(columns, (cell or None for cell in line), strict=True)) for line in lines], ""
