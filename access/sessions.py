"""Sessions of people who signed in: found from the secret in their cookie, ended by age, by them or by an admin."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.accounts import viewer_for
from access.audit import record_in
from access.second_factor import must_have
from access.secrets import LONGEST_SECRET, digest_of, new_secret
from access.viewer import Viewer
from core.clock import Clock
from core.errors import StorageError
from core.format import count
from core.memo import Believed
from storage.state import sessions
from storage.state.database import State, Transaction
from storage.state.sessions import Session

if TYPE_CHECKING:
    from core.settings.model import Settings

__all__ = ["Session"]

SEEN_EVERY_SECONDS = 60.0
"""Using a session is written down no more often than this."""
KEPT_SECONDS = 30 * 86_400.0
"""How long a session that is over is still known: from where a person has signed in (access/lockout.py)."""
AGENT_CHARACTERS = 255
log = logging.getLogger(__name__)


def cookie_name(settings: Settings, *, is_secure: bool) -> str:
    """Return the name of the cookie with a session's secret.

    The port is part of it, since browsers keep cookies by host alone. With `__Host-` a browser takes it over TLS only,
    for the whole host, and from no other one.
    """
    name = f"fundwatch-{settings.port}"
    return f"__Host-{name}" if is_secure else name


def start_session(connection: Transaction, account: str, now: float, address: str, agent: str) -> str:
    """Return the secret of a new session of an account."""
    secret = new_secret()
    sessions.forget_sessions(connection, now - KEPT_SECONDS)
    made = Session(digest_of(secret), account, now, now, address[:64], agent[:AGENT_CHARACTERS], 0.0)
    sessions.insert_session(connection, made)
    return secret


def sessions_of(state: State, account: str | None) -> list[Session]:
    """Return the sessions of an account, of everybody when None, that nobody ended; old ones may have expired.

    The one used last comes first.
    """
    return sessions.sessions_not_ended(state, account)


def end_session(state: State, account: str, digest: str, now: float, *, by: str) -> bool:
    """End one session of an account; return whether there was one to end."""
    return _end(state, account, now, [digest], by) > 0


def end_sessions(state: State, account: str, now: float, *, by: str) -> int:
    """End the sessions of an account; return how many there were."""
    return _end(state, account, now, None, by)


def _end(state: State, account: str, now: float, digests: list[str] | None, by: str) -> int:
    with state.begin() as connection:
        ended = sessions.mark_ended(connection, account, now, digests)
        if ended:
            detail = count(ended, "session")
            record_in(connection, who=by, what="sessions ended", target=account, detail=detail, at=now)
        return ended


def is_over(session: Session, settings: Settings, now: float) -> bool:
    """Return whether a session was ended, was not used for too long, or is too old."""
    limits = settings.sessions
    return (
        session.ended_at > 0
        or now - session.seen_at >= limits.idle_seconds
        or now - session.made_at >= limits.longest_seconds
    )


@dataclass(frozen=True, slots=True)
class Who:
    """Whose session it is."""

    viewer: Viewer
    lacks_second_factor: bool
    """Whether the settings want one of the account's role: until it is set up there is nothing else to be done."""


class Signed:
    """Who is signed in, by the secret of the cookie. One a process; safe to share between threads.

    What was looked up is believed for a moment, so that a page's many requests cost one look-up.
    """

    def __init__(self, state: State, settings: Settings, clock: Clock) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._known: Believed[Who] = Believed(clock)
        """By secret."""

    def who(self, secret: str) -> Who | None:
        """Return whose session it is; None: of nobody, or it is over, or its account is disabled or that of a
        provider that is not the settings' now.

        Raises StorageUnavailable.
        """
        if not 0 < len(secret) <= LONGEST_SECRET:
            return None
        return self._known.get(secret, lambda: self._look_up(secret))

    def _look_up(self, secret: str) -> Who | None:
        now, digest = self._clock.now(), digest_of(secret)
        found = sessions.find_session(self._state, digest)
        if found is None or found[1].is_disabled or is_over(found[0], self._settings, now):
            return None
        session, account = found
        if account.is_external and not self._settings.oidc.is_of(account.subject):
            return None
        if now - session.seen_at >= SEEN_EVERY_SECONDS:
            self._saw(session, now)
        has_one = account.has_second_factor or account.is_external  # that of the provider
        lacks = not has_one and must_have(self._settings, account.role)
        return Who(viewer_for(account, self._settings), lacks)

    def _saw(self, session: Session, now: float) -> None:
        try:
            sessions.mark_seen(self._state, session.digest, session.account, now)
        except StorageError as error:  # it was read just now: a database that takes no write lets people look on
            log.warning("when a session was last used is not kept: %s", error)
