"""A data route as data: an address beside the refresh that answers with data. Pages declare theirs (Page.routes)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.roles import Role

if TYPE_CHECKING:
    from storage.stores import Stores

HTML, JSON, TEXT, CSV = "text/html", "application/json", "text/plain", "text/csv"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a data route answers with."""

    body: bytes | str
    mimetype: str
    filename: str = ""
    """Name of the file that a browser saves it as; empty: it is no download."""


@dataclass(frozen=True, slots=True)
class Route:
    """A data route. `answer(choices, viewer, **parts of the path)` returns None when there is no such thing."""

    rule: str
    """As Flask takes it: "/portfolio/chart/<name>.csv"."""
    answer: Callable[..., Answer | None]
    role: Role
    """The least role that is answered, where its page does not need a higher one."""


MakeRoutes = Callable[["Stores"], Iterable[Route]]
"""Returns the data routes of a page over these stores."""
