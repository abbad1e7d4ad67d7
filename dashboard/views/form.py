"""A form as data: an address that changes something when fields are posted to it. Pages declare theirs (Page.forms)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.roles import Role

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores

MOST_BYTES = 65_536
"""Of the fields of a form that takes no file."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was posted: fields as they were typed, without blanks round them, and the file of a form that takes one."""

    fields: Mapping[str, str]
    file_name: str = ""
    content: bytes = b""

    def __getitem__(self, name: str) -> str:
        """Return a field, empty when it was not sent."""
        return self.fields.get(name, "")


@dataclass(frozen=True, slots=True)
class Said:
    """What came of it."""

    sentence: str
    is_done: bool = True
    """Whether what the form asks for was done: the page is then refreshed."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """By name of a field what is wrong with it. Not with `is_done`."""
    goto: str = ""
    """Address that the browser opens next."""
    html: str = ""
    """What the place that the form names (`data-into`) shows from now on; empty: it stays as it is."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form. `do(sent, viewer)` changes what it is for, whole or not at all, and returns what to tell the reader."""

    rule: str
    """As Flask takes it: "/portfolios/rename"."""
    do: Callable[[Sent, Viewer], Said]
    role: Role
    """The least role that may send it."""
    most_bytes: int = MOST_BYTES
    """Of the body: more is refused before it is read."""
    is_shared: bool = False
    """Whether it changes what all portfolios share: who is limited to some of them may not send it."""
    takes_file: bool = False
    """Whether the body is the file itself; its name and the fields then come in the query string."""


MakeForms = Callable[["Stores"], Iterable[Form]]
"""Returns the forms of a page over these stores."""
