"""The page that a tab of watched sources is."""

from __future__ import annotations

from functools import partial

from dashboard.sources.asking import try_form
from dashboard.sources.drawn import view
from dashboard.sources.tab import VARIES_BY, SourceTab
from dashboard.views.tab import Tab


def source_tab(tab: SourceTab, title: str, key: str) -> Tab:
    """Return the page that a tab of watched sources is."""
    return Tab(
        id=tab.id,
        title=title,
        icon=tab.id,
        key=key,
        path=f"/{tab.id}",
        layout=tab.layout,
        build=partial(view, tab),
        varies_by=VARIES_BY,
        datasets=(*tab.kinds, "actions", *tab.datasets),
        slots=tab.slots,
        panels=tab.panels,
        graphs=tab.graphs,
        zoom_graphs=tab.graphs,
        lazy_graphs=tab.lazy_graphs,
        routes=tab.routes,
        forms=lambda stores: [try_form(stores, tab.id)],
        register=tab.register,
        fit=lambda settings: source_tab(tab.fit(settings), title, key),
    )
