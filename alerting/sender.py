"""Sending what the outbox holds: a thread a channel, so that one that hangs delays no other.

Before an attempt the message is taken in the state database, and afterwards what became of it is kept there. A process
that dies between the two sends it again when it is due: at least once, and twice only if it died after the channel had
answered; each message has a key by which receivers can tell.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from alerting.attempts import is_given_up, next_attempt
from alerting.channels import send, without_secrets
from alerting.happened import of_message
from alerting.incidents import About
from alerting.notice import LinkMaker, Notice, notice_of
from alerting.taking import Taken, take_next, tell_end_to_fallback
from alerting.undelivered import TAKEN_AWAY, fail
from core.alerts.links import without_links
from core.errors import DeliveryRefused, DeliveryUnavailable, StorageError
from core.format import coarse_duration, cut
from core.settings.channels import LOG, Channel, Log
from storage.state import outbox
from storage.state.alerts import (
    HistoryRow,
    KeptMessage,
    MessageStatus,
    Overtaken,
    add_history,
    installation_in,
    link_key_in,
    plain,
)
from storage.state.database import State, Transaction

LOOK_SECONDS = 1.0
"""Between two looks into the outbox when nobody says that there is something."""
FOLLOW_SECONDS = 2.0
"""Between two looks whether channels were changed."""
SHORTEST_SECONDS = 0.01
AWAY_SECONDS = 2.0
"""After the state database did not answer."""
LONGEST_KEPT = 500
"""Characters of an answer, or of a problem."""
DELIVERED = "delivered"
"""What stands in the history where a message reached its channel."""

Complete = Callable[[Notice, Channel, str], Notice]
"""Returns a message with what goes with it by a channel; the last: the address of our pages."""

log = logging.getLogger(__name__)


def as_it_is(notice: Notice, _channel: Channel, _address: str) -> Notice:
    """Return a message without anything beside it."""
    return notice


class Sender:
    """Sends for the one engine that runs, until it is stopped or a later engine has taken over."""

    def __init__(
        self,
        state: State,
        channels: Callable[[], Mapping[str, Channel]],
        now: Callable[[], float],
        token: int,
        *,
        machine: str,
        address: str,
        links_work_seconds: float = 0.0,
        complete: Complete = as_it_is,
        fallbacks: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """channels: returns those in force, by name; raises StorageError: then those before hold on. now: epoch
        seconds, in which messages are due. address: of our pages. Raises StorageError.

        links_work_seconds: of links by which somebody acts without signing in; 0: messages carry none.
        complete: returns a message with what its channel takes beside it, in little more than a second.
        fallbacks: returns those of channels that are switched off, by name; raises StorageError.
        """
        self._state = state
        self._read, self._read_fallbacks = channels, fallbacks
        self._now = now
        self._token = token
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._channels: Mapping[str, Channel] = {}
        self._fallbacks: dict[str, str] = {}
        """Of channels that are gone."""
        self._postmen: dict[str, Postman] = {}
        self._threads: dict[Postman, threading.Thread] = {}
        """Of those that send, and of those that end with what is in flight."""
        self._is_started = False
        self._follower = threading.Thread(target=self._follow, name="alerts-channels", daemon=True)

        def hire(channel: Channel) -> Postman:
            return Postman(
                state, self._channels, channel, now, token, machine, address, links_work_seconds, complete
            )  # fmt: skip

        self._hire = hire
        self.take()

    def start(self) -> None:
        """Begin to send."""
        with self._lock:
            self._is_started = True
            for postman in self._postmen.values():
                self._spawn(postman)
        self._follower.start()

    def wake(self) -> None:
        """Say that there may be something to send: it is looked for at once."""
        for each in tuple(self._postmen.values()):
            each.woken.set()

    def stop(self, seconds: float) -> bool:
        """End within that time; return whether all attempts had ended. What is not sent then, the next one sends."""
        self._stopping.set()
        self._changed.set()
        with self._lock:
            threads = [*self._threads.values(), *([self._follower] if self._is_started else [])]
            for each in self._threads:
                each.woken.set()
        ends = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def take(self) -> None:
        """Send by the channels that are in force now: a new one gets its thread, one that is gone ends its own after
        what is in flight. Raises StorageError.
        """
        found, off = dict(self._read()), self._read_fallbacks()
        with self._lock:
            self._fallbacks |= off
            self._threads = {each: thread for each, thread in self._threads.items() if thread.is_alive()}
            if found == self._channels or self._stopping.is_set():
                return
            gone = {name: each.fallback for name, each in self._channels.items() if name not in found}
            self._fallbacks = {name: each for name, each in (self._fallbacks | gone).items() if name not in found}
            self._channels = found
            for name in gone:
                self._postmen.pop(name).leave()
            for name, channel in found.items():
                if name in self._postmen:
                    self._postmen[name].use(channel, found)
                    continue
                self._postmen[name] = self._hire(channel)
                if self._is_started:
                    self._spawn(self._postmen[name])

    def give_up_lost(self) -> int:
        """Fail what waits for channels that are not in force any more, and return how much that was.

        Their fallback gets it, else the first other channel; the log tells it. Raises StorageError.
        """
        with self._state.reading() as connection:
            named = {each.receiver for each in outbox.waiting_for_others(connection, self._known())}
        if not named:
            return 0
        # Channels are read after the messages: whoever left one for a new channel knew that channel before.
        self.take()
        gone = named - self._known()
        if not gone:
            return 0
        with self._state.begin() as connection:
            check_engine(connection, self._token)
            waiting = outbox.waiting_for_others(connection, self._known())
            lost = [each for each in waiting if each.receiver in gone]
            for each in lost:
                # Who was told instead that it fires hears the end, whoever stands in for the channel by now.
                is_told = each.about == About.RESOLVED and tell_end_to_fallback(connection, each)
                instead = "" if is_told else self._instead_of(each.receiver)
                fail(connection, replace(each, problem=TAKEN_AWAY), instead, self._channels, self._now())
        self.wake()
        return len(lost)

    def _known(self) -> set[str]:
        """Return the channels in force, and those that are still sending something."""
        with self._lock:
            return {*self._channels, *(each.name for each, thread in self._threads.items() if thread.is_alive())}

    def _instead_of(self, name: str) -> str:
        fallback = self._fallbacks.get(name, "")
        return fallback if fallback in self._channels else next((each for each in self._channels if each != LOG), LOG)

    def _spawn(self, postman: Postman) -> None:
        thread = threading.Thread(
            target=postman.run, args=(self._stopping,), name=f"alerts-{postman.name}", daemon=True
        )  # fmt: skip
        self._threads[postman] = thread
        thread.start()

    def _follow(self) -> None:
        """Follow the channels, and give up what waits for those that are gone."""
        while not self._stopping.is_set():
            try:
                self.take()
                self.give_up_lost()
            except Overtaken:
                return
            except StorageError as error:
                log.warning("channels cannot be read, those before hold on: %s", error)
            self._changed.wait(FOLLOW_SECONDS)


class Postman:
    """Sends for one channel; its methods are called by one thread."""

    def __init__(
        self, state: State, channels: Mapping[str, Channel], channel: Channel, now: Callable[[], float], token: int,
        machine: str, address: str, links_work_seconds: float = 0.0, complete: Complete = as_it_is,
    ) -> None:  # fmt: skip
        self.name = channel.name
        self.woken = threading.Event()
        self._leaving = threading.Event()
        self._state = state
        self._now = now
        self._token = token
        self._machine = machine
        self._address = address
        self._asked_links_seconds, self._complete = links_work_seconds, complete
        self._coming = channel, channels
        """What it sends by from the next turn on."""
        self._installation, self._link_key = "", ""
        self._result: KeptMessage | None = None
        """What became of the last attempt, while it is not kept yet."""
        self._begin_to_use(channel, channels)

    def use(self, channel: Channel, channels: Mapping[str, Channel]) -> None:
        """Send by another form of the channel, beside these, after what is in flight. Any thread may say so."""
        self._coming = channel, channels
        self.woken.set()

    def leave(self) -> None:
        """End after what is in flight. Any thread may say so."""
        self._leaving.set()
        self.woken.set()

    def _begin_to_use(self, channel: Channel, channels: Mapping[str, Channel]) -> None:
        self.channel, self._channels = channel, channels
        self._quiet_from, self._quiet_seconds = 0.0, 0.0
        """Since when, and for how long, the channel asked to be left alone."""
        self._links_work_seconds = 0.0 if isinstance(channel, Log) else self._asked_links_seconds
        """A link is as good as a key: none stands in the log."""

    def run(self, stopping: threading.Event) -> None:
        """Send what there is until told to stop or to leave, or until another engine has taken over."""
        while not (stopping.is_set() or self._leaving.is_set()):
            self.woken.clear()
            try:
                if self.turn():
                    continue
                if not self._leaving.is_set():
                    self.woken.wait(self._pause())
            except Overtaken:
                return
            except StorageError as error:
                log.warning("channel %s: the outbox cannot be read or written: %s", self.name, error)
                stopping.wait(AWAY_SECONDS)
        if self._result is not None:
            self._keep_last()

    def turn(self) -> bool:
        """Send one message; return whether there was one.

        Raises StorageError: what became of the message is kept in memory, and written down at the next turn before
        anything else. Raises Overtaken: another engine sends.
        """
        if self._result is not None:
            self._keep(self._result)
        channel, channels = self._coming
        if channel != self.channel:
            self._begin_to_use(channel, channels)
        self._channels = channels
        now = self._now()
        if self._is_quiet(now):
            return self._give_up_of_quiet(now)
        taken = self._take(now)
        if taken is None:
            return False
        self._result = self._tried(taken)
        self._keep(self._result)
        return True

    def _take(self, now: float) -> Taken | None:
        with self._state.reading() as connection:
            due = outbox.next_due(connection, self.channel.name)
            if (due is None or due > now) and not outbox.held_back(connection, self.channel.name):
                return None
        with self._state.begin() as connection:
            check_engine(connection, self._token)
            return take_next(connection, self.channel, now)

    def _tried(self, taken: Taken) -> KeptMessage:
        """Return what became of an attempt."""
        message = taken.message
        try:
            reply = send(self.channel, self._notice(taken))
        except DeliveryUnavailable as error:
            return self._unavailable(message, str(error), error.wait_seconds)
        except DeliveryRefused as error:
            return replace(message, status=MessageStatus.FAILED, done_at=self._now(), problem=self._told(str(error)))
        except Exception as error:  # noqa: BLE001 (a fault of ours must not end the thread, nor tell secrets in the log)
            return self._unavailable(message, f"{type(error).__name__}: {error}", 0.0)
        return replace(message, status=MessageStatus.SENT, done_at=self._now(), reply=self._told(reply), problem="")

    def _unavailable(self, message: KeptMessage, why: str, asked_seconds: float) -> KeptMessage:
        now = self._now()
        if asked_seconds:
            self._quiet_from, self._quiet_seconds = now, asked_seconds
        again = next_attempt(message, self.channel, now, asked_seconds, random.random())
        if again is None:
            return replace(message, status=MessageStatus.FAILED, done_at=now, problem=self._told(why))
        return replace(message, status=MessageStatus.RETRYING, next_at=again, problem=self._told(why))

    def _notice(self, taken: Taken) -> Notice:
        seconds, installation = self._links_work_seconds, self._id()
        notice = notice_of(
            taken.message, taken.before, machine=self._machine, installation=installation, address=self._address,
            sent=taken.sent, links=LinkMaker(self._address, self._link_key, seconds) if seconds else None,
        )  # fmt: skip
        return self._complete(notice, self.channel, self._address)

    def _id(self) -> str:
        if not self._installation:
            with self._state.reading() as connection:
                self._installation, self._link_key = installation_in(connection), link_key_in(connection)
        return self._installation

    def _told(self, text: str) -> str:
        return cut(" ".join(plain(without_links(without_secrets(text, self.channel))).split()), LONGEST_KEPT)

    def _keep(self, result: KeptMessage) -> None:
        """Keep what became of a message. One that was overtaken keeps it too: the next one need not send it again."""
        with self._state.begin() as connection:
            if result.status == MessageStatus.FAILED:
                fail(connection, result, self.channel.fallback, self._channels, self._now())
            elif outbox.finish(connection, result) and is_told_of(result):
                # Whom it reached is history too: the messages themselves are forgotten earlier.
                told = f"{result.receiver}: {result.about}"
                row = HistoryRow(self._now(), DELIVERED, incident=result.incident, detail=told)
                add_history(connection, [of_message(row, result)])
        self._result = None
        if result.status != MessageStatus.SENT:
            word = "given up" if result.status == MessageStatus.FAILED else "tried again"
            log.warning("channel %s: message %d of incident %d is %s: %s", self.channel.name, result.number,
                        result.incident, word, result.problem)  # fmt: skip

    def _keep_last(self) -> None:
        try:
            assert self._result is not None
            self._keep(self._result)
        except StorageError as error:
            log.warning("channel %s: what became of the last message is not kept: %s", self.channel.name, error)

    def _pause(self) -> float:
        left = self._quiet_from + self._quiet_seconds - self._now()
        return min(LOOK_SECONDS, max(left, SHORTEST_SECONDS)) if left > 0 else LOOK_SECONDS

    def _is_quiet(self, now: float) -> bool:
        # A clock that was set back makes nobody wait longer.
        return 0 <= now - self._quiet_from < self._quiet_seconds

    def _give_up_of_quiet(self, now: float) -> bool:
        """Give up what cannot wait for as long as the channel asks to be left alone. Return whether something was."""
        until = self._quiet_from + self._quiet_seconds
        with self._state.reading() as connection:
            waiting = outbox.waiting_for(connection, self.channel.name)
        late = [each for each in waiting if is_given_up(each, self.channel, until)]
        ends = [each for each in waiting if each.about == About.RESOLVED]
        if not late and not ends:
            return False
        with self._state.begin() as connection:
            check_engine(connection, self._token)
            for each in late:
                problem = each.problem or f"it asks to be left alone for {coarse_duration(self._quiet_seconds)}"
                fail(connection, replace(each, problem=problem), self.channel.fallback, self._channels, now)
            handed = [tell_end_to_fallback(connection, each) for each in ends]
        return bool(late) or any(handed)


def is_told_of(result: KeptMessage) -> bool:
    """Return whether a message has reached somebody, and was no test."""
    return result.status == MessageStatus.SENT and result.about != outbox.TEST


def check_engine(connection: Transaction, token: int) -> None:
    """Raise Overtaken when a later engine has written."""
    if not outbox.is_engine(connection, token):
        raise Overtaken("another alert engine has taken over")
