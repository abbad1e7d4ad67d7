"""Names in the DNS: whether a server answers, how fast, what, how long that may be kept, and whether it has changed.

Each check asks the server anew: no cache of this machine's is in between. By UDP, and again by TCP where the answer was
cut; one asked by TCP alone gets one connection.

Costs the watched server one question an interval, of some 60 bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata

from collectors.base import Context
from collectors.judging.checks import Check, bad_if
from collectors.kinds.service import Found, ServiceCollector, WrongAnswer, act, make_service
from core.errors import SourceRejected, SourceUnavailable, StorageError
from core.format import ago, count, duration, first_of
from core.kinds.dns import spec
from core.kinds.dns.records import asked_name, parsed, shown
from core.kinds.dns.source import DnsSource
from core.kinds.dns.spec import Answer, Checks
from core.net.reach import Address, Deadline, explained, garbage
from core.tables import rows_of, table_of

__all__ = ["DnsProbe", "act", "make"]

NAMED = 5
SAID = {
    dns.rcode.NXDOMAIN: "says that there is no such name",
    dns.rcode.SERVFAIL: "could not find it out",
    dns.rcode.REFUSED: "refuses to answer us",
}


def make(context: Context, source: DnsSource) -> ServiceCollector:
    """Return the collector of one name."""

    def before() -> frozenset[str]:
        """Return the answers of the newest reading, by whichever process took it; none where Redis does not tell."""
        try:
            newest = context.stores.live.readings([source.collector]).get(source.collector)
        except StorageError:
            return frozenset()
        rows = rows_of(newest.tables, Answer) if newest else []
        return frozenset(row.value for row in rows if row.is_asked and row.record == source.record)

    return make_service(context, source, DnsProbe(source, before))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server answered, and by which way."""

    message: dns.message.Message
    server: str
    """Address and port."""
    protocol: str
    seconds: float


class DnsProbe:
    """Asks for one name and remembers the answers.

    before: the answers that were known before this process, for a change that came meanwhile.
    """

    def __init__(self, source: DnsSource, before: Callable[[], frozenset[str]] = frozenset) -> None:
        self._source = source
        self._name = asked_name(source.domain, source.record)
        self._type = dns.rdatatype.from_text(source.record)
        self._expects = {parsed(text, source.record) for text in source.expects}
        self._before = before
        self._known: frozenset[str] = frozenset()
        self._was = ""
        self._first: float | None = None
        self._changed: float | None = None

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Ask once. Raises SourceUnavailable when there is no answer or a wrong one."""
        heard = self._heard(deadline)
        records = self._records(heard)
        rows = self._rows(heard)
        self._compare(frozenset(map(shown, records)), now)
        since = self._changed if self._changed is not None else self._first
        found = Found(
            f"{_named(records)} in {duration(heard.seconds)}",
            heard.seconds,
            {
                spec.TTL: min((row.ttl_seconds for row in rows), default=None),
                spec.ANSWERS: float(len(records)),
                spec.UNCHANGED: now - since if since is not None else None,
            },
            self._checks(now),
            tables=[table_of(Answer, rows[: spec.ANSWERS_SHOWN])],
        )
        if why := self._wrong(heard, records):
            raise WrongAnswer(why, found)
        return found

    def _heard(self, deadline: Deadline) -> Heard:
        """Return the answer of the first server that gives one; each has its share of the time."""
        servers = [self._source.server] if self._source.server else _own_servers()
        problem: SourceUnavailable | None = None
        for place, server in enumerate(servers):
            try:
                return self._ask(server, deadline.left() / (len(servers) - place))
            except SourceUnavailable as error:
                problem = problem or error
        raise problem or SourceRejected("this machine names no DNS server (/etc/resolv.conf): give one as server")

    def _ask(self, server: str, seconds: float) -> Heard:
        source, address = self._source, Address(server, self._source.port)
        query = dns.message.make_query(self._name, self._type, use_edns=0, payload=1_232)
        if not source.recursive:
            query.flags &= ~dns.flags.RD
        began = time.monotonic()
        try:
            with explained(address, seconds):
                message, protocol = self._exchanged(query, server, seconds)
        except dns.exception.Timeout:
            way = source.protocol.upper()
            raise SourceUnavailable(f"no answer from {address} ({way}) within {seconds:.3g} s") from None
        except EOFError:
            raise SourceUnavailable(f"{address} closed the connection") from None
        except dns.exception.DNSException as error:
            raise garbage(address, "DNS") from error
        return Heard(message, str(address), protocol, time.monotonic() - began)

    def _exchanged(self, query: dns.message.Message, server: str, seconds: float) -> tuple[dns.message.Message, str]:
        port = self._source.port
        if self._source.protocol == "tcp":
            return dns.query.tcp(query, server, seconds, port), "tcp"
        message, is_tcp = dns.query.udp_with_fallback(query, server, seconds, port, ignore_unexpected=True)
        return message, "tcp" if is_tcp else "udp"

    def _records(self, heard: Heard) -> list[Rdata]:
        """Return the records of the type that was asked for, in the order of their texts."""
        found = [record for each in heard.message.answer if each.rdtype == self._type for record in each]
        return sorted(found, key=shown)

    def _rows(self, heard: Heard) -> list[Answer]:
        return [
            Answer(
                domain=each.name.to_text(omit_final_dot=True),
                record=dns.rdatatype.to_text(each.rdtype),
                value=shown(record),
                ttl_seconds=float(each.ttl),
                is_asked=each.rdtype == self._type,
                server=heard.server,
                protocol=heard.protocol,
            )
            for each in heard.message.answer
            for record in sorted(each, key=shown)
        ]

    def _wrong(self, heard: Heard, records: Sequence[Rdata]) -> str:
        """Return what is wrong with an answer; empty when it is as it should be."""
        source, code = self._source, heard.message.rcode()
        what = f"{source.record} {source.domain}"
        if code != dns.rcode.NOERROR:
            return f"{heard.server} {SAID.get(code, 'fails')} ({dns.rcode.to_text(code)}): {what}"
        if not records:
            return f"{heard.server} knows {source.domain}, and no {source.record} record of it"
        if self._expects and set(records) != self._expects:
            return f"{what} is {_named(records)}, expected {_named(sorted(self._expects, key=shown))}"
        return ""

    def _compare(self, answers: frozenset[str], now: float) -> None:
        """Remember the answers, and when they became others. None at all is no other answer: that is down."""
        if not answers:
            return
        known = self._known or self._before()
        if known and known != answers:
            self._changed, self._was = now, first_of(sorted(known), NAMED)
        if self._first is None:
            self._first = now
        self._known = answers

    def _checks(self, now: float) -> list[Check]:
        if self._changed is None or self._source.may_change or self._expects:
            return []
        old = now - self._changed
        why = f"changed {ago(old)}: was {self._was}, is {first_of(sorted(self._known), NAMED)}"
        return [bad_if(Checks.CHANGED, spec.CHANGED.is_bad(old), why)]


def _named(records: Sequence[Rdata]) -> str:
    return first_of([shown(each) for each in records], NAMED) if records else count(0, "answer")


def _own_servers() -> list[str]:
    try:
        return [str(each) for each in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        return []
