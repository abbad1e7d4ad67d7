"""Addresses as they are written."""

from __future__ import annotations


def host_and_port(host: str, port: int) -> str:
    """Return both with a colon between them; an address of IPv6, which has colons itself, stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
