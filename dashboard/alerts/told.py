"""What every page says of alerts: how many fire, in the tab's label and the title, and that everything is muted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from dash import html

from access.viewer import ACTING_ROLE, Viewer
from core.alerts.severity import Severity
from core.alerts.silence import Silence, When
from core.errors import StorageError
from core.memo import Memo
from core.roles import Role
from dashboard.alerts.known import Known, know, severity_of
from dashboard.alerts.parts import SIGNS
from dashboard.components.age import local_time
from dashboard.components.form import form, hidden
from dashboard.components.markup import markup
from dashboard.components.needing import offered
from dashboard.notices.routes import seen_by_viewer
from dashboard.notices.toasts import toasts
from dashboard.views.route import JSON, Answer, Route
from portfolio.notices.read import Newest, Part, count_unseen
from status.freshness import is_stale
from storage.state.silences import DATASET, silences_in

if TYPE_CHECKING:
    from dashboard.views.tab import Choices
    from storage.stores import Stores

PATH = "/alerts/told"
UNKNOWN = {"count": 0, "sign": "", "severity": "", "old": True, "banner": "", "urgent_since": 0, "notices": None}
"""What is said where nobody can tell."""


def told_route(stores: Stores, newest: Newest) -> Route:
    """Return the route that every open page asks when it refreshes; read once for each version of the data."""
    memo: Memo[tuple[Known, tuple[Silence, ...]]] = Memo()

    def answer(choices: Choices, viewer: Viewer) -> Answer:
        limits = viewer.portfolios

        def read() -> tuple[Known, tuple[Silence, ...]]:
            return know(stores, limits), tuple(_mutes(stores))

        try:
            known, mutes = memo.get((stores.live.version(DATASET, "portfolio"), limits), read)
            notices = _notices(stores, newest.of(limits), known, choices, viewer)
        except StorageError:
            return Answer(orjson.dumps(UNKNOWN), JSON)
        now = stores.clock.now()
        muting = next((each for each in mutes if each.when(now) is When.ACTIVE), None)
        banner = _banner(muting, is_whole=known.sight.is_whole) if muting else None
        gravest = known.gravest
        told = {
            "count": known.loud,
            "sign": SIGNS[gravest] if gravest else "",
            "severity": gravest.word if gravest else "",
            "old": stores.settings.alerts.enabled and bool(known.problem or _is_old(known, now)),
            "urgent_since": _urgent_since(known),
            "banner": markup(offered([banner], viewer.role)) if banner else "",
            "notices": notices,
        }
        return Answer(orjson.dumps(told), JSON)

    return Route(PATH, answer, Role.VIEWER)


def _notices(stores: Stores, part: Part, known: Known, choices: Choices, viewer: Viewer) -> dict[str, Any]:
    """Return how many notices somebody has not seen, and what came since the page asked last (`after`)."""
    after = choices.get("after", "")
    last = int(after) if after.isdecimal() and after.isascii() and len(after) < 19 else None
    unseen = count_unseen(part, seen_by_viewer(stores, viewer, choices))
    return {"unseen": unseen, "newest": part.newest.text, "toasts": toasts(part, known, last)}


def _urgent_since(known: Known) -> float:
    """Return since when the urgent alert fires that began last, of those that nobody has in hand; 0: there is none."""
    loud = (each for each in known.firing if not each.muted_by and not each.acknowledged_by)
    return max((each.since for each in loud if severity_of(each.severity) is Severity.URGENT), default=0.0)


def _is_old(known: Known, now: float) -> bool:
    return known.reading is not None and is_stale(known.reading, now)


def _mutes(stores: Stores) -> list[Silence]:
    with stores.state.reading() as connection:
        return [each for each in silences_in(connection, stores.clock.now()) if each.is_of_all]


def _banner(silence: Silence, *, is_whole: bool) -> html.Div:
    why = f": {silence.why}" if is_whole else ""
    said: list[Any] = ["Every alert is muted until ", local_time(silence.ends, "span"), f" by {silence.who}{why}"]
    end = form("/alerts/silences/end", hidden("id", str(silence.id)), id="muted-end", does="End it", role=ACTING_ROLE)
    return html.Div([html.Span(said), *([end] if is_whole else [])], className="fw-muted-line")
