"""What must hold before a start is tried, each told in one line."""

from __future__ import annotations

import socket

from core.errors import StartError


def check_port(host: str, port: int) -> None:
    """Raise StartError when nobody can listen on the address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise StartError(
                f"FUNDWATCH_PORT={port}: cannot listen on {host}:{port} ({error.strerror or error}); "
                "stop what uses it, or choose another port"
            ) from error
