"""The one thread of a broker: it listens to the workers' events and asks them questions, over one connection.

Questions are sent and their answers taken as they come, beside the events: nobody waits for the slowest worker.
The thread begins when a reading finds the broker well, and ends with the connection, or when nobody reads any more;
there is never a second one. It is the only part that is not under a reading's deadline.

On Redis, kombu puts messages that nobody acknowledged for an hour back into their queues, whoever connects. A monitor
must not do that (a task that runs for two hours would run twice): our keys for it are names of our own.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AccessRefused, NotAllowed, NotFound
from kombu import Connection, Consumer, Exchange, Producer, Queue

from collectors.kinds.celery.events import Heard
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.celery.source import CelerySource

TURN_SECONDS = 1.0
PAUSE_SECONDS = 5.0
WAIT_SECONDS = 5.0
"""Longest wait for one answer of the broker."""
UNREAD_SECONDS = 120.0
"""Nobody has read for so long: the listener leaves."""
OFTEN, SELDOM = 1.0, 4.0
QUESTIONS = {
    "stats": OFTEN,
    "active": OFTEN,
    "active_queues": OFTEN,
    "registered": SELDOM,
    "reserved": SELDOM,
    "scheduled": SELDOM,
}
"""What is asked, and each how many `inspect_seconds`."""
MOST_ANSWERS = 200
EVENTS = "celeryev"
QUEUE_ARGUMENTS = {"x-max-length": 20_000}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one worker answered to one question, and when."""

    ts: float
    body: Any


@dataclass(frozen=True, slots=True)
class Length:
    """A queue of an AMQP broker; `messages` is None when there is none of that name."""

    ts: float
    messages: int | None
    consumers: int | None


class Listener:
    """Listens in a thread of its own from `listen` on; `answers` and `heard` are what it knows."""

    def __init__(self, source: CelerySource, heard: Heard, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._heard = heard
        self._now = now
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wanted = self._turned = 0.0
        self._answers: dict[str, dict[str, Answer]] = {}
        self._tickets: dict[str, str] = {}
        self._paused_until = 0.0
        self._due: dict[str, float] = {}
        self.changed = threading.Event()
        """Set when it got through, or failed."""
        self.problem: SourceError | None = None
        self.since: float | None = None
        """When this connection began to listen (monotonic); None while there is none."""
        self.session = 0
        self.asked: float | None = None
        """When the workers were asked first on this connection (monotonic)."""
        self.pauses = 0
        self.wanted_queues: tuple[str, ...] = source.queues
        self.lengths: Mapping[str, Length] = {}

    def listen(self) -> None:
        """Let it listen; called by every reading."""
        self._wanted = time.monotonic()
        if self._thread is not None and self._thread.is_alive():
            return
        self.changed.clear()
        self._turned = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"{self._source.collector} listener", daemon=True)
        self._thread.start()

    @property
    def silent_seconds(self) -> float:
        """Seconds since it last came round; it comes every second."""
        return time.monotonic() - self._turned

    def leave(self) -> None:
        """Let it end within a turn."""
        self._wanted = float("-inf")

    def answers(self, question: str) -> dict[str, Answer]:
        """Return what each worker last answered."""
        with self._lock:
            return dict(self._answers.get(question, {}))

    def _run(self) -> None:
        try:
            self._listen()
            self.problem = None
        except Exception as error:  # whatever a broker's library raises: it is told on the page
            self.problem = as_source_error(error)
            log.debug("%s: no longer listening", self._source.collector, exc_info=True)
        finally:
            self.since = self.asked = None
            self.changed.set()

    def _listen(self) -> None:
        with connection(self._source) as broker:
            broker.ensure_connection(max_retries=1, timeout=WAIT_SECONDS)
            channel = broker.channel()
            replies = Replies(self._source, channel, self._answered)
            self._due = dict.fromkeys(QUESTIONS, 0.0)
            self.problem, self.since, self.session = None, time.monotonic(), self.session + 1
            self.changed.set()
            with replies.consumer:
                while self._is_wanted():
                    with Consumer(channel, [event_queue(self._source)], callbacks=[self._event], no_ack=True,
                                  accept=["json"], on_decode_error=self._odd):  # fmt: skip
                        self._turns(broker, replies, lambda: self.pauses)
                    self._turns(broker, replies, lambda: time.monotonic() < self._paused_until)

    def _turns(self, broker: Any, replies: Replies, state: Callable[[], Any]) -> None:
        """Take turns until nobody wants them, or `state` changes."""
        before, due = state(), self._due
        lengths_due, probe = 0.0, None
        while self._is_wanted() and state() == before:
            began = self._turned = time.monotonic()
            for question, times in QUESTIONS.items():
                if began >= due[question]:
                    due[question] = began + times * self._source.inspect_seconds
                    self._ask(replies, question)
                    self.asked = self.asked or began
            if self._source.is_amqp and began >= lengths_due:
                lengths_due = began + self._source.interval_seconds
                probe = self._measure(broker, probe)
            self._drain(broker, began, state, before)

    def _drain(self, broker: Any, began: float, state: Callable[[], Any], before: Any) -> None:
        count = 0
        while (left := began + TURN_SECONDS - time.monotonic()) > 0 and state() == before:
            try:
                broker.drain_events(timeout=max(left, 0.01))
            except TimeoutError:
                break
            count += 1
            if count > self._source.events_per_second:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
                self.pauses += 1
        if self._source.is_amqp:
            broker.heartbeat_check()

    def _measure(self, broker: Any, channel: Any) -> Any:
        """Ask for the lengths of the queues, without making any; return the channel, to be used again."""
        found: dict[str, Length] = {}
        for name in self.wanted_queues:
            if channel is None or not channel.is_open:
                channel = broker.channel()
            try:
                said = channel.queue_declare(queue=name, passive=True)
                found[name] = Length(self._now(), said.message_count, said.consumer_count)
            except NotFound:
                found[name] = Length(self._now(), None, None)
                channel = None
        self.lengths = found
        return channel

    def _ask(self, replies: Replies, question: str) -> None:
        horizon = self._now() - 3 * QUESTIONS[question] * self._source.inspect_seconds
        with self._lock:
            kept = self._answers.get(question, {})
            self._answers[question] = {name: each for name, each in kept.items() if each.ts >= horizon}
            self._tickets = {key: value for key, value in self._tickets.items() if value != question}
            ticket = uuid.uuid4().hex
            self._tickets[ticket] = question
        replies.ask(question, ticket)

    def _answered(self, body: Any, message: Any) -> None:
        with self._lock:
            question = self._tickets.get(str(message.headers.get("ticket")))
            if question is None or not isinstance(body, dict):
                return
            found = self._answers.setdefault(question, {})
            for worker, content in body.items():
                if len(found) < MOST_ANSWERS or worker in found:
                    found[str(worker)] = Answer(self._now(), content)

    def _event(self, body: Any, message: Any) -> None:
        self._heard.take(body, self._now())

    def _odd(self, message: Any, error: Exception) -> None:
        self._heard.take(None, self._now())

    def _is_wanted(self) -> bool:
        return time.monotonic() - self._wanted < max(UNREAD_SECONDS, 3 * self._source.interval_seconds)


class Replies:
    """Questions to all workers, in the form of kombu's pidbox, and the queue of their answers."""

    def __init__(self, source: CelerySource, channel: Any, take: Callable[[Any, Any], None]) -> None:
        self._key = f"fundwatch-{_own_id(source)}"
        exchange = Exchange("reply.celery.pidbox", "direct", durable=False, delivery_mode="transient")
        queue = Queue(f"{self._key}.reply.celery.pidbox", exchange, self._key, durable=False, auto_delete=True,
                      exclusive=source.is_amqp, expires=60.0)  # fmt: skip
        self.consumer = Consumer(channel, [queue], callbacks=[take], no_ack=True, accept=["json"])
        self.consumer.on_decode_error = lambda message, error: None
        self._ask_at = Exchange("celery.pidbox", "fanout", durable=False, delivery_mode="transient")
        self._producer = Producer(channel, auto_declare=False)

    def ask(self, question: str, ticket: str) -> None:
        """Send a question to every worker."""
        body = {
            "method": question, "arguments": {}, "destination": None, "pattern": None, "matcher": None,
            "ticket": ticket, "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": self._key},
        }  # fmt: skip
        headers = {"clock": 0, "expires": time.time() + 60.0}
        self._producer.publish(body, exchange=self._ask_at.name, declare=[self._ask_at], headers=headers,
                               serializer="json", retry=False)  # fmt: skip


def event_queue(source: CelerySource) -> Any:
    """Return our queue of events: gone with our connection, bounded while we are away."""
    exchange = Exchange(EVENTS, "topic" if source.is_amqp else "fanout")
    return Queue(f"{EVENTS}.fundwatch-{_own_id(source)}", exchange, "#", durable=False, auto_delete=True,
                 exclusive=source.is_amqp, message_ttl=30.0, expires=60.0,
                 queue_arguments=dict(QUEUE_ARGUMENTS))  # fmt: skip


def _own_id(source: CelerySource) -> str:
    """Return a name that stays the same on Redis (its bindings outlive us) and is ever new elsewhere."""
    if source.is_amqp:
        return uuid.uuid4().hex[:12]
    return hashlib.blake2b(f"{socket.gethostname()} {source.name}".encode(), digest_size=6).hexdigest()


def connection(source: CelerySource) -> Any:
    """Return a connection to the broker, not yet made; every wait on it is bounded."""
    url = source.broker.get_secret_value()
    if source.is_amqp:
        tls = {"ca_certs": source.ca_file or None, "cert_reqs": ssl.CERT_REQUIRED}
        return Connection(
            url,
            connect_timeout=WAIT_SECONDS,
            heartbeat=10,
            ssl=tls if url.startswith("amqps") else False,
            transport_options={
                "read_timeout": WAIT_SECONDS, "write_timeout": WAIT_SECONDS,
                "client_properties": {"connection_name": "fundwatch"},
            },
        )  # fmt: skip
    options = {
        "socket_timeout": WAIT_SECONDS,
        "socket_connect_timeout": WAIT_SECONDS,
        "socket_keepalive": True,
        "unacked_key": "fundwatch-unacked",
        "unacked_index_key": "fundwatch-unacked-index",
        "unacked_mutex_key": "fundwatch-unacked-mutex",
        "visibility_timeout": 2**31,
        "client_name": "fundwatch",
    }
    tls = {"ssl_ca_certs": source.ca_file or None, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return Connection(url, ssl=tls if url.startswith("rediss") else False, transport_options=options)


def as_source_error(error: BaseException) -> SourceError:
    """Return what ended the listening, as the error that the runner knows."""
    cause = error.__cause__ or error
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if isinstance(cause, AccessRefused):
        return SourceRejected(f"wrong user or password, or a permission is missing ({text})")
    if isinstance(cause, NotAllowed):
        return SourceRejected(f"the user may not enter the virtual host ({text})")
    if "NOPERM" in text or "no permissions" in text:
        return SourceRejected(f"the user lacks a permission that events need ({text})")
    return SourceUnavailable(f"the broker's connection broke: {text}")
