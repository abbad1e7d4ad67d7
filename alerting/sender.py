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
from alerting.channels import TAKE_PICTURES, send, without_secrets
from alerting.incidents import About
from alerting.notice import LinkMaker, Notice, Picture, notice_of
from alerting.taking import Taken, take_next, tell_end_to_fallback
from alerting.undelivered import fail
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
SHORTEST_SECONDS = 0.01
AWAY_SECONDS = 2.0
"""After the state database did not answer."""
LONGEST_KEPT = 500
"""Characters of an answer, or of a problem."""
DELIVERED = "delivered"
"""What stands in the history where a message reached its channel."""
NO_CHANNEL = "there is no channel of that name any more"

Draw = Callable[[Notice], Picture | None]

log = logging.getLogger(__name__)


def no_picture(notice: Notice) -> Picture | None:
    """Return that a message has none."""
    return None


class Sender:
    """Sends for the one engine that runs, until it is stopped or a later engine has taken over."""

    def __init__(
        self,
        state: State,
        channels: Mapping[str, Channel],
        now: Callable[[], float],
        token: int,
        *,
        machine: str,
        address: str,
        links_work_seconds: float = 0.0,
        picture: Draw = no_picture,
    ) -> None:
        """channels: by name. now: epoch seconds, in which messages are due. address: of our pages.

        links_work_seconds: of links by which somebody acts without signing in; 0: messages carry none.
        picture: returns that of a message, within a second; None: it has none.
        """
        self._state = state
        self._channels = dict(channels)
        self._now = now
        self._token = token
        self._stopping = threading.Event()
        self._postmen = [
            Postman(state, self._channels, each, now, token, machine, address, links_work_seconds, picture)
            for each in channels.values()
        ]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to send."""
        loops = [(f"alerts-{each.channel.name}", each.run) for each in self._postmen] + [
            ("alerts-lost", self._run_lost)
        ]
        for name, run in loops:
            thread = threading.Thread(target=run, args=(self._stopping,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Say that there may be something to send: it is looked for at once."""
        for each in self._postmen:
            each.woken.set()

    def stop(self, seconds: float) -> bool:
        """End within that time; return whether all attempts had ended. What is not sent then, the next one sends."""
        self._stopping.set()
        self.wake()
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def give_up_lost(self) -> int:
        """Fail what waits for channels that the settings do not have any more, and return how much that was.

        The log tells it. Raises StorageError.
        """
        with self._state.reading() as connection:
            if not outbox.waiting_for_others(connection, self._channels):
                return 0
        with self._state.begin() as connection:
            check_engine(connection, self._token)
            lost = outbox.waiting_for_others(connection, self._channels)
            instead = next((name for name in self._channels if name != LOG), LOG)
            for each in lost:
                fail(connection, replace(each, problem=NO_CHANNEL), instead, self._channels, self._now())
            return len(lost)

    def _run_lost(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.give_up_lost()
            except Overtaken:
                return
            except StorageError as error:
                log.warning("messages for channels that are gone: %s", error)
            stopping.wait(10 * LOOK_SECONDS)


class Postman:
    """Sends for one channel; its methods are called by one thread."""

    def __init__(
        self, state: State, channels: Mapping[str, Channel], channel: Channel, now: Callable[[], float], token: int,
        machine: str, address: str, links_work_seconds: float = 0.0, picture: Draw = no_picture,
    ) -> None:  # fmt: skip
        self.channel = channel
        self.woken = threading.Event()
        self._state = state
        self._channels = channels
        self._now = now
        self._token = token
        self._machine = machine
        self._address = address
        self._quiet_from, self._quiet_seconds = 0.0, 0.0
        """Since when, and for how long, the channel asked to be left alone."""
        self._links_work_seconds = 0.0 if isinstance(channel, Log) else links_work_seconds
        """A link is as good as a key: none stands in the log."""
        self._picture = picture if isinstance(channel, TAKE_PICTURES) else no_picture
        self._installation, self._link_key = "", ""
        self._result: KeptMessage | None = None
        """What became of the last attempt, while it is not kept yet."""

    def run(self, stopping: threading.Event) -> None:
        """Send what there is until told to stop, or until another engine has taken over."""
        while not stopping.is_set():
            self.woken.clear()
            try:
                if self.turn():
                    continue
                self.woken.wait(self._pause())
            except Overtaken:
                return
            except StorageError as error:
                log.warning("channel %s: the outbox cannot be read or written: %s", self.channel.name, error)
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
        return replace(notice, picture=self._picture(notice))

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
                add_history(connection, [row])
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
        ends = [each for each in waiting if each.about == About.RESOLVED] if self.channel.fallback else []
        if not late and not ends:
            return False
        with self._state.begin() as connection:
            check_engine(connection, self._token)
            for each in late:
                problem = each.problem or f"it asks to be left alone for {coarse_duration(self._quiet_seconds)}"
                fail(connection, replace(each, problem=problem), self.channel.fallback, self._channels, now)
            handed = [tell_end_to_fallback(connection, self.channel, each) for each in ends]
        return bool(late) or any(handed)


def is_told_of(result: KeptMessage) -> bool:
    """Return whether a message has reached somebody, and was no test."""
    return result.status == MessageStatus.SENT and result.about != outbox.TEST


def check_engine(connection: Transaction, token: int) -> None:
    """Raise Overtaken when a later engine has written."""
    if not outbox.is_engine(connection, token):
        raise Overtaken("another alert engine has taken over")
