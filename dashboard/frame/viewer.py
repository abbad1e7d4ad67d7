"""Who looks at a page, as the request says: found by the guard (dashboard/frame/security.py)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Request, request

from access.viewer import Viewer, local_operator, viewer_of

if TYPE_CHECKING:
    from core.settings.model import Settings

FindViewer = Callable[[Request], Viewer | None]
"""Returns who sent a request; None: nobody who may see anything that is not public."""


def find_local(settings: Settings) -> FindViewer:
    """Return what finds the local operator on this machine, and nobody elsewhere."""
    local = local_operator(settings)
    return lambda request: local if _is_loopback(request.remote_addr) else None


def current_viewer() -> Viewer:
    """Return who sent the present request."""
    return viewer_of(request.environ)


@lru_cache(maxsize=1024)
def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
