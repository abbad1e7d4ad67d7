"""Silences and maintenance windows: made and ended by people, in the audit as well; the alert engine reads them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa

from core.alerts.expression import Matcher
from core.alerts.matchers import checked, written
from core.alerts.silence import LONGEST_MUTE_SECONDS, LONGEST_SECONDS, Silence, Window
from core.cron import check_cron
from core.errors import ChangeRejected
from core.format import duration
from storage.state.alert_tables import alert_silences, alert_windows
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction

DATASET = "alerts"
"""Its version (storage.live.redis.Live.version) moves when a silence or window is made or ended."""
WHY_CHARACTERS, NAME_CHARACTERS, WHO_CHARACTERS = 500, 120, 80
SHORTEST_SECONDS = 1.0
NOT_MADE, NOT_ENDED = "Nothing was made.", "Nothing was ended."


def add_silence(state: State, silence: Silence) -> Silence:
    """Keep a silence and return it with its number. Raises ChangeRejected that names the field, StorageUnavailable."""
    _check(silence, "ends", LONGEST_SECONDS)
    return _add_silence(state, replace(silence, matchers=checked(silence.matchers)), "alert silence made")


def mute_all(state: State, silence: Silence) -> Silence:
    """Keep everything quiet until its end. Raises ChangeRejected that names the field, StorageUnavailable."""
    _check(silence, "ends", LONGEST_MUTE_SECONDS)
    return _add_silence(state, replace(silence, matchers=()), "all alerts muted")


def end_silence(state: State, id: int, who: str, now: float) -> Silence:
    """End a silence now, also one that has not begun. Raises ChangeRejected, StorageUnavailable."""
    of = alert_silences.c
    with state.begin() as connection:
        row = connection.execute(sa.select(alert_silences).where(of.id == id)).first()
        if row is None or row.ends <= now:
            raise ChangeRejected(NOT_ENDED, {"id": f"there is no silence {id} that is not over"})
        known = _silence(row)
        ended = replace(known, begins=min(known.begins, now), ends=now, ended_by=who[:WHO_CHARACTERS])
        values = {"begins": ended.begins, "ends": ended.ends, "ended_by": ended.ended_by}
        connection.execute(sa.update(alert_silences).where(of.id == id).values(**values))
        add_entry(connection, Entry(now, who, "alert silence ended", f"silence {id}", detail=_shown(known)))
        return ended


def silences_in(connection: Transaction, since: float) -> list[Silence]:
    """Return the silences that end after that time (epoch seconds), in the order in which they were made."""
    asked = sa.select(alert_silences).where(alert_silences.c.ends > since).order_by(alert_silences.c.id)
    return [_silence(row) for row in connection.execute(asked)]


def expired_silences(connection: Transaction, until: float, most: int) -> list[Silence]:
    """Return silences that nobody ended and that were over at `until` (epoch seconds), the last to end first."""
    of = alert_silences.c
    asked = sa.select(alert_silences).where(of.ends <= until, of.ended_by == "").order_by(of.ends.desc()).limit(most)
    return [_silence(row) for row in connection.execute(asked)]


def begun_silences(connection: Transaction, until: float, most: int) -> list[Silence]:
    """Return silences that began some time after they were made, by `until`, the last to begin first."""
    of = alert_silences.c
    later = (of.begins >= of.made_at + SHORTEST_SECONDS, of.begins <= until, of.begins < of.ends)
    asked = sa.select(alert_silences).where(*later).order_by(of.begins.desc()).limit(most)
    return [_silence(row) for row in connection.execute(asked)]


def silences_of(connection: Transaction, ids: Collection[int]) -> dict[int, Silence]:
    """Return the silences of these numbers by number, those that there are."""
    rows = connection.execute(sa.select(alert_silences).where(alert_silences.c.id.in_(sorted(ids))))
    return {each.id: each for each in map(_silence, rows)}


def silence_in(connection: Transaction, id: int) -> Silence | None:
    """Return the silence of a number, also one that is over; None: there is none."""
    row = connection.execute(sa.select(alert_silences).where(alert_silences.c.id == id)).first()
    return _silence(row) if row is not None else None


def add_window(state: State, window: Window) -> Window:
    """Keep a maintenance window and return it with its number. Raises ChangeRejected, StorageUnavailable."""
    _check_window(window)
    made = replace(window, matchers=checked(window.matchers))
    row = {
        "name": made.name, "matchers": _packed(made.matchers), "begins": made.begins, "ends": made.ends,
        "cron": made.cron.strip(), "zone": made.zone, "lasts_seconds": made.lasts_seconds, "why": made.why,
        "who": made.who[:WHO_CHARACTERS], "made_at": made.made_at,
    }  # fmt: skip
    with state.begin() as connection:
        (id,) = connection.execute(sa.insert(alert_windows).values(**row)).inserted_primary_key or (0,)
        detail = f"{made.name}: {_shown(made)}"
        add_entry(connection, Entry(made.made_at, made.who, "maintenance made", f"maintenance {id}", detail=detail))
        return replace(made, id=int(id))


def end_window(state: State, id: int, who: str, now: float) -> Window:
    """End a maintenance window now, with all times that were to come. Raises ChangeRejected, StorageUnavailable."""
    of = alert_windows.c
    with state.begin() as connection:
        row = connection.execute(sa.select(alert_windows).where(of.id == id)).first()
        if row is None or row.ends <= now:
            raise ChangeRejected(NOT_ENDED, {"id": f"there is no maintenance {id} that is not over"})
        known = _window(row)
        ended = replace(known, begins=min(known.begins, now), ends=now, ended_by=who[:WHO_CHARACTERS])
        values = {"begins": ended.begins, "ends": ended.ends, "ended_by": ended.ended_by}
        connection.execute(sa.update(alert_windows).where(of.id == id).values(**values))
        add_entry(connection, Entry(now, who, "maintenance ended", f"maintenance {id}", detail=known.name))
        return ended


def windows_in(connection: Transaction, since: float) -> list[Window]:
    """Return the maintenance windows that end after that time (epoch seconds), in the order in which they were made."""
    asked = sa.select(alert_windows).where(alert_windows.c.ends > since).order_by(alert_windows.c.id)
    return [_window(row) for row in connection.execute(asked)]


def window_in(connection: Transaction, id: int) -> Window | None:
    """Return the maintenance window of a number, also one that is over; None: there is none."""
    row = connection.execute(sa.select(alert_windows).where(alert_windows.c.id == id)).first()
    return _window(row) if row is not None else None


def _add_silence(state: State, silence: Silence, what: str) -> Silence:
    row = {
        "matchers": _packed(silence.matchers), "begins": silence.begins, "ends": silence.ends, "why": silence.why,
        "who": silence.who[:WHO_CHARACTERS], "made_at": silence.made_at,
    }  # fmt: skip
    with state.begin() as connection:
        (id,) = connection.execute(sa.insert(alert_silences).values(**row)).inserted_primary_key or (0,)
        add_entry(connection, Entry(silence.made_at, silence.who, what, f"silence {id}", detail=_shown(silence)))
        return replace(silence, id=int(id))


def _check(kept: Silence | Window, end: str, longest_seconds: float) -> None:
    wrong = _wrong_words(kept)
    lasts = kept.ends - kept.begins
    if kept.ends <= kept.made_at or lasts < SHORTEST_SECONDS:
        wrong[end] = "is over, or before its beginning; give a later time"
    elif lasts > longest_seconds:
        wrong[end] = (
            f"is {duration(lasts)} after its beginning, {duration(longest_seconds)} at most; give an earlier time"
        )
    if wrong:
        raise ChangeRejected(NOT_MADE, wrong)


def _wrong_words(kept: Silence | Window) -> dict[str, str]:
    wrong = {}
    if not kept.why.strip():
        wrong["why"] = "is empty; say why, others will ask"
    elif len(kept.why) > WHY_CHARACTERS:
        wrong["why"] = f"has more than {WHY_CHARACTERS} characters; shorten it"
    return wrong


def _check_window(window: Window) -> None:
    if not window.cron:
        _check(window, "ends", LONGEST_SECONDS)
        wrong = {}
    else:
        wrong = _wrong_words(window)
        if window.ends <= max(window.begins, window.made_at):
            wrong["ends"] = "is over, or before its beginning; give a later time"
        if not SHORTEST_SECONDS <= window.lasts_seconds <= LONGEST_SECONDS:
            wrong["lasts_seconds"] = f"is none from {SHORTEST_SECONDS:g} s to {duration(LONGEST_SECONDS)}"
        wrong |= _wrong_schedule(window)
    if not window.name.strip() or len(window.name) > NAME_CHARACTERS:
        wrong["name"] = f"is empty, or has more than {NAME_CHARACTERS} characters; give it a short name"
    if wrong:
        raise ChangeRejected(NOT_MADE, wrong)


def _wrong_schedule(window: Window) -> dict[str, str]:
    try:
        ZoneInfo(window.zone)
    except (KeyError, ValueError, OSError):
        return {"zone": f"{window.zone!r} is no time zone; give one such as Europe/London or UTC"}
    try:
        check_cron(window.cron, window.zone)
    except ValueError as error:
        return {"cron": f"{window.cron!r} is no cron line: {error}"}
    return {}


def _shown(kept: Silence | Window) -> str:
    until = f"{datetime.fromtimestamp(kept.ends, UTC):%Y-%m-%d %H:%M} UTC"
    again = f", {kept.cron} {kept.zone}" if isinstance(kept, Window) and kept.cron else ""
    return f"{written(kept.matchers) or 'everything'} until {until}{again}: {kept.why}"


def _packed(matchers: tuple[Matcher, ...]) -> str:
    return orjson.dumps([(each.label, each.operator, each.value) for each in matchers]).decode()


def _unpacked(text: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(*each) for each in orjson.loads(text))


def _silence(row: sa.Row[tuple[object, ...]]) -> Silence:
    values = dict(row._mapping)
    return Silence(**values | {"matchers": _unpacked(values["matchers"])})


def _window(row: sa.Row[tuple[object, ...]]) -> Window:
    values = dict(row._mapping)
    return Window(**values | {"matchers": _unpacked(values["matchers"])})
