"""A watched name in the DNS."""

from __future__ import annotations

import ipaddress
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from core.addresses import host_and_port
from core.kinds.service import ServiceSource

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]


class DnsSource(ServiceSource):
    """A name that a DNS server must know: whether it answers, how fast, and what."""

    KIND: ClassVar[str] = "dns"
    TITLE: ClassVar[str] = "DNS"
    WATCHES: ClassVar[str] = "Names in the DNS."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  dns:",
        "    - {name: orders, domain: orders.fund.example, expects: [10.0.0.4], server: 10.0.0.2}",
    )

    domain: str = Field(min_length=1, max_length=253, description="Name that is looked up; of a PTR the address.")
    record: RecordType = Field("A", description="Type of the records that are asked for.")
    expects: tuple[str, ...] = Field(
        (), max_length=50, description="Answers that must come, all of these and no other; empty: any."
    )
    server: str = Field("", description="Address of the server that is asked; empty: those of this machine, in order.")
    port: int = Field(53, ge=1, le=65_535, description="Port of the server.")
    protocol: Literal["udp", "tcp"] = Field("udp", description="How it is asked; a cut answer by UDP is asked by TCP.")
    recursive: bool = Field(True, description="Whether the server may ask others; false: what it knows itself.")
    may_change: bool = Field(False, description="Whether answers change as a matter of course: not told then.")

    @field_validator("server")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value:
            try:
                ipaddress.ip_address(value)
            except ValueError:
                raise ValueError("must be an address such as 10.0.0.2: a name would have to be looked up") from None
        return value

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        from core.kinds.dns.records import asked_name, parsed  # loaded only when somebody watches a name

        try:
            asked_name(self.domain, self.record)
        except ValueError as error:
            raise ValueError(f"domain: {error}") from None
        for text in self.expects:
            try:
                parsed(text, self.record)
            except ValueError as error:
                raise ValueError(f"expects: {text} is no {self.record} record: {error}") from None
        return self

    @property
    def target(self) -> str:
        """What is asked, and whom."""
        at = f" at {host_and_port(self.server, self.port)}" if self.server else ""
        return f"{self.record} {self.domain}{at}"
