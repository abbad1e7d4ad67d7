"""Peers on the network: latency and loss, by the time that TCP connections take. No raw sockets, so no rights needed.

A connection that is refused is an answer: the way there and back was measured, though nobody listens. Lost is what was
not answered in its share of the time allowed, or has no route.

Costs the peer, every interval, three connections (`probes`), closed at once.
"""

from __future__ import annotations

import time
from collections import deque
from itertools import pairwise

from collectors.base import Context
from collectors.judging.checks import Check, limit
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from collectors.net.reach import Address, Deadline, connect, resolve
from core.errors import SourceError, SourceUnavailable
from core.format import count, duration, percent
from core.kinds.peer.source import PeerSource
from core.model import Status

__all__ = ["act", "make"]

KEPT = 100
"""Newest connections that loss and jitter are of."""
REFUSED = "connection refused"


def make(context: Context, source: PeerSource) -> ServiceCollector:
    """Return the collector of one peer."""
    return make_service(context, source, PeerProbe(source))


class PeerProbe:
    """Connects a few times and remembers the newest connections."""

    def __init__(self, source: PeerSource) -> None:
        self._source = source
        self._newest: deque[float | None] = deque(maxlen=KEPT)

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Connect a few times. Raises SourceUnavailable when all are lost."""
        del now
        source = self._source
        address = self._looked_up(deadline)
        share = source.timeout_seconds / source.probes
        refused, error = False, ""
        for _ in range(source.probes):
            took, said = self._connect(address, min(share, deadline.left()))
            self._newest.append(took)
            refused, error = REFUSED in said, said or error
        these = list(self._newest)[-source.probes :]
        answered = sorted(each for each in these if each is not None)
        if not answered:
            raise SourceUnavailable(f"{source.probes} of {count(source.probes, 'connection')} lost: {error}")
        return self._found(answered, refused)

    def _looked_up(self, deadline: Deadline) -> Address:
        """Return the peer with its name looked up: the look-up is no part of the way."""
        source = self._source
        try:
            found = resolve(source.host, source.port, deadline)
        except TimeoutError:
            raise SourceUnavailable(f"the name {source.host} could not be looked up (DNS)") from None
        except OSError as error:
            raise SourceUnavailable(f"the name {source.host} is not known (DNS: {error.strerror})") from error
        return Address(str(found[0][1][0]), source.port)

    def _connect(self, address: Address, seconds: float) -> tuple[float | None, str]:
        """Return how long a connection took, None when it was lost; and what went wrong."""
        began = time.monotonic()
        try:
            connect(address, Deadline(seconds)).close()
        except SourceError as error:
            took = time.monotonic() - began
            return (took, str(error)) if REFUSED in str(error) else (None, str(error))
        return time.monotonic() - began, ""

    def _found(self, answered: list[float], refused: bool) -> Found:
        source = self._source
        median = answered[len(answered) // 2]
        kept = [each for each in self._newest if each is not None]
        loss = 1 - len(kept) / len(self._newest)
        steps = [abs(late - early) for early, late in pairwise(kept)]
        jitter = sum(steps) / len(steps) if steps else None
        told = f"{percent(loss)} of the last {count(len(self._newest), 'connection')} lost"
        checks = [
            limit("loss", loss, told, source.loss_warning_ratio, source.loss_critical_ratio),
            Check("port", Status.WARNING if refused else Status.OK, f"nobody listens at port {source.port}"),
        ]
        lost = f", {percent(loss)} lost" if loss else ""
        return Found(
            f"{duration(median)}{lost}",
            median,
            {
                "peer_worst_seconds": answered[-1],
                "peer_best_seconds": answered[0],
                "peer_jitter_seconds": jitter,
                "peer_loss_ratio": loss,
            },
            checks,
            {"loss_ratio": loss, "jitter_seconds": jitter},
        )
