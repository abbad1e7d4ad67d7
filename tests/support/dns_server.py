"""A small DNS server on a loopback port that speaks the protocol by UDP and by TCP; what it knows can be changed."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[tuple[str, str], Sequence[str]]
"""Records by name and type, as zone files write them."""
PLAIN_UDP_BYTES = 512
TTL = 300


class DnsServer:
    """Answers from `records` with a TTL of `ttl`; follows CNAMEs; cuts what is too long for UDP.

    `fails` is an rcode that it answers everything with. `asked` are the names asked for, each with "udp" or "tcp".
    """

    def __init__(self, records: Records, ttl: int = TTL) -> None:
        self.records: dict[tuple[str, str], Sequence[str]] = dict(records)
        self.ttl = ttl
        self.fails: dns.rcode.Rcode | None = None
        self.is_silent = False
        self.asked: list[tuple[str, str]] = []
        self.host = "127.0.0.1"
        owner = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, sock = self.request
                answer = owner.answer(wire, "udp")
                if answer:
                    sock.sendto(answer, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                (length,) = struct.unpack("!H", self.rfile.read(2))
                answer = owner.answer(self.rfile.read(length), "tcp")
                if answer:
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)

        self._tcp = socketserver.ThreadingTCPServer((self.host, 0), Tcp)
        self.port = int(self._tcp.server_address[1])
        self._udp = socketserver.ThreadingUDPServer((self.host, self.port), Udp)

    def __enter__(self) -> DnsServer:
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def answer(self, wire: bytes, protocol: str) -> bytes:
        """Return the answer to a question, both as they travel; empty for none."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((question.name.to_text(omit_final_dot=True), protocol))
        if self.is_silent:
            return b""
        response = dns.message.make_response(query, recursion_available=True)
        if self.fails is not None:
            response.set_rcode(self.fails)
            return response.to_wire()
        self._fill(response, question.name, question.rdtype)
        most = max(query.payload, PLAIN_UDP_BYTES) if protocol == "udp" else 65_535
        found = response.to_wire(max_size=65_535)
        if len(found) <= most:
            return found
        cut = dns.message.make_response(query, recursion_available=True)
        cut.flags |= dns.flags.TC
        return cut.to_wire()

    def _fill(self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        text, wanted = name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(kind)
        if found := self.records.get((text, wanted)):
            response.answer.append(dns.rrset.from_text_list(name, self.ttl, "IN", wanted, list(found)))
        elif onward := self.records.get((text, "CNAME")):
            response.answer.append(dns.rrset.from_text_list(name, self.ttl * 2, "IN", "CNAME", list(onward)))
            self._fill(response, dns.name.from_text(onward[0]), kind)
        elif not any(known == text for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
