"""What a page is, in the navigation or not: its place, layout, view, and the choices that its URL carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from core.roles import Role

if TYPE_CHECKING:
    from dash import Dash
    from dash.development.base_component import Component

    from access.viewer import Viewer
    from core.settings.model import Settings
    from dashboard.views.form import MakeForms
    from dashboard.views.panel import Panel
    from dashboard.views.route import MakeRoutes
    from storage.state.events import Event
    from storage.stores import Stores

MAX_CHOICES = 20
MAX_CHOICE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Choices(Mapping[str, str]):
    """The choices of a tab as its query string carries them; hashable, defaults left out."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Choices:
        """Return the choices in `values`: the first 20 by name, longer texts cut at 1,000 characters."""
        kept = sorted((str(name), str(value)) for name, value in (values or {}).items() if value is not None)
        return cls(tuple((name[:MAX_CHOICE_CHARS], value[:MAX_CHOICE_CHARS]) for name, value in kept[:MAX_CHOICES]))

    @classmethod
    def parse(cls, query: str | None) -> Choices:
        """Return the choices of a query string such as `?window=6h`; the last of a repeated name wins."""
        return cls.of(dict(parse_qsl((query or "").lstrip("?"), keep_blank_values=False)))

    def __getitem__(self, name: str) -> str:
        for key, value in self.pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def seconds(self, name: str) -> float | None:
        """Return a choice that holds epoch seconds, or None when it is absent or no number."""
        try:
            return float(self[name])
        except (KeyError, ValueError):
            return None

    @property
    def query(self) -> str:
        """The query string, without the question mark."""
        return urlencode(self.pairs)


@dataclass(frozen=True, slots=True)
class View:
    """What a tab shows for one set of choices and one version of its data.

    figures: plain figure dicts (`{"data": [...], "layout": {...}}`) by graph id; see dashboard/charts/theme.py for
        what goes into the payload (colour tokens, epoch seconds on date axes) and what the browser adds.
    slots: component or components of `dash.html` by slot id: they are sent as HTML.
    as_of: epoch seconds of the newest data a panel shows, None for "there is none yet" (the panel is then
        empty and shows its note). Panels that are not named carry no age.
    notes: by panel id, why it is empty or what failed (with `as_of` set: last data kept, reason on top).
    stale_after_seconds: the age beyond which what a panel shows is stale, by status/freshness.py. A panel
        that is not named, or with None, has an age but never turns stale.
    stale_at: epoch seconds from which on something that the view says of the present is stale (status.freshness
        .next_stale_at): it is then built anew although no new data came. None: never.
    """

    figures: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    slots: Mapping[str, Any] = field(default_factory=dict)
    as_of: Mapping[str, float | None] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    stale_after_seconds: Mapping[str, float | None] = field(default_factory=dict)
    stale_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page with an address of its own: one file, one line in dashboard/tabs/__init__.py.

    As it stands here it is not in the navigation: with a `parent` it is a sub-page of that tab, which stays marked
    as the current one; without, other pages link to it.
    """

    id: str
    title: str
    path: str
    layout: Callable[[Stores, Choices, Viewer], Component]
    """Choice bar, slots, panels and graphs without data; called when the page is opened."""
    build: Callable[[Stores, Choices, Viewer], View] | None = None
    """Reads and draws; called at most once for each version of the data. None: nothing to refresh. Of the viewer it
    is given what `varies_by` names and nothing else: the view is shared by all who are equal in that."""
    varies_by: tuple[str, ...] = ()
    """Attributes of the viewer that the view depends on, such as "may_act"."""
    role: Role = Role.VIEWER
    """Who may see the page: viewers of this role or more."""
    parent: str = ""
    """Id of the tab that a sub-page belongs to."""
    called: str = ""
    """What it is called beside its sub-pages and in the browser's title, where a tab's title is that of them all."""
    shared_choices: tuple[str, ...] = ()
    """Names of choices that pages of one tab have in common: what is chosen on one of them is chosen on all."""
    datasets: tuple[str, ...] = ()
    """Data sets whose version gates the refresh (see storage.live.redis.Live.version)."""
    panels: tuple[Panel, ...] = ()
    """Every panel of its layout; views.registry finds them by id."""
    slots: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    zoom_graphs: tuple[str, ...] = ()
    """Graphs whose zoom on the time axis is written to the choices `from` and `to` (epoch seconds); a double
    click, or another window, removes them."""
    zooms_to_days: bool = False
    """Whether a zoom is written as days (2020-01-02) instead."""
    lazy_graphs: tuple[str, ...] = ()
    """Graphs whose figure is fetched when they come into view: those below the first screen."""
    concerned: Callable[[Stores, Choices, Viewer], Callable[[Event], bool]] | None = None
    """Which events and notes its charts over time show as marks. None: those about everything, and about what its id
    names: components of this tab."""
    shows_outages: bool = False
    """Whether its charts over time show when components were broken, too: what portfolios did meanwhile."""
    routes: MakeRoutes | None = None
    """Data routes of this page, beyond the refresh and its figures; they ask for the role of the page."""
    forms: MakeForms | None = None
    """What this page may post: each says the least role that may send it."""
    register: Callable[[Dash, Stores], None] | None = None
    """Callbacks of this page alone, beyond the refresh."""
    fit: Callable[[Settings], Page] | None = None
    """Returns the page as settings want it, such as without what they don't watch. None: it is always the same."""

    @property
    def own_title(self) -> str:
        """What it is called itself."""
        return self.called or self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab(Page):
    """A page of the navigation."""

    icon: str
    """Name of a mask in assets/css/30-icons.css."""
    key: str
    """Digit that opens the tab."""
    counts: str = ""
    """Address that answers every open page with a number for its label; empty: it has none (assets/js/52-told.js)."""


def fitted(pages: Iterable[Page], settings: Settings) -> tuple[Page, ...]:
    """Return the pages as these settings want them: what they mount, send and answer stays so until the next start."""
    return tuple(page.fit(settings) if page.fit else page for page in pages)


def visible(pages: Iterable[Page], role: Role) -> list[Page]:
    """Return the pages that viewers of a role may see."""
    return [page for page in pages if role >= page.role]


def tabs_of(pages: Iterable[Page]) -> list[Tab]:
    """Return the pages of the navigation, in its order."""
    return [page for page in pages if isinstance(page, Tab)]


def family(pages: Iterable[Page], page: Page) -> list[Page]:
    """Return the tab of `page` and its sub-pages; only the tab when it has none, nothing for a page of no tab."""
    tab = page.parent or page.id
    return [each for each in pages if (each.id == tab and isinstance(each, Tab)) or each.parent == tab]
