"""What stands round every page: header, navigation, refresh control, account menu, help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from access.viewer import LOCAL_NAME, Viewer
from dashboard.components.attributes import attributes
from dashboard.components.needing import offered
from dashboard.frame import ids
from dashboard.frame.places import ACCOUNT, OVERVIEW, SAFE, SIGN_IN, SIGN_OUT, sign_in_path
from dashboard.views.problem import problem_of
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, Tab, family, tabs_of, visible

if TYPE_CHECKING:
    from storage.stores import Stores

REFRESH_SECONDS = (1, 5, 15, 30, 60)

KEYS = (
    ("r", "refresh now"),
    ("p", "pause or resume refresh"),
    ("t", "switch the theme"),
    ("n", "notices"),
    ("/", "filter a table"),
    ("Ctrl P", "print the page, or save it as PDF"),
    ("?", "this help, with the definitions of the page"),
    ("Esc", "close"),
)


def shell(pages: Sequence[Page], refresh_seconds: int, viewer: Viewer) -> html.Div:
    """Return the frame for a viewer, refreshing every `refresh_seconds` until a reader chooses otherwise.

    The open page is mounted in `ids.PAGE`; only one is mounted at a time.
    """
    allowed = visible(pages, viewer.role)
    tabs = tabs_of(allowed)
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.ROUTE),
            dcc.Interval(id=ids.TICK, interval=refresh_seconds * 1000),
            _header(tabs, allowed, refresh_seconds, viewer),
            html.Div(id="banner", className="fw-banner", role="alert", hidden=True),
            html.Div(id="halted", className="fw-banner fw-halted", role="alert", hidden=True),
            html.Div(id="muted", className="fw-banner fw-muted", role="alert", hidden=True),
            _drawer(tabs),
            *_notices(tabs),
            html.Main(id=ids.PAGE, className="fw-page", tabIndex=-1),
            _help(tabs),
            html.Div(id="announcer", className="visually-hidden", role="status", **attributes(aria_live="polite")),
        ],
        className="fw-app",
    )


def mount(page: Page, choices: Choices, layout: Any, relatives: Sequence[Page] = ()) -> html.Div:
    """Return an opened page: its layout and the stores its refresh needs.

    relatives: its tab and the sub-pages of that, linked above it when there are several.
    """
    return html.Div(
        [
            dcc.Store(id=ids.choices(page.id), data=dict(choices)),
            dcc.Store(id=ids.version(page.id)),
            dcc.Store(id=ids.payload(page.id)),
            html.H1(page.own_title, className="visually-hidden"),
            *([_sub_navigation(page, relatives)] if len(relatives) > 1 else []),
            html.Div(id=ids.problem(page.id), className="fw-problem", role="alert"),
            layout,
        ],
        id=f"page-{page.id}",
        key=f"{page.id}?{choices.query}",
        className="fw-tab",
        **attributes(
            data_page=page.id,
            data_path=page.path,
            data_zooms=" ".join(page.zoom_graphs),
            data_zoom_days="" if page.zooms_to_days else None,
        ),
    )


def open_page(pages: Sequence[Page], path: str, choices: Choices, viewer: Viewer, stores: Stores) -> html.Div:
    """Return the page at `path`, or what stands where there is none or none for this viewer. Raises what it raises."""
    page = next((each for each in pages if each.path == path), None)
    allowed = visible(pages, viewer.role)
    if page is None:
        return missing_page(tabs_of(allowed))
    if page not in allowed:
        return forbidden_page(page, viewer)
    layout = offered(page.layout(stores, choices, viewer), viewer.role)
    return mount(page, choices, layout, family(allowed, page))


def missing_page(tabs: Sequence[Tab]) -> html.Div:
    """Return what stands where no page is."""
    links = [html.Li(dcc.Link(tab.title, href=tab.path)) for tab in tabs]
    return html.Div(
        [html.H1("Page not found"), html.P("There is no page at this address."), html.Ul(links)], className="fw-empty"
    )


def forbidden_page(page: Page, viewer: Viewer) -> html.Div:
    """Return what stands where a page is that the viewer may not see; who has not signed in is offered to."""
    way = [html.P(html.A("Sign in", href=sign_in_path(page.path)))] if viewer.name == LOCAL_NAME else []
    return html.Div(
        [html.H1("Not allowed"), html.P(needs(page.role, f"see the page {page.title}")), *way],
        className="fw-empty",
        role="alert",
    )


def failed_page(page: Page, error: Exception) -> html.Div:
    """Return what stands where a page could not be opened: the reason, and how to try again."""
    return html.Div(
        [
            html.H1(f"{page.own_title} cannot be opened"),
            html.P(problem_of(error)),
            html.P(["The log has the details. ", html.A("Try again", href=page.path), "."]),
        ],
        className="fw-empty",
        role="alert",
    )


def _sub_navigation(page: Page, relatives: Sequence[Page]) -> html.Nav:
    """Return the links to a tab and its sub-pages; the open one is no link."""
    links = [
        html.Span(each.own_title, className="fw-sub-link", **attributes(aria_current="page"))
        if each is page
        else dcc.Link(each.own_title, href=each.path, className="fw-sub-link")
        for each in relatives
    ]
    return html.Nav(links, className="fw-sub-nav", **attributes(aria_label=f"Pages of {relatives[0].title}"))


def _header(tabs: Sequence[Tab], allowed: Sequence[Page], refresh_seconds: int, viewer: Viewer) -> html.Header:
    return html.Header(
        [
            html.A("Skip to content", href="#page", className="fw-skip"),
            html.Button(
                _icon("menu"), id=ids.BURGER, type="button", className="fw-tool fw-burger",
                **attributes(aria_label="Open navigation", aria_haspopup="dialog"),
            ),
            html.Span("Fundwatch", className="fw-brand"),
            *_badge(allowed),
            html.Nav(
                _links(tabs), className="fw-nav",
                **attributes(aria_label="Tabs", data_keys=_keys(tabs), data_pages=_pages(allowed)),
            ),
            _refresh_control(refresh_seconds),
            html.Button(
                _icon("help"), id="help-button", type="button", className="fw-tool",
                title="Keyboard shortcuts (?)", **attributes(aria_label="Keyboard shortcuts"),
            ),
            *_bell(tabs),
            _account(viewer),
        ],
        className="fw-header",
    )  # fmt: skip


def _badge(allowed: Sequence[Page]) -> list[Any]:
    """Return the badge that says whether trading may go on, where there is a page that knows it.

    It asks by itself (assets/js/75-safe.js) and opens the list of checks.
    """
    if not any(page.id == OVERVIEW for page in allowed):
        return []
    sign = html.Span("?", className="fw-sign", **attributes(aria_hidden="true"))
    button = html.Button(
        [sign, html.Span("unknown", className="fw-safe-word"), html.Span(className="fw-safe-scope"),
         html.Span(className="fw-safe-count")],
        id="safe-button", type="button", className="fw-safe-button", title="May we trade? Opens the list of checks",
        **attributes(aria_expanded="false", aria_controls="safe-menu", data_url=SAFE, data_status="critical"),
    )  # fmt: skip
    menu = html.Div(
        [html.P(id="safe-silent", hidden=True), html.Div(id="safe-list")],
        id="safe-menu", className="fw-menu fw-safe-menu", hidden=True, role="region",
        **attributes(aria_label="Checks"),
    )  # fmt: skip
    return [html.Div([button, menu], className="fw-safe-place")]


def _bell(tabs: Sequence[Tab]) -> list[Any]:
    """Return the bell that opens the notices, with how many were not seen, where there is a page that counts them."""
    if not any(tab.counts for tab in tabs):
        return []
    count = html.Span(id="notices-count", className="fw-bell-count", **attributes(aria_hidden="true"))
    return [
        html.Button(
            [_icon("bell"), count], id="notices-button", type="button", className="fw-tool fw-bell",
            title="Notices (n)", **attributes(aria_label="Notices", aria_haspopup="dialog"),
        )
    ]  # fmt: skip


def _notices(tabs: Sequence[Tab]) -> list[Any]:
    """Return the panel of notices, which the browser fills (assets/js/54-notices.js), and the place of toasts."""
    if not any(tab.counts for tab in tabs):
        return []
    does = html.Div(
        [
            html.Button("Only unseen", id="notices-new", type="button", className="fw-button",
                        **attributes(aria_pressed="false")),
            html.Button("Mark all as seen", id="notices-mark", type="button", className="fw-button"),
            html.Span(["Times in ", html.Time(id="notices-zone")], className="fw-facts"),
        ],
        className="fw-notices-does",
    )  # fmt: skip
    panel = dbc.Offcanvas(
        [
            does,
            html.P(id="notices-problem", className="fw-notices-problem", role="alert", hidden=True),
            html.Div(id="notices-list", className="fw-notices-list fw-skeleton", **attributes(aria_busy="true")),
            html.Button("Show older", id="notices-older", type="button", className="fw-button", hidden=True),
            html.P(["Sound and toasts are switched on ", html.A("Open alerts", href="/alerts"), "."],
                   className="fw-facts"),
        ],
        id=ids.NOTICES, title=html.Span("Notices", id="notices-title"), labelledby="notices-title", is_open=False,
        placement="end", class_name="fw-drawer fw-notices",
    )  # fmt: skip
    lives = [
        html.Div(id=f"toasts-{level}", className="fw-toasts-of", **attributes(aria_live=how))
        for level, how in (("urgent", "assertive"), ("critical", "polite"))
    ]
    more = html.Button(id="toasts-more", type="button", className="fw-button fw-toasts-more", hidden=True)
    return [panel, html.Div([*lives, more], id="toasts", className="fw-toasts")]


def _account(viewer: Viewer) -> html.Div:
    """Return the menu of who looks at the page (assets/js/72-menus.js opens it)."""
    is_signed_in = bool(viewer.name) and viewer.name != LOCAL_NAME
    name = viewer.name if is_signed_in else "not signed in"
    theme = html.Button(
        [_icon("theme"), "Switch theme"], id="theme-switch", type="button", className="fw-menu-item",
        title="Switch between dark and light (t)",
    )  # fmt: skip
    guide = html.Button(
        [_icon("help"), "Keys and definitions"], id="help-item", type="button", className="fw-menu-item fw-help-item"
    )
    leave = html.Form(
        html.Button([_icon("leave"), "Sign out"], type="submit", className="fw-menu-item"),
        action=SIGN_OUT, method="post",
    )  # fmt: skip
    items = (
        [html.A([_icon("account"), "Account"], href=ACCOUNT, className="fw-menu-item"), theme, guide, leave]
        if is_signed_in
        else [theme, guide, html.A([_icon("account"), "Sign in"], href=SIGN_IN, className="fw-menu-item")]
    )
    told = [html.Strong(name), html.Span(viewer.role.word, className="fw-menu-role")]
    return html.Div(
        [
            html.Button(
                [_icon("account"), html.Span(name, className="fw-account-name")],
                id="account-button", type="button", className="fw-tool fw-account-button",
                title=f"{name}, {viewer.role.word}",
                **attributes(aria_label=f"Account menu: {name}, {viewer.role.word}", aria_expanded="false",
                             aria_controls="account-menu"),
            ),
            html.Div(
                [html.P(told, className="fw-menu-who"), *items], id="account-menu", className="fw-menu", hidden=True,
            ),
        ],
        className="fw-account",
    )  # fmt: skip


def _keys(tabs: Sequence[Tab]) -> str:
    """Return which key opens which path, for assets/js/71-keys.js."""
    return " ".join(f"{tab.key}={tab.path}" for tab in tabs)


def _pages(pages: Sequence[Page]) -> str:
    """Return title, tab and shared choices of every page by its path, for assets/js/30-route.js."""
    paths = {page.id: page.path for page in pages}
    return json.dumps({page.path: _page(page, paths.get(page.parent, page.path)) for page in pages})


def _page(page: Page, tab: str) -> dict[str, Any]:
    shares = {"shares": page.shared_choices} if page.shared_choices else {}
    return {"title": page.own_title, "tab": tab, **shares}


def _links(tabs: Sequence[Tab]) -> dbc.Nav:
    return dbc.Nav(
        [
            dbc.NavLink(
                [
                    html.Span(className=f"fw-icon fw-icon-{tab.icon}", **attributes(aria_hidden="true")),
                    tab.title,
                    *_count(tab),
                ],
                href=tab.path, active="exact", class_name="fw-link",
            )
            for tab in tabs
        ],
        class_name="fw-links",
    )  # fmt: skip


def _count(tab: Tab) -> list[html.Span]:
    """Return the place of the number in a tab's label."""
    return [html.Span(className="fw-tab-count", **attributes(data_counts=tab.counts))] if tab.counts else []


def _drawer(tabs: Sequence[Tab]) -> dbc.Offcanvas:
    return dbc.Offcanvas(
        html.Nav(_links(tabs), **attributes(aria_label="Tabs")),
        id=ids.DRAWER,
        title=html.Span("Fundwatch", id="drawer-title"),
        labelledby="drawer-title",
        is_open=False,
        placement="start",
        class_name="fw-drawer",
    )


def _refresh_control(refresh_seconds: int) -> html.Div:
    return html.Div(
        [
            html.Button(
                _icon("refresh"), id="refresh-now", type="button", className="fw-tool",
                title="Refresh now (r)", **attributes(aria_label="Refresh now"),
            ),
            html.Select(
                [
                    html.Option(f"{seconds} s", value=str(seconds))
                    for seconds in REFRESH_SECONDS
                ],
                id="refresh-every", className="fw-every",
                **attributes(aria_label="Refresh every", data_default=str(refresh_seconds)),
            ),
            html.Button(
                _icon("pause"), id="refresh-pause", type="button", className="fw-tool",
                title="Pause (p)", **attributes(aria_label="Pause", aria_pressed="false"),
            ),
            html.Span(id="refresh-next", className="fw-next", **attributes(aria_hidden="true")),
        ],
        className="fw-refresh", role="group", **attributes(aria_label="Refresh"),
    )  # fmt: skip


def _help(tabs: Sequence[Tab]) -> html.Dialog:
    keys = [*((tab.key, tab.title) for tab in tabs), *KEYS]
    rows = [html.Div([html.Dt(html.Kbd(key)), html.Dd(what)]) for key, what in keys]
    return html.Dialog(
        [
            html.H2("Keyboard shortcuts"),
            html.Dl(rows, className="fw-keys"),
            html.Div(
                [
                    html.H2("Definitions on this page"),
                    html.Dl(
                        className="fw-definitions", tabIndex=0, **attributes(aria_label="Definitions on this page")
                    ),
                ],
                hidden=True,
            ),
            html.Button("Close", id="help-close", type="button", className="fw-button"),
        ],
        id="help",
        className="fw-help",
        **attributes(aria_label="Keyboard shortcuts"),
    )


def _icon(name: str) -> html.Span:
    return html.Span(className=f"fw-icon fw-icon-{name}", **attributes(aria_hidden="true"))
