"""Nginx: connections and requests of stub_status.

Costs the watched server one request an interval, answered by Nginx itself without touching a disk.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from collectors.base import Context
from collectors.judging.checks import bad_if, judged
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from core.errors import SourceRejected, SourceUnavailable
from core.format import count, noun, number, tenths
from core.kinds.nginx import spec
from core.kinds.nginx.source import NginxSource
from core.kinds.nginx.spec import Checks
from core.net.reach import Deadline, garbage
from core.net.web import address_of, ask
from core.rates import Rates

__all__ = ["act", "make", "parse"]

PAGE = re.compile(
    r"Active connections:\s*(\d+)\s+server accepts handled requests(?: request_time)?\s+(\d+)\s+(\d+)\s+(\d+)(?: \d+)?"
    r"\s+Reading:\s*(\d+)\s+Writing:\s*(\d+)\s+Waiting:\s*(\d+)"
)
MOST_BYTES = 65_536


def make(context: Context, source: NginxSource) -> ServiceCollector:
    """Return the collector of one Nginx."""
    return make_service(context, source, NginxProbe(source))


@dataclass(frozen=True, slots=True)
class StubStatus:
    """The numbers of a stub_status page, in its order."""

    active: int
    accepts: int
    handled: int
    requests: int
    reading: int
    writing: int
    waiting: int


def parse(page: str) -> StubStatus:
    """Return the numbers of a stub_status page. Raises ValueError when it is none."""
    found = PAGE.search(page)
    if found is None:
        raise ValueError("no stub_status page")
    return StubStatus(*map(int, found.groups()))


class NginxProbe:
    """Asks one Nginx and remembers its counters."""

    def __init__(self, source: NginxSource) -> None:
        self._source = source
        self._rates = Rates()

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Ask once."""
        del now
        began = time.monotonic()
        answer = ask(self._source.url.get_secret_value(), deadline, ca_file=self._source.ca_file, most_bytes=MOST_BYTES)
        at = time.monotonic()
        where = address_of(self._source.target)
        if answer.status in (401, 403):
            raise SourceRejected(f"{where} does not let us see stub_status ({answer.status}): allow this machine there")
        if answer.status != 200:
            raise SourceUnavailable(f"{where} answers {answer.status}: is stub_status at this path?")
        try:
            status = parse(answer.text)
        except ValueError:
            raise garbage(where, "stub_status") from None
        return self._found(status, at - began, at)

    def _found(self, status: StubStatus, seconds: float, at: float) -> Found:
        requests = self._rates.per_second(spec.REQUESTS_RATE, status.requests, at)
        # All at once or none: a restart between the two would make a step of one and not of the other.
        dropped = self._rates.per_second(spec.DROPPED_RATE, status.accepts - status.handled, at)
        checks = [bad_if(Checks.DROPPED, bool(dropped), f"{tenths(dropped or 0)} connections/s dropped")]
        most = self._source.connections_limit
        if most:
            share = status.active / most
            why = f"{number(status.active)} of {count(most, 'connection')}"
            checks.append(judged(Checks.CONNECTIONS, share, why, spec.CONNECTIONS, share))
        asked = f"{number(requests)} {noun(requests, 'request')}/s, " if requests is not None else ""
        return Found(
            f"{asked}{count(status.active, 'connection')}",
            seconds,
            {
                spec.ACTIVE: float(status.active),
                spec.READING: float(status.reading),
                spec.WRITING: float(status.writing),
                spec.WAITING: float(status.waiting),
                spec.REQUESTS_RATE: requests,
                spec.CONNECTIONS_RATE: self._rates.per_second(spec.CONNECTIONS_RATE, status.accepts, at),
                spec.DROPPED_RATE: dropped,
            },
            checks,
        )
