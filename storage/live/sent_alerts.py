"""Alerts that a Prometheus sent, in Redis: they are the present, and what fires is sent again each minute."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from core.alerts.sent import KEPT_SECONDS, MOST, SentAlert
from core.errors import ChangeRejected, StorageUnavailable
from core.model import Labels
from storage.live.redis import Live

KEY = "sent_alerts"


def put_sent(live: Live, alerts: Sequence[SentAlert], now: float) -> None:
    """Keep alerts, each in place of the one with its labels before; what ended long ago is forgotten.

    Raises StorageUnavailable: nothing was kept, and whoever sends tries again. ChangeRejected: there are too many.
    """
    known = {_field(each.labels): each.ends for each in read_sent(live)}
    old = [field for field, ends in known.items() if now - ends > KEPT_SECONDS]
    there = known.keys() - {*old}
    new: dict[Any, bytes] = {_field(each.labels): _packed(each) for each in alerts}
    if len(there | new.keys()) > MOST:
        raise ChangeRejected(f"Nothing was taken: there would be more than {MOST:,} alerts at once.")

    def write() -> bool:
        pipe = live.client.pipeline()
        if old:
            pipe.hdel(live.key(KEY), *old)
        if new:
            pipe.hset(live.key(KEY), mapping=new)
        pipe.execute()
        return True

    if not live.ask(write, False):
        raise StorageUnavailable(f"Redis does not answer: {live.problem}")


def read_sent(live: Live) -> list[SentAlert]:
    """Return every alert that was sent, also those that have ended. Raises StorageUnavailable."""
    found = live.ask(lambda: live.client.hvals(live.key(KEY)), None)
    if found is None:
        raise StorageUnavailable(f"Redis does not answer: {live.problem}")
    return [_unpacked(each) for each in found]


def _field(labels: Labels) -> str:
    return hashlib.blake2b(orjson.dumps(labels), digest_size=16).hexdigest()


def _packed(alert: SentAlert) -> bytes:
    return orjson.dumps([alert.labels, alert.text, alert.begins, alert.ends, alert.sent_at])


def _unpacked(payload: bytes) -> SentAlert:
    labels, *rest = orjson.loads(payload)
    return SentAlert(tuple((name, value) for name, value in labels), *rest)
