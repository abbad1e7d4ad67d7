"""Records of the DNS as people write them, so that they can be compared: dnspython knows which are equal."""

from __future__ import annotations

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
from dns.rdata import Rdata


def asked_name(domain: str, record: str) -> dns.name.Name:
    """Return the name that is asked for; of an address with PTR its name in in-addr.arpa or ip6.arpa.

    Raises ValueError.
    """
    if record == "PTR":
        try:
            return dns.reversename.from_address(domain)
        except (dns.exception.SyntaxError, ValueError):
            pass  # the name in in-addr.arpa itself
    try:
        return dns.name.from_text(domain)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{domain} is no name: {error}") from error


def parsed(text: str, record: str) -> Rdata:
    """Return a record as it is written in zone files, names with or without the last dot. Raises ValueError."""
    written = f'"{text}"' if record == "TXT" and not text.startswith('"') else text
    try:
        return dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(record), written, origin=dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def shown(record: Rdata) -> str:
    """Return a record for people: without the last dot of its names."""
    text = record.to_text()
    return text if text.endswith('"') else text.removesuffix(".")
