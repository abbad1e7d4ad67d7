"""Who looks at a page: found once a request, by the guard (dashboard/frame/security.py), and kept for all after it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from flask import Request, g

from core.roles import Role

if TYPE_CHECKING:
    from core.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who looks at a page, and what depends on who it is. Without values: anybody, with the least rights."""

    name: str = ""
    role: Role = Role.VIEWER
    may_act: bool = False
    """Whether the settings allow actions and the role does."""

    def only(self, names: Sequence[str]) -> Viewer:
        """Return a viewer with these attributes of this one and nothing else: equal for all whose view is the same.

        Raises AttributeError for a name that is no attribute.
        """
        return Viewer(**{name: getattr(self, name) for name in names}) if names else ANYBODY


ANYBODY = Viewer()
ACTING_ROLE = Role.OPERATOR
"""The least role that may act on watched sources."""
VIEWER_ATTRIBUTES = frozenset(field.name for field in fields(Viewer))
LOCAL_NAME = "local"
FindViewer = Callable[[Request], Viewer | None]
"""Returns who sent a request; None: nobody who may see anything that is not public."""


def local_operator(settings: Settings) -> Viewer:
    """Return the viewer that every reader on this machine is until there is sign-in."""
    role = Role.OPERATOR
    return Viewer(LOCAL_NAME, role, settings.actions_enabled and role >= ACTING_ROLE)


def find_local(settings: Settings) -> FindViewer:
    """Return what finds the local operator on this machine, and nobody elsewhere."""
    local = local_operator(settings)
    return lambda request: local if _is_loopback(request.remote_addr) else None


def keep_viewer(viewer: Viewer) -> None:
    """Keep who sent the present request, for `current_viewer`."""
    g.viewer = viewer


def current_viewer() -> Viewer:
    """Return who sent the present request; on a public path, where nobody is asked for a name, anybody."""
    return cast(Viewer, g.get("viewer", ANYBODY))


@lru_cache(maxsize=1024)
def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
