"""An operation of the API as data: its address, who may ask, what it may be asked, and the model of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from api.body import Body
from api.models import Answered
from api.parameters import Listed, Parameters
from core.ingest.columns import Row
from core.roles import Role

if TYPE_CHECKING:
    from access.viewer import Viewer
    from api.paging import Place
    from core.settings.model import Settings
    from storage.stores import Stores

P = TypeVar("P", bound=Parameters, covariant=True)
B = TypeVar("B", bound=Body)
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
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
    body: Body | None = None

    def sent(self, model: type[B]) -> B:
        """Return the body. Only where the operation takes one of this model."""
        assert isinstance(self.body, model)
        return self.body

    @property
    def begins(self) -> Place:
        """Return where the part of the list begins. Only of lists."""
        assert self.place is not None
        return self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What can be asked of one resource, or done to it.

    `answer` raises Refused, ChangeRejected, StorageUnavailable or StorageRejected. What it changes it changes whole or
    not at all, and tells the audit of it (access.audit), which knows the address of the request by itself.
    """

    path: str
    """Below /api/v1, as in "/portfolios/{id}/nav"."""
    summary: str
    answer: Callable[[Ask[Any]], Answered]
    model: type[Answered]
    query: type[Parameters] = Parameters
    tag: str
    method: Method = "GET"
    body: type[Body] | None = None
    """What is sent as JSON. None: nothing is. Not with GET."""
    rows: type[Row] | None = None
    """A batch of these is sent, as JSON, NDJSON, CSV or Arrow, which `answer` reads from the request itself."""
    status: int = HTTPStatus.OK
    """Of the answer when it is done: 201 where something is added."""
    is_shared: bool = False
    """Whether it changes what all portfolios share: who is limited to some of them may not do it."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What each name in the path is, in a sentence."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a name in the path may be, where that is a list."""
    role: Role = Role.VIEWER
    """The least role that may ask."""
    scope: str = READ
    """What a token must be for, if it is not for this all the same."""
    is_well: Callable[[Any], bool] | None = None
    """Whether an answer is good news: one that is not is sent with status 503. None: each is sent with `status`."""
    datasets: Callable[[Settings], tuple[str, ...]] | None = None
    """Data sets that the answer is made from: for a second it is the same for all who see the same portfolios. None: it
    is made anew for each request."""

    @property
    def is_list(self) -> bool:
        """Return whether it is answered in parts, and as CSV and Arrow too."""
        return issubclass(self.query, Listed)
