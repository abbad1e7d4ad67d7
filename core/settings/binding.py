"""Where the web server may listen, and who may speak for others: checked before anything is started."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

WILDCARDS = frozenset({"0.0.0.0", "::"})
"""Hosts that are every address of a machine."""
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
"""A name of DNS, or an address."""
CERTIFICATE, KEY = "FUNDWATCH_TLS_CERT", "FUNDWATCH_TLS_KEY"


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine's loopback interface."""
    if host == "localhost":
        return True
    address = address_of(host.strip("[]"))
    return address is not None and address.is_loopback


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address; None: it is none. One of IPv4 that is written as IPv6 (::ffff:10.0.0.7) is that of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def checked_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses and networks of proxies. Raises ValueError for what is none, and for every address there is."""
    for each in value:
        try:
            network = ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError(f"{each!r} must be an address or a network such as 10.0.0.0/24: {error}") from error
        if network.prefixlen == 0:
            raise ValueError(f"{each!r} is every address: name those of the proxies alone")
    return value


def checked_names(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of hosts, small. Raises ValueError for what is none."""
    for each in value:
        if not HOST_NAME.fullmatch(each):
            raise ValueError(f"{each!r} must be a name or an address alone, without https:// and without a port")
    return tuple(each.lower() for each in value)


def checked_address(value: str) -> str:
    """Return the address under which people open Fundwatch, without a slash at its end. Raises ValueError."""
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in ("http", "https") and bool(HOST_NAME.fullmatch(parts.hostname or ""))
        is_more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or parts.port == 0
    except ValueError:
        is_whole, is_more = False, ""
    if value and (not is_whole or is_more):
        raise ValueError(f"{value!r} must be an address such as https://fundwatch.example.com, without a path")
    return value.rstrip("/")


def check_host(host: str, has_tls: bool, proxies: Sequence[str], names: Sequence[str]) -> None:
    """Raise ValueError, which names the ways out, when others than this machine could reach the server in the clear."""
    if is_loopback(host):
        return
    if not has_tls and not proxies:
        raise ValueError(
            f"FUNDWATCH_HOST={host}: only this machine's own address (127.0.0.1, ::1, localhost) goes without TLS. "
            f"Set {CERTIFICATE} and {KEY}, or FUNDWATCH_TRUSTED_PROXY to the address of a reverse proxy that speaks TLS"
        )
    if host in WILDCARDS and not names:
        raise ValueError(
            f"FUNDWATCH_HOST={host} is every address of this machine: set FUNDWATCH_ALLOWED_HOSTS to the names under "
            "which browsers open Fundwatch"
        )


def check_certificate(certificate: str, key: str) -> None:
    """Raise ValueError unless both files are there and belong together, or neither is named."""
    if not certificate and not key:
        return
    if not certificate or not key:
        raise ValueError(f"{CERTIFICATE} and {KEY} belong together: set both, or none")
    for name, file in ((CERTIFICATE, certificate), (KEY, key)):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ValueError(f"{name}={file}: {error.strerror or error}") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, OSError) as error:
        raise ValueError(
            f"{CERTIFICATE}={certificate} and {KEY}={key}: must be a certificate in PEM and the private key that "
            f"belongs to it, without a password ({getattr(error, 'reason', None) or error})"
        ) from error
