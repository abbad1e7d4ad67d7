"""Events and notes as a table, the choices that filter it, and the file of what they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import EXPORTING_ROLE, Viewer
from core.csv_file import csv_file, harmless
from core.events import component_title
from core.format import number
from core.roles import Role
from dashboard.components.age import local_time
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table, whole_cell
from dashboard.events.forms import COMPONENT, EVERYTHING, ID, PATH, PORTFOLIO, delete_form
from dashboard.views.route import CSV, Answer, Route
from dashboard.views.tab import Choices
from portfolio.allowed import seen
from portfolio.chosen import key_of
from portfolio.events import list_events, may_change
from storage.state.events import Event, Wanted, count_events
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

PAGE_ROWS = 100
MOST_FILE_ROWS = 100_000
ALONE = "-"
"""The choice of what is about everything."""
FILTERS = ("since", "until", "tag", "about", "text")
FILE_COLUMNS = (
    "number",
    "kind",
    "time (UTC)",
    "until (UTC)",
    "text",
    "tags",
    "portfolio",
    "component",
    "who",
    "written (UTC)",
)
_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("until", "Until", numeric=False, definition="End of a span; empty: it is a moment"),
    Column("text", "What", numeric=False),
    Column("tags", "Tags", numeric=False),
    Column("about", "About", numeric=False, definition="The portfolio or component whose charts show it"),
    Column("who", "Who", numeric=False),
    Column("does", "", numeric=False, plain="Change or delete", has_buttons=True),
)


def filtered(stores: Stores, choices: Choices, viewer: Viewer, limit: int) -> tuple[list[Event], int | None, str]:
    """Return the newest events that the choices leave, how many there are of them, and what is wrong with the choices.

    How many is None where that depends on which of them the viewer may see.
    """
    since, until = _day(choices.get("since", "")), _day(choices.get("until", ""))
    wrong = next((f"No day in “{name}”: give one as 2026-01-31." for name, day in (("from", since), ("to", until))
                  if day == UNREADABLE), "")  # fmt: skip
    thing = choices.get("about", "")
    wanted = Wanted(
        since=since if since != UNREADABLE else None,
        until=until + timedelta(days=1).total_seconds() if until not in (None, UNREADABLE) else None,
        tag=choices.get("tag", ""),
        text=choices.get("text", ""),
        component=thing.removeprefix(COMPONENT) if thing.startswith(COMPONENT) else "",
        of_everything=thing == ALONE,
    )
    of = thing.removeprefix(PORTFOLIO) if thing.startswith(PORTFOLIO) else ""
    found = list_events(stores, viewer.portfolios, wanted, of, limit=limit)
    total = count_events(stores.state, wanted) if viewer.portfolios is None and not of else None
    if not wrong and since is not None and until is not None and since > until:
        wrong = "From is after To: choose an earlier day."
    return found, total, wrong


UNREADABLE = -1.0


def _day(text: str) -> float | None:
    """Return the start of a day in UTC, epoch seconds; None for none, UNREADABLE for what is no day."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return UNREADABLE


def events_table(events: Sequence[Event], viewer: Viewer, names: Mapping[str, str], chosen: int) -> html.Div:
    """Return a row an event, in the order given.

    names: of portfolios, by key. chosen: number of the event that is being changed; 0: none is.
    """
    nothing = "Nothing is written down like that. A note is written on a chart, or below; programs send events."
    rows = [_row(each, viewer, names, is_open=each.id == chosen) for each in events]
    at = next((place for place, each in enumerate(events) if each.id == chosen), None)
    return data_table(
        f"{ID}-rows", _COLUMNS, rows, caption="Events and notes", nothing=nothing, chosen=at, is_page=True
    )


def names_of(stores: Stores, viewer: Viewer) -> dict[str, str]:
    """Return the names of the portfolios that may be seen, by key."""
    return {key_of(each): each.name for each in seen(list_portfolios(stores.state), viewer.portfolios)}


def about_options(events: Sequence[Event], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what any of the events is about, as options of a filter."""
    portfolios = sorted({each.portfolio for each in events if each.portfolio}, key=lambda key: names.get(key, key))
    components = sorted({each.component for each in events if each.component}, key=component_title)
    return [
        (ALONE, EVERYTHING),
        *((f"{PORTFOLIO}{key}", names.get(key, key)) for key in portfolios),
        *((f"{COMPONENT}{id}", component_title(id)) for id in components),
    ]


def tags_of(events: Sequence[Event]) -> list[str]:
    """Return the tags of the events, each once, by name."""
    return sorted({tag for each in events for tag in each.tags})


def turning(shown: int, total: int | None, page: int, *, has_older: bool) -> html.Div:
    """Return how much is shown, and the buttons that turn to newer and older rows. page: from 0."""
    newer = str(page - 1) if page > 1 else None
    return html.Div(
        [
            html.Span(number(shown) if total is None else f"{number(shown)} of {number(total)}"),
            choice_button(ID, {"page": newer}, "‹ Newer", off="" if page else "These are the newest."),
            choice_button(ID, {"page": str(page + 1)}, "Older ›", off="" if has_older else "These are the oldest."),
        ],
        className="fw-turning",
    )


def page_of(choices: Choices) -> int:
    """Return the number of the page that the choices want, from 0."""
    text = choices.get("page", "")
    return min(int(text), MOST_FILE_ROWS // PAGE_ROWS) if text.isdecimal() and len(text) < 9 else 0


def file_route(stores: Stores) -> Route:
    """Return the route of the file of what is filtered."""

    def file(choices: Choices, viewer: Viewer) -> Answer | None:
        events, _, _ = filtered(stores, choices, viewer, MOST_FILE_ROWS)
        return Answer(csv_file([FILE_COLUMNS, *map(_file_row, events)]), CSV, "events.csv")

    return Route(f"{PATH}.csv", file, EXPORTING_ROLE)


def _file_row(event: Event) -> list[str | float | None]:
    texts = (event.text, ", ".join(event.tags), event.portfolio, event.component, event.who)
    return [event.id, event.kind, _utc(event.at), _utc(event.until), *map(harmless, texts), _utc(event.made_at)]


def _utc(at: float | None) -> str | None:
    return (
        None
        if at is None
        else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _row(event: Event, viewer: Viewer, names: Mapping[str, str], *, is_open: bool) -> dict[str, Any]:
    changed = f", changed {_utc(event.changed_at)}" if event.changed_at else ""
    of = names.get(event.portfolio, event.portfolio) or (component_title(event.component) if event.component else "")
    return {
        "at": Cell(local_time(event.at), sort=event.at, hint=_utc(event.at) or ""),
        "until": Cell(local_time(event.until), sort=event.until) if event.until is not None else Cell("", sort=None),
        "text": whole_cell(event.text),
        "tags": ", ".join(event.tags) or None,
        "about": of or Cell(EVERYTHING, tone="muted"),
        "who": Cell(event.who or "–", hint=f"{event.kind}, written {_utc(event.made_at)}{changed}"),
        "does": _does(event, is_open=is_open) if _may_change(event, viewer) else "",
    }


def _may_change(event: Event, viewer: Viewer) -> bool:
    return may_change(event, viewer.name, is_admin=viewer.role >= Role.ADMIN)


def _does(event: Event, *, is_open: bool) -> html.Div:
    changes = {"edit": None if is_open else str(event.id)}
    label = f"Change the {event.kind} {event.text[:40]}"
    return html.Div(
        [choice_button(ID, changes, "Change", pressed=is_open, label=label), delete_form(event)],
        className="fw-row-does",
    )
