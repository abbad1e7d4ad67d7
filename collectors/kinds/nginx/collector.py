"""Nginx: connections and requests of stub_status.

Costs the watched server one request an interval, answered by Nginx itself without touching a disk.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from collectors.base import Context
from collectors.judging.checks import Check, limit
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from collectors.net.reach import Address, Deadline, garbage
from collectors.net.web import ask
from core.errors import SourceRejected, SourceUnavailable
from core.format import count, number, tenths
from core.kinds.nginx.source import NginxSource
from core.model import Status
from core.rates import Rates

__all__ = ["act", "make", "parse"]

PAGE = re.compile(
    r"Active connections:\s*(\d+)\s+server accepts handled requests(?: request_time)?\s+(\d+)\s+(\d+)\s+(\d+)(?: \d+)?"
    r"\s+Reading:\s*(\d+)\s+Writing:\s*(\d+)\s+Waiting:\s*(\d+)"
)
NAMES = ("active", "accepts", "handled", "requests", "reading", "writing", "waiting")
MOST_BYTES = 65_536
WARNING, CRITICAL = 0.8, 0.95


def make(context: Context, source: NginxSource) -> ServiceCollector:
    """Return the collector of one Nginx."""
    return make_service(context, source, NginxProbe(source))


def parse(page: str) -> dict[str, int]:
    """Return the seven numbers of a stub_status page by name. Raises ValueError when it is none."""
    found = PAGE.search(page)
    if found is None:
        raise ValueError("no stub_status page")
    return dict(zip(NAMES, map(int, found.groups()), strict=True))


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
        where = _address(self._source.target)
        if answer.status in (401, 403):
            raise SourceRejected(f"{where} does not let us see stub_status ({answer.status}): allow this machine there")
        if answer.status != 200:
            raise SourceUnavailable(f"{where} answers {answer.status}: is stub_status at this path?")
        try:
            numbers = parse(answer.text)
        except ValueError:
            raise garbage(where, "stub_status") from None
        return self._found(numbers, at - began, at)

    def _found(self, numbers: dict[str, int], seconds: float, at: float) -> Found:
        rates = {name: self._rates.per_second(name, numbers[name], at) for name in ("accepts", "requests")}
        # All at once or none: a restart between the two would make a step of one and not of the other.
        dropped = self._rates.per_second("dropped", numbers["accepts"] - numbers["handled"], at)
        per_second = rates["requests"]
        checks = [
            Check("dropped", Status.WARNING if dropped else Status.OK, f"{tenths(dropped or 0)} connections/s dropped")
        ]
        most = self._source.connections_limit
        if most:
            share = numbers["active"] / most
            told = f"{number(numbers['active'])} of {count(most, 'connection')}"
            checks.append(limit("connections", share, told, WARNING, CRITICAL))
        asked = f"{number(per_second)} requests/s, " if per_second is not None else ""
        return Found(
            f"{asked}{count(numbers['active'], 'connection')}",
            seconds,
            {
                **{f"nginx_{name}": float(numbers[name]) for name in ("active", "reading", "writing", "waiting")},
                "nginx_requests_per_second": per_second,
                "nginx_connections_per_second": rates["accepts"],
                "nginx_dropped_per_second": dropped,
            },
            checks,
            {name: numbers[name] for name in NAMES},
        )


def _address(target: str) -> Address:
    parts = urlsplit(target)
    return Address(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
