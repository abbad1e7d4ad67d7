"""Alerts that a Prometheus sent, in Redis: they are the present, and what fires is sent again each minute."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from core.alerts.sent import KEPT_SECONDS, MOST, SentAlert
from core.errors import ChangeRejected, StorageUnavailable
from core.model import Labels
from storage.live.redis import Live

KEY = "sent_alerts"
LOOKED = "sent_alerts_looked"
LOOK_SECONDS = 60
"""So often it is looked for what ended long ago: reading all that was sent takes longer than taking a batch."""


def put_sent(live: Live, alerts: Sequence[SentAlert], now: float) -> None:
    """Keep alerts, each in place of the one with its labels before; what ended long ago is forgotten.

    Raises StorageUnavailable: nothing was kept, and whoever sends tries again. ChangeRejected: there are too many.
    """
    new: dict[Any, bytes] = {_field(each.labels): _packed(each) for each in alerts}
    if _is_time_to_look(live, now) or _are_too_many(live, new):
        _forget_old(live, now)
        if _are_too_many(live, new):
            raise ChangeRejected(f"Nothing was taken: there would be more than {MOST:,} alerts at once.")
    if new:
        _asked(live, lambda: live.client.hset(live.key(KEY), mapping=new))


def read_sent(live: Live) -> list[SentAlert]:
    """Return every alert that was sent, also those that have ended. Raises StorageUnavailable."""
    return [_unpacked(each) for each in _asked(live, lambda: live.client.hvals(live.key(KEY)))]


def _forget_old(live: Live, now: float) -> None:
    old = [_field(each.labels) for each in read_sent(live) if now - each.ends > KEPT_SECONDS]
    if old:
        _asked(live, lambda: live.client.hdel(live.key(KEY), *old))


def _is_time_to_look(live: Live, now: float) -> bool:
    looked = _asked(live, lambda: live.client.get(live.key(LOOKED)) or b"0")
    if abs(now - float(looked)) < LOOK_SECONDS:
        return False
    _asked(live, lambda: live.client.set(live.key(LOOKED), repr(now)))
    return True


def _are_too_many(live: Live, new: Mapping[Any, bytes]) -> bool:
    """Return whether there would be too many with these; which are there is read only where their number may say so."""
    if _asked(live, lambda: live.client.hlen(live.key(KEY))) + len(new) <= MOST:
        return False
    there = {field.decode() for field in _asked(live, lambda: live.client.hkeys(live.key(KEY)))}
    return len(there | new.keys()) > MOST


def _asked(live: Live, ask: Callable[[], Any]) -> Any:
    found = live.ask(ask, None)
    if found is None:
        raise StorageUnavailable(f"Redis does not answer: {live.problem}")
    return found


def _field(labels: Labels) -> str:
    return hashlib.blake2b(orjson.dumps(labels), digest_size=16).hexdigest()


def _packed(alert: SentAlert) -> bytes:
    return orjson.dumps([alert.labels, alert.text, alert.begins, alert.ends, alert.sent_at])


def _unpacked(payload: bytes) -> SentAlert:
    labels, *rest = orjson.loads(payload)
    return SentAlert(tuple((name, value) for name, value in labels), *rest)
