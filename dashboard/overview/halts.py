"""Trading halted by hand: the forms that halt and resume, what is halted and was, and the banner of every page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.errors import ChangeRejected
from core.format import count
from core.readiness import EVERY_PORTFOLIO, READINESS
from dashboard.access.common import told
from dashboard.components.age import local_time
from dashboard.components.form import form, hidden, moment_field, select_field, text_field
from dashboard.components.table import Cell, Column, data_table, whole_cell
from dashboard.frame import places
from dashboard.views.form import Form, Said, Sent
from portfolio.halting import halt, resume
from storage.state.halts import NOT_HALTED, NOT_RESUMED, WHY_CHARACTERS, Halt

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

ID = "readiness"
PATH = places.READINESS
EVERYTHING = "everything"
MOST_IN_BANNER = 3
MOST_OVER = 100
"""Of so many halts, the newest, those that are over are listed."""
_WHAT = Column("what", "What", numeric=False)
_WHO = Column("who", "Halted by", numeric=False)
_WHY = Column("why", "Why", numeric=False)
_SINCE = Column("since", "Since", numeric=False)
_IN_FORCE = (
    _WHAT, _WHO, _WHY, _SINCE,
    Column("until", "Until", numeric=False),
    Column("does", "", numeric=False, plain="Resume", has_buttons=True),
)  # fmt: skip
_OVER = (
    _WHAT, _WHO, _WHY, _SINCE,
    Column("ended", "Ended", numeric=False),
    Column("by", "Resumed by", numeric=False),
)  # fmt: skip


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do: to what somebody may see, and everything where that is everything."""

    def stop(sent: Sent, viewer: Viewer) -> Said:
        # Nothing chosen is not everything.
        if not sent["portfolio"]:
            raise ChangeRejected(NOT_HALTED, {"portfolio": "choose what to halt"})
        of = EVERY_PORTFOLIO if sent["portfolio"] == EVERYTHING else sent["portfolio"].removeprefix("own:")
        made = halt(stores, of, sent["why"], _until(sent), viewer.name, viewer.portfolios)
        return Said("Everything is halted." if made.portfolio == EVERY_PORTFOLIO else f"{made.portfolio} is halted.")

    def go_on(sent: Sent, viewer: Viewer) -> Said:
        id = int(sent["id"]) if sent["id"].isdecimal() and len(sent["id"]) < 10 else 0
        if not id:
            raise ChangeRejected(NOT_RESUMED, {"id": "it is none"})
        resume(stores, id, viewer.name, viewer.portfolios)
        return Said("Resumed. It is safe again when every check was ready for long enough.")

    return [
        Form(f"{PATH}/halt", told(stores, READINESS, stop), CHANGING_ROLE),
        Form(f"{PATH}/resume", told(stores, READINESS, go_on), CHANGING_ROLE),
    ]


def halt_form(names: Mapping[str, str], limits: Limits) -> html.Form:
    """Return the form that halts; names: of the portfolios that may be seen by id."""
    id = f"{ID}-halt-form"
    whole = [(EVERYTHING, "Everything")] if limits is None else []
    offered = [("", "Choose …"), *whole, *((f"own:{key}", name) for key, name in names.items())]
    return form(
        f"{PATH}/halt",
        select_field(id, "portfolio", "What", offered, hint="With all below it."),
        text_field(id, "why", "Why", hint="Others will ask.", maxlength=str(WHY_CHARACTERS)),
        moment_field(id, "until", "Until", hint="In your time; empty: until somebody resumes."),
        id=id, does="Halt", question="Halt {portfolio}? Trading systems are told at once that it is not safe.",
        clears=True, is_dangerous=True, role=CHANGING_ROLE,
    )  # fmt: skip


def in_force_table(halts: Sequence[Halt], names: Mapping[str, str], limits: Limits) -> html.Div:
    """Return the halts in force as they may be told, the newest first, each with what resumes it."""
    rows = [_in_force(each, names, limits) for each in reversed(halts)]
    nothing = "Nobody has halted trading."
    return data_table(f"{ID}-halts-rows", _IN_FORCE, rows, caption="Halts in force", nothing=nothing)


def over_table(halts: Sequence[Halt], names: Mapping[str, str], now: float) -> html.Div:
    """Return those of the halts, the newest first, that are over."""
    rows = [_over(each, names) for each in halts if not each.holds(now)]
    return data_table(f"{ID}-over-rows", _OVER, rows, caption="Halts that are over", nothing="None yet.")


def halts_banner(halts: Sequence[Halt], names: Mapping[str, str]) -> html.Div:
    """Return who halted what and why, the newest first, and the link to where it is resumed."""
    newest = [*reversed(halts)]
    more = len(newest) - MOST_IN_BANNER
    said = [html.Span(_sentence(each, names)) for each in newest[:MOST_IN_BANNER]]
    rest = [html.Span(f"and {count(more, 'halt')} more")] if more > 0 else []
    return html.Div([*said, *rest, html.A("Halts", href=PATH)], className="fw-halted-line")


def _sentence(each: Halt, names: Mapping[str, str]) -> list[Any]:
    until: list[Any] = [" until ", local_time(each.until, "span")] if each.until is not None else []
    return [html.Strong(f"{_what(each, names)} halted by {each.who}"), *until, f": {each.why}"]


def _what(each: Halt, names: Mapping[str, str]) -> str:
    return "Everything" if each.portfolio == EVERY_PORTFOLIO else names.get(each.portfolio, each.portfolio)


def _told(each: Halt, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "what": Cell(_what(each, names), hint=each.portfolio),
        "who": each.who,
        "why": whole_cell(each.why),
        "since": Cell(local_time(each.made_at), sort=each.made_at),
    }


def _in_force(each: Halt, names: Mapping[str, str], limits: Limits) -> dict[str, Any]:
    may_resume = each.id and (limits is None or each.portfolio != EVERY_PORTFOLIO)
    until = Cell(local_time(each.until), sort=each.until) if each.until is not None else Cell("somebody resumes")
    does: Any = _resume_form(each, names) if may_resume else Cell("by who sees all of it", tone="muted")
    return {**_told(each, names), "until": until, "does": does}


def _over(each: Halt, names: Mapping[str, str]) -> dict[str, Any]:
    ended = each.until if each.ended_at is None else each.ended_at
    by = each.ended_by if each.ended_at is not None else Cell("by itself", tone="muted")
    return {**_told(each, names), "ended": Cell(local_time(ended), sort=ended), "by": by}


def _resume_form(each: Halt, names: Mapping[str, str]) -> html.Form:
    return form(
        f"{PATH}/resume", hidden("id", str(each.id)), id=f"{ID}-resume-{each.id}", does="Resume",
        question=f"Resume what {each.who} halted ({_what(each, names)}: {each.why})?", role=CHANGING_ROLE,
    )  # fmt: skip


def _until(sent: Sent) -> float | None:
    if not sent["until"]:
        return None
    try:
        return datetime.fromisoformat(sent["until"]).timestamp()
    except (ValueError, OverflowError) as error:
        raise ChangeRejected(NOT_HALTED, {"until": "is no time such as 2030-01-31T16:00:00Z"}) from error
