"""The list of notices that the bell opens, and that somebody has seen them.

Who has not signed in has no account to keep that for: the browser keeps it (assets/js/54-notices.js), and sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from access.viewer import LOCAL_NAME, Viewer
from core.roles import Role
from dashboard.notices.lines import line
from dashboard.views.form import Form, Said, Sent
from dashboard.views.route import JSON, Answer, Route
from portfolio.notices.notice import Seen, seen_in
from portfolio.notices.read import Newest, read_notices, seen_of
from storage.state.notices_seen import END, mark_seen, up_to

if TYPE_CHECKING:
    from dashboard.views.tab import Choices
    from storage.stores import Stores

PATH = "/alerts/notices"
MARK = f"{PATH}/seen"
PAGE_ROWS, MOST_PAGES = 30, 10


def seen_by_viewer(stores: Stores, viewer: Viewer, choices: Choices) -> Seen:
    """Return what a viewer has seen; without an account as the browser says, without that: everything.

    Raises StorageUnavailable.
    """
    if viewer.name != LOCAL_NAME:
        return seen_of(stores, viewer.name)
    return Seen(up_to(choices.get("seen", "")) or END)


def list_route(stores: Stores, newest: Newest) -> Route:
    """Return the route of a page of notices, newest first.

    Its choices: `before`, where older ones begin; `pages`, how many pages at once; `from`, what was seen when the panel
    was opened; `new`, whether those alone are listed that have not been.
    """

    def answer(choices: Choices, viewer: Viewer) -> Answer:
        text = choices.get("pages", "")
        pages = min(int(text), MOST_PAGES) if text.isdecimal() and text.isascii() and 0 < len(text) < 4 else 1
        before = up_to(choices.get("before", "")) or END
        seen = seen_in(choices.get("from", "")) or seen_by_viewer(stores, viewer, choices)
        part = read_notices(stores, viewer.portfolios, PAGE_ROWS * max(pages, 1), before)
        listed = [each for each in part.notices if "new" not in choices or seen.misses(each)]
        told = {
            "items": [{"at": each.at, "html": line(each, is_new=seen.misses(each))} for each in listed],
            "older": part.following.text if part.following else "",
            "newest": newest.of(viewer.portfolios).newest.text,
            "from": seen.text,
            "problem": part.problem,
        }
        return Answer(orjson.dumps(told), JSON)

    return Route(PATH, answer, Role.VIEWER)


def mark_form(stores: Stores) -> Form:
    """Return the form that says up to where somebody has seen the notices."""

    def mark(sent: Sent, viewer: Viewer) -> Said:
        place = up_to(sent["up_to"])
        if place is None:
            return Said("Not marked.", is_done=False, fields={"up_to": "send `newest` as the list tells it"})
        if viewer.name != LOCAL_NAME:
            mark_seen(stores.state, viewer.name, place, stores.clock.now())
        return Said("All are marked as seen.")

    return Form(MARK, mark, Role.VIEWER)
