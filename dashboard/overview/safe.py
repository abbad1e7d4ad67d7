"""Whether trading may go on: the banner of the Overview, and the badge with its list that every tab carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from dash import html

from core.errors import StorageError
from core.format import count
from core.model import Status
from core.readiness import (
    EVERY_PORTFOLIO,
    INTERVAL_SECONDS,
    Checks,
    PortfolioReadiness,
    ReadinessCheck,
    State,
    after_title,
)
from dashboard.components.age import age, local_time
from dashboard.components.attributes import attributes
from dashboard.components.card import state_badge
from dashboard.components.markup import markup
from dashboard.components.table import Cell, Column, data_table, whole_cell
from dashboard.frame.places import READINESS
from dashboard.overview.halts import halts_banner
from dashboard.views.problem import problem_of
from dashboard.views.route import JSON, Answer
from portfolio.allowed import Limits, seen
from status.freshness import stale_after_seconds
from status.readiness import Readiness, readiness_of
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ROWS = "readiness-checks-rows"
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("check", "Check", numeric=False, definition="What is looked at"),
    Column("portfolio", "Of", numeric=False),
    Column("why", "Why", numeric=False),
    Column("since", "Since", numeric=False, definition="Since when it is in this state"),
    Column("age", "Age", definition="Of what it rests on"),
)
SAFE, NOT_SAFE, UNKNOWN, UNCHECKED = "safe", "not safe", "unknown", "unchecked"
"""UNCHECKED: what is looked at is Fundwatch and its machine alone, and no feed, broker or portfolio."""
TITLES = {
    SAFE: "Safe to trade",
    NOT_SAFE: "Not safe to trade",
    UNKNOWN: "Nobody knows whether it is safe",
    UNCHECKED: "Nothing of your trading is checked yet",
}
OF_SEEN = "of the portfolios that you may see"
STALE_AFTER_SECONDS = stale_after_seconds(INTERVAL_SECONDS)
BADGE_COUNTS_SECONDS = 12.0
"""For so long an answer of the badge counts (COUNTS_MS of assets/js/75-safe.js); it puts the banner anew as well."""
BANNER_STALE_SECONDS = STALE_AFTER_SECONDS + BADGE_COUNTS_SECONDS
"""Age beyond which the banner is stale: never while the badge, which may know better, still counts."""
MOST_REASONS = 4
"""Of the banner; the badge's list has more of them."""
MOST_LISTED = 60
OF_TRADING = (Checks.FEEDS, Checks.BROKER, Checks.POSITIONS, Checks.BOOKS, Checks.LIMITS)
STATES = {
    State.READY: Status.OK,
    State.NOT_READY: Status.CRITICAL,
    State.UNKNOWN: Status.UNKNOWN,
    State.NOT_WATCHED: Status.NOT_CONFIGURED,
}
_ORDER = (State.NOT_READY, State.UNKNOWN, State.READY, State.NOT_WATCHED)
SHOWN = {
    SAFE: Status.OK,
    NOT_SAFE: Status.CRITICAL,
    UNKNOWN: Status.CRITICAL,
    UNCHECKED: Status.NOT_CONFIGURED,
}
"""How the answer looks: what is not known is not safe, and looks it."""


def seen_own(stores: Stores, limits: Limits) -> dict[str, str]:
    """Return the names of the fund's own portfolios that may be seen by id. Raises StorageUnavailable."""
    return {each.id: each.name for each in seen(list_portfolios(stores.state, OWN), limits)}


def seen_readiness(stores: Stores, now: float, limits: Limits) -> tuple[Readiness, dict[str, str]]:
    """Return whether trading may go on as somebody with these limits may be told, and the names of portfolios by id.

    Without the state database it is not known.
    """
    found = readiness_of(stores, now)
    try:
        names = seen_own(stores, limits)
    except StorageError as error:
        problem = problem_of(error)
        lost = replace(found.whole, is_safe=False, reasons=[problem])
        nothing = replace(found, whole=lost, portfolios={}, checks=(), halts=(), unknown=problem)
        return replace(nothing, is_limited=limits is not None), {}
    return (found if limits is None else found.only(names)), names


def word_of(found: Readiness) -> str:
    """Return the answer in a word: safe, not safe, unchecked, unknown."""
    if found.unknown:
        return UNKNOWN
    if not found.whole.is_safe:
        return NOT_SAFE
    return SAFE if _watches_trading(found.checks_of(EVERY_PORTFOLIO)) else UNCHECKED


def counted(answer: PortfolioReadiness) -> str:
    """Return how many of the checks that are watched are ready: "7 checks" where all are, else "6 of 7 checks"."""
    if answer.ready == answer.watched:
        return count(answer.watched, "check")
    return f"{answer.ready} of {count(answer.watched, 'check')}"


def sentence_of(answer: PortfolioReadiness, checks: Sequence[ReadinessCheck]) -> str:
    """Return by how many checks it is safe or is not: "by 6 checks, 5 more are not watched"; of what alone."""
    kinds = {each.check for each in checks}
    if not kinds:
        return ""
    if answer.is_safe and not _watches_trading(checks):
        return f"{count(answer.ready, 'check')} of Fundwatch and its machine alone"
    unwatched = len(kinds) - answer.watched
    rest = f", {unwatched} more {'is' if unwatched == 1 else 'are'} not watched" if unwatched > 0 else ""
    return f"by {counted(answer)}{rest}" if answer.is_safe else f"{counted(answer)} ready{rest}"


def title_of(found: Readiness) -> str:
    """Return the answer as a sentence, with what it is of where that is not the whole fund."""
    title = TITLES[word_of(found)]
    return f"{title}, {OF_SEEN}" if found.is_limited else title


def banner(found: Readiness, names: Mapping[str, str]) -> html.Div:
    """Return the banner; names: of portfolios by id."""
    word = word_of(found)
    status = SHOWN[word]
    checks = found.checks_of(EVERY_PORTFOLIO)
    failing = [each for each in checks if each.state in (State.NOT_READY, State.UNKNOWN)]
    told = sentence_of(found.whole, checks)
    badge = state_badge(status, title_of(found))
    said: list[Any] = [
        f"{told} · " if told else "",
        age(found.read_at, BANNER_STALE_SECONDS, prefix="checked ") if found.read_at else "never checked",
    ]
    return html.Div(
        [
            html.Div([badge, html.P(said, className="fw-verdict-text")], className="fw-safe-head"),
            _how_to_check() if word == UNCHECKED else _reasons(found, failing, names),
        ],
        className=f"fw-verdict fw-safe fw-level-{status.value}",
        role="status",
        **attributes(data_trading=word),
    )


def _how_to_check() -> html.P:
    return html.P(
        [
            html.A("Import a portfolio", href="/import"),
            ", or name your feeds and brokers under watch in fundwatch.yaml: ",
            html.A("Services", href="/services"),
            " says how.",
        ],
        className="fw-verdict-text",
    )


def _watches_trading(checks: Sequence[ReadinessCheck]) -> bool:
    """Return whether a feed, a broker or a portfolio is watched, and not Fundwatch and its machine alone."""
    return any(each.check in OF_TRADING and each.state != State.NOT_WATCHED for each in checks)


def _reasons(found: Readiness, failing: Sequence[ReadinessCheck], names: Mapping[str, str]) -> html.Ul | None:
    if word_of(found) == SAFE:
        return None
    said = [_reason(each, names) for each in _sorted(failing)]
    known = {each.why for each in failing}
    said += [html.Li(why) for why in found.whole.reasons if not any(why in told or told in why for told in known)]
    more = len(said) - MOST_REASONS
    rest = [html.Li(f"and {count(more, 'reason')} more", className="fw-muted")] if more > 0 else []
    return html.Ul([*said[:MOST_REASONS], *rest], className="fw-safe-reasons") if said else None


def _reason(check: ReadinessCheck, names: Mapping[str, str]) -> html.Li:
    parts: list[Any] = [
        html.A(_title(check, names), href=check.where or "/overview"),
        f": {after_title(check.title, check.why)} ",
    ]
    if check.read_at is not None:
        parts.append(age(check.read_at))
    return html.Li(parts)


def _title(check: ReadinessCheck, names: Mapping[str, str]) -> str:
    of = "" if check.portfolio == EVERY_PORTFOLIO else f" ({names.get(check.portfolio, check.portfolio)})"
    return f"{check.title}{of}"


def _sorted(checks: Sequence[ReadinessCheck]) -> list[ReadinessCheck]:
    """Return the checks, those that are not ready first."""
    return sorted(checks, key=lambda each: _ORDER.index(State(each.state)))


def badge_answer(found: Readiness, names: Mapping[str, str]) -> Answer:
    """Return what every page shows: the badge's state and word, and as HTML the list of checks and two banners.

    One says whether it is safe, the other who halted trading. assets/js/75-safe.js asks for it.
    """
    word = word_of(found)
    told = {
        "word": word,
        "status": SHOWN[word].value,
        "scope": "yours" if found.is_limited else "",
        "title": title_of(found),
        "count": _count(found.whole) if word != UNCHECKED else "",
        "list": markup(check_list(found, names)),
        "banner": markup(banner(found, names)),
        # None: not known now, and the page keeps what it says.
        "halted": markup(halts_banner(found.halts, names)) if found.halts else None if found.unknown else "",
    }
    return Answer(orjson.dumps(told), JSON)


def _count(whole: PortfolioReadiness) -> str:
    """Return what stands beside the word: "6 of 7 checks" are ready, or that all are and only have to stay so."""
    if not whole.watched:
        return ""
    return "yet" if whole.ready == whole.watched and not whole.is_safe else counted(whole)


def check_list(found: Readiness, names: Mapping[str, str]) -> html.Div:
    """Return every check that counts with its state, reason and age; what is ready of portfolios in a line a kind."""
    checks = found.checks_of(EVERY_PORTFOLIO)
    single, together = [], Counter[str]()
    for each in checks:
        if each.portfolio != EVERY_PORTFOLIO and each.state in (State.READY, State.NOT_WATCHED):
            together[each.title] += each.state == State.READY
        else:
            single.append(each)
    rows = [
        html.Li(
            [
                state_badge(STATES[State(each.state)], each.state),
                html.A(_title(each, names), href=each.where or "/overview"),
                html.Span(each.why, className="fw-safe-why"),
                age(each.read_at) if each.read_at is not None else None,
            ],
            **attributes(data_state=each.state),
        )
        for each in _sorted(single)[:MOST_LISTED]
    ]
    rows += [
        html.Li(
            [
                state_badge(STATES[State.READY], State.READY.value),
                f"{title}, by portfolio",
                html.Span(count(ready, "portfolio")),
            ],
            **attributes(data_state=State.READY.value),
        )
        for title, ready in together.items()
        if ready
    ]
    more = len(single) - MOST_LISTED
    rows += [html.Li(f"and {count(more, 'check')} more")] if more > 0 else []
    return html.Div(
        [
            html.P([html.Strong(title_of(found)), f" {sentence_of(found.whole, checks)}"]),
            *([html.P(found.unknown)] if found.unknown else []),
            html.Ul(rows, className="fw-safe-checks") if rows else None,
            html.P([html.A("Overview", href="/overview"), " · ", html.A("Halt or resume trading", href=READINESS)]),
        ]
    )


def check_table(checks: Sequence[ReadinessCheck], names: Mapping[str, str]) -> html.Div:
    """Return a row for each of the checks, those that are not ready first."""
    rows = [
        {
            "state": Cell(state_badge(STATES[State(each.state)], each.state), sort=float(at)),
            "check": html.A(each.title, href=each.where or "/overview"),
            "portfolio": names.get(each.portfolio, each.portfolio) or Cell("the whole fund", tone="muted"),
            "why": whole_cell(each.why),
            "since": Cell(local_time(each.since), sort=each.since),
            "age": Cell(age(each.read_at), sort=each.read_at) if each.read_at is not None else None,
        }
        for at, each in enumerate(_sorted(checks))
    ]
    return data_table(ROWS, COLUMNS, rows, caption="Checks", nothing="No check is known.")
