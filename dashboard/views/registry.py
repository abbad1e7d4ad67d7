"""Every panel of the product by its id: for what shows panels away from their page, such as saved views and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.views.panel import Panel
from dashboard.views.tab import Choices, Page, View

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """A panel and the page that builds it."""

    page: Page
    panel: Panel

    def build(self, stores: Stores, choices: Choices, viewer: Viewer) -> Any:
        """Return what `contents` finds in a new view of its page. Raises what the page's `build` raises."""
        assert self.page.build is not None
        return self.contents(self.page.build(stores, choices, viewer.only(self.page.varies_by)))

    def contents(self, view: View) -> Any:
        """Return its figure, or the components of its slot, out of a view of its page; None when there is nothing.

        Of a table that is fetched when it comes into view these are its place: components.lazy.
        """
        return view.figures.get(self.panel.graph) if self.panel.graph else view.slots.get(self.panel.slot)


def registry(pages: Iterable[Page]) -> Mapping[str, PlacedPanel]:
    """Return the panels of `pages` by id. Raises ValueError when two panels share one, or one is not of its page."""
    found: dict[str, PlacedPanel] = {}
    for page in pages:
        for panel in page.panels:
            if panel.id in found:
                raise ValueError(f"two panels are called {panel.id}: of {found[panel.id].page.id} and of {page.id}")
            if not (panel.graph in page.graphs or panel.slot in page.slots):
                raise ValueError(f"page {page.id} builds nothing for its panel {panel.id}")
            found[panel.id] = PlacedPanel(page, panel)
    return found
