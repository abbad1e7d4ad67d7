"""Who asks, a person or a program: found once a request and kept in its environment for all after that."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from core.roles import Role

KEPT = "fundwatch.viewer"
"""Key of a WSGI environment under which who sent the request stands."""
LOCAL_NAME = "local"
"""No account has this name."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and what depends on who it is."""

    name: str = ""
    role: Role = Role.VIEWER
    may_act: bool = False
    """Whether the settings allow actions and the role does."""
    portfolios: frozenset[str] | None = None
    """Ids of the only portfolios of its own, with those below them, that may be seen; None: every one."""
    scopes: frozenset[str] | None = None
    """What the token of a program is for (access.tokens.Scope); None: a person, who may all that the role may."""

    def only(self, names: Sequence[str]) -> Viewer:
        """Return a viewer with these attributes of this one and nothing else: equal for all whose view is the same.

        What is not named is as of anybody: without "portfolios" none of the fund's own may be seen. Raises
        AttributeError for a name that is no attribute.
        """
        return replace(ANYBODY, **{name: getattr(self, name) for name in names}) if names else ANYBODY


ANYBODY = Viewer(portfolios=frozenset())
"""The least rights: none of the fund's own portfolios may be seen, either."""
EXPORTING_ROLE = Role.ANALYST
"""The least role that may take data out as a file."""
CHANGING_ROLE = Role.OPERATOR
"""The least role that may change portfolios, files, benchmarks and rates, and write events and notes."""
ACTING_ROLE = Role.OPERATOR
"""The least role that may act on watched sources."""
VIEWER_ATTRIBUTES = frozenset(field.name for field in fields(Viewer))


def local_viewer() -> Viewer:
    """Return who a reader on this machine is that has not signed in, where the settings let him look."""
    return Viewer(LOCAL_NAME)


def keep_viewer(environ: MutableMapping[str, Any], viewer: Viewer) -> None:
    """Keep who sent a request in its environment."""
    environ[KEPT] = viewer


def viewer_of(environ: MutableMapping[str, Any]) -> Viewer:
    """Return who sent a request; on a public path, where nobody is asked for a name, anybody."""
    return cast(Viewer, environ.get(KEPT, ANYBODY))
