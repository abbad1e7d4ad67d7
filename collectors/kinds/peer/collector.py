"""Peers on the network: latency and loss, by the time that TCP connections take. No raw sockets, so no rights needed.

A connection that is refused is an answer: the way there and back was measured, though nothing listens. Lost is what was
not answered in its share of the time allowed, or has no route.

Costs the peer, every interval, three connections (`probes`), closed at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from collectors.base import Context
from collectors.judging.checks import bad_if, judged
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from core.errors import SourceError, SourceUnavailable
from core.format import count, duration, percent
from core.kinds.peer import spec
from core.kinds.peer.source import PeerSource
from core.kinds.peer.spec import Checks
from core.net.reach import Address, Deadline, connect, resolve

__all__ = ["act", "make"]


def make(context: Context, source: PeerSource) -> ServiceCollector:
    """Return the collector of one peer."""
    return make_service(context, source, PeerProbe(source))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection, or none."""

    seconds: float | None
    """How long it took to be accepted or refused; None: it was lost."""
    is_refused: bool = False
    error: str = ""


class PeerProbe:
    """Connects a few times and remembers the newest connections."""

    def __init__(self, source: PeerSource) -> None:
        self._source = source
        self._newest: deque[float | None] = deque(maxlen=spec.CONNECTIONS_KEPT)

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Connect a few times. Raises SourceUnavailable when all are lost."""
        del now
        source = self._source
        address = self._looked_up(deadline)
        share = source.timeout_seconds / source.probes
        attempts: list[Attempt] = []
        for _ in range(source.probes):
            attempts.append(_attempt(address, min(share, deadline.left())))
            self._newest.append(attempts[-1].seconds)
        answered = sorted(each.seconds for each in attempts if each.seconds is not None)
        last = attempts[-1]
        if not answered:
            raise SourceUnavailable(f"{source.probes} of {count(source.probes, 'connection')} lost: {last.error}")
        return self._found(answered, last.is_refused)

    def _looked_up(self, deadline: Deadline) -> Address:
        """Return the peer with its name looked up: the look-up is no part of the way."""
        source = self._source
        try:
            found = resolve(source.host, source.port, deadline)
        except TimeoutError:
            raise SourceUnavailable(f"the name {source.host} could not be looked up (DNS)") from None
        except OSError as error:
            raise SourceUnavailable(f"the name {source.host} is not known (DNS: {error.strerror or error})") from error
        return Address(str(found[0][1][0]), source.port)

    def _found(self, answered: Sequence[float], is_refused: bool) -> Found:
        source = self._source
        median = answered[len(answered) // 2]
        kept = [each for each in self._newest if each is not None]
        loss = 1 - len(kept) / len(self._newest)
        steps = [abs(late - early) for early, late in pairwise(kept)]
        jitter = sum(steps) / len(steps) if steps else None
        why = f"{percent(loss)} of the last {count(len(self._newest), 'connection')} lost"
        checks = [
            judged(Checks.LOSS, loss, why, source.loss_limit, loss),
            bad_if(Checks.PORT, is_refused, f"nothing listens at port {source.port}"),
        ]
        lost = f", {percent(loss)} lost" if loss else ""
        return Found(
            f"{duration(median)}{lost}",
            median,
            {spec.WORST: answered[-1], spec.BEST: answered[0], spec.JITTER: jitter, spec.LOSS_RATIO: loss},
            checks,
        )


def _attempt(address: Address, seconds: float) -> Attempt:
    """Connect once, for at most so long."""
    began = time.monotonic()
    try:
        connect(address, Deadline(seconds)).close()
    except SourceError as error:
        is_refused = isinstance(error.__cause__, ConnectionRefusedError)
        return Attempt(time.monotonic() - began if is_refused else None, is_refused, str(error))
    return Attempt(time.monotonic() - began)
