"""An operation of the API as data: its address, who may ask, what it may be asked, and the model of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from api.models import Answered
from api.parameters import Listed, Parameters
from core.roles import Role

if TYPE_CHECKING:
    from access.viewer import Viewer
    from api.paging import Place
    from core.settings.model import Settings
    from storage.stores import Stores

P = TypeVar("P", bound=Parameters, covariant=True)
READ = "read"
"""The scope that a token needs to read."""
ADMIN = "admin"
"""The scope that a token needs to read what only administrators see."""


@dataclass(frozen=True, slots=True)
class Ask(Generic[P]):
    """What one request asks."""

    stores: Stores
    viewer: Viewer
    query: P
    now: float
    """Epoch seconds."""
    place: Place | None = None
    """Where the part of a list begins; None: it is no list."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Of the path, by name."""

    @property
    def begins(self) -> Place:
        """Return where the part of the list begins. Only of lists."""
        assert self.place is not None
        return self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """GET of one resource. `answer` raises Refused, StorageUnavailable or StorageRejected."""

    path: str
    """Below /api/v1, as in "/portfolios/{id}/nav"."""
    summary: str
    answer: Callable[[Ask[Any]], Answered]
    model: type[Answered]
    query: type[Parameters] = Parameters
    tag: str
    parts: Mapping[str, str] = field(default_factory=dict)
    """What each name in the path is, in a sentence."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a name in the path may be, where that is a list."""
    role: Role = Role.VIEWER
    """The least role that may ask."""
    scope: str = READ
    """What a token must be for, if it is not for this all the same."""
    datasets: Callable[[Settings], tuple[str, ...]] | None = None
    """Data sets that the answer is made from: for a second it is the same for all who see the same portfolios. None: it
    is made anew for each request."""

    @property
    def is_list(self) -> bool:
        """Return whether it is answered in parts, and as CSV and Arrow too."""
        return issubclass(self.query, Listed)
