"""The top of a tab of watched sources: one line, the cards, and what is not configured, folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, cut
from core.kinds.registry import KINDS, title_of
from core.model import SEVERITY, Status, worst
from dashboard.components.age import age
from dashboard.components.attributes import attributes
from dashboard.components.card import card, state_badge, verdict
from dashboard.sources.asking import try_now
from status.freshness import reading_stale_after_seconds
from status.instances import Instance, newest, slowest_stale_after_seconds, worst_first
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.sources import SourceSeries

MOST_TROUBLES = 3
MOST_REASONS = 3
MOST_CARDS = 12
ROW_TILES, MOST_SERVER_ROWS = 9, 6
"""Tiles beside the card of each of several servers, and how many servers have them: one line each on a wide screen."""
LONGEST_WHY = 72
SPARK_POINTS = 45


def source_verdict(found: Sequence[Instance], only: Instance | None = None) -> html.Div:
    """Return how the sources are in one line: the worst first in words, or that all is fine.

    only: the one that is shown, of several: the line is about it, and names what is in trouble elsewhere.
    """
    if not found:
        return verdict(Status.NOT_CONFIGURED, "Nothing is watched here yet. Below: how to switch it on.")
    if only is not None and len(found) > 1:
        return _verdict_of_one(only, [each for each in found if each.collector != only.collector])
    told = age(newest(found), slowest_stale_after_seconds(found), prefix="newest reading ")
    paused = sum(each.status is Status.NOT_CONFIGURED for each in found)
    resting = f"{paused} paused. " if paused else ""
    troubled = [each for each in worst_first(found) if SEVERITY[each.status]]
    if not troubled:
        count = f"All {len(found)} fine" if len(found) > 1 else f"{found[0].title} is fine"
        if paused:
            count = f"{len(found) - paused} fine, {paused} paused"
        return verdict(Status.OK, [f"{count} · ", told])
    sentence: list[Any] = []
    for each in troubled[:MOST_TROUBLES]:
        sentence += [html.Strong(each.title), f": {_first_reasons(each.component.causes)}. "]
    hidden, fine = len(troubled) - MOST_TROUBLES, len(found) - len(troubled) - paused
    more = [f"{hidden} more in trouble. "] if hidden > 0 else []
    return verdict(
        worst([each.status for each in troubled]),
        [*sentence, *more, f"{fine} fine. " if fine else "", resting, "· ", told],
    )


def kinds_line(tab: str, kinds: Sequence[str], shown: Sequence[Instance]) -> html.Nav | None:
    """Return a link to the section of each kind that is shown, with how many of it are in trouble; None for one."""
    links = []
    for kind in kinds:
        of_kind = [each for each in shown if each.kind == kind]
        if not of_kind:
            continue
        troubled = sum(bool(SEVERITY[each.status]) for each in of_kind)
        told = f"{troubled} of {len(of_kind)}" if troubled else str(len(of_kind))
        href = f"#{tab}-{kind}-section"
        title = f"{troubled} of {len(of_kind)} in trouble. Leads to the section."
        badge = state_badge(worst([each.status for each in of_kind]), told)
        links.append(html.A([title_of(kind), " ", badge], href=href, title=title))
    return html.Nav(links, className="fw-kinds", **attributes(aria_label="Sections")) if len(links) > 1 else None


def _first_reasons(reasons: Sequence[str]) -> str:
    """Return the gravest of what is wrong with one of several; all of it stands above the one that is shown alone."""
    hidden = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS]) + (f"; {hidden} more" if hidden > 0 else "")


def _verdict_of_one(only: Instance, others: Sequence[Instance]) -> html.Div:
    troubled = [each.title for each in worst_first(others) if SEVERITY[each.status]]
    named = ", ".join(troubled[:MOST_TROUBLES])
    hidden = len(troubled) - MOST_TROUBLES
    more = f" and {hidden} more" if hidden > 0 else ""
    told = age(newest([only]), reading_stale_after_seconds(only.reading), prefix="newest reading ")
    parts: list[Any] = [html.Strong(only.title), f": {only.component.why}. "]
    return verdict(only.status, [*parts, f"In trouble elsewhere: {named}{more}. " if troubled else "", "· ", told])


@dataclass(frozen=True, slots=True)
class Tile:
    """The card of one thing about a source, and how that thing is."""

    state: Status
    card: html.Article


@dataclass(frozen=True, slots=True)
class ServerRow:
    """The cards of one source: its own, then those of what it consists of."""

    state: Status
    cards: tuple[html.Article, ...]


def strip(
    chosen: Sequence[Instance],
    series: SourceSeries,
    make: Callable[[Instance, SourceSeries], Any],
    details: Callable[[Instance, SourceSeries], Sequence[Tile]],
) -> list[ServerRow]:
    """Return a row of cards for each instance, those in trouble first; all its cards for one that is alone.

    Of what is not known now there is one card, which says so: all others would say it again.
    """
    rows = []
    for place, each in enumerate(worst_first(chosen)):
        tiles = list(details(each, series))
        if len(chosen) > 1:
            tiles.sort(key=lambda tile: -SEVERITY[tile.state])
        shown = tiles[: tile_count(each, len(chosen), place, len(tiles))]
        rows.append(ServerRow(each.status, (make(each, series), *(tile.card for tile in shown))))
    return rows


def tile_count(instance: Instance, servers: int, place: int, tiles: int) -> int:
    """Return how many of its tiles the instance at a place in the order of trouble shows beside its card."""
    if not instance.is_known or place >= MOST_SERVER_ROWS:
        return 0
    return tiles if servers == 1 else min(tiles, ROW_TILES)


def first_cards(chosen: Sequence[Instance], make: Callable[[Instance], Any], what: str, panel: str) -> list[Any]:
    """Return the cards of those in most trouble, and one that tells how the others are and leads to their table.

    what: what they are called, in the plural. panel: id of the panel with the table that has all of them.
    """
    ordered = worst_first(chosen)
    # A card that tells of one more would take the place of that one.
    shown = ordered if len(ordered) <= MOST_CARDS + 1 else ordered[:MOST_CARDS]
    left = ordered[len(shown) :]
    return [*map(make, shown), *([_more_card(left, what, panel)] if left else [])]


def _more_card(left: Sequence[Instance], what: str, panel: str) -> html.A:
    troubled = [each.status for each in left if SEVERITY[each.status]]
    paused = sum(each.status is Status.NOT_CONFIGURED for each in left)
    told = f"{len(troubled)} of them in trouble" if troubled else f"{paused} of them paused" if paused else "all fine"
    status = worst(troubled) if troubled else Status.OK
    badge = [state_badge(status, f"{len(troubled)} in trouble")] if troubled else []
    return html.A(
        [
            html.Div([html.Span(f"{len(left)} more {what}"), *badge], className="fw-card-head"),
            html.Span(f"in the table below, {told}", className="fw-card-why"),
        ],
        href=f"#{panel}",
        className=f"fw-card fw-more-card fw-level-{status.value}",
    )


def source_card(
    instance: Instance,
    value: str,
    unit: str = "",
    *,
    bar_ratio: float | None = None,
    spark: SeriesData | None = None,
    definition: str = "",
) -> html.Article:
    """Return the card of one source: its state, one headline figure, its bar and recent series, and why."""
    component = instance.component
    return card(
        f"card-{instance.kind}-{instance.name}",
        instance.title,
        value if value != NOT_AVAILABLE else "–",
        unit if value != NOT_AVAILABLE else "",
        state=component.status,
        why=on_card(component.why),
        bar_ratio=bar_ratio,
        spark=thinned(spark),
        as_of=instance.reading.ts if instance.reading else None,
        stale_after_seconds=reading_stale_after_seconds(instance.reading),
        definition=definition,
        act=try_now(instance),
    )


def on_card(why: str) -> str:
    """Return a reason short enough for a card; the line at the top says all of it."""
    return cut(why, LONGEST_WHY)


def detail_card(
    instance: Instance,
    check: str,
    title: str,
    value: str,
    unit: str = "",
    *,
    why: str = "",
    spark: SeriesData | None = None,
    definition: str = "",
) -> Tile:
    """Return the card of one thing about a source; state, bar and reason come from its check of that name.

    While nothing is known of the source the card says nothing but its past series: what was true then may not be now.

    check: empty for a figure that nothing judges. why: shown instead of the reason.
    """
    judged = instance.check(check) if check else None
    state = Status(judged.status) if judged else None if instance.is_known else Status.UNKNOWN
    value, why = (value, why or (judged.why if judged else "")) if instance.is_known else (NOT_AVAILABLE, "")
    made = card(
        f"card-{instance.kind}-{instance.name}-{title.lower().replace(' ', '-')}",
        title,
        value if value != NOT_AVAILABLE else "–",
        unit if value != NOT_AVAILABLE else "",
        state=state,
        why=on_card(why),
        bar_ratio=judged.share if judged else None,
        spark=thinned(spark),
        definition=definition,
    )
    return Tile(state or Status.OK, made)


def _lines(title: str, lines: Sequence[str]) -> html.Pre:
    """Return lines of settings; they scroll on a narrow screen, where a keyboard must reach them."""
    named = attributes(role="group", aria_label=f"{title}: lines of fundwatch.yaml")
    return html.Pre("\n".join(lines), className="fw-lines", tabIndex=0, **named)


def how_to_watch(kinds: Sequence[str], *, is_open: bool) -> html.Details:
    """Return what is not watched, folded, with the lines of settings that switch each on."""
    sources = [KINDS[kind].source for kind in kinds]
    parts = [html.Div([html.H3(each.TITLE), _lines(each.TITLE, each.EXAMPLE)], className="fw-how") for each in sources]
    names = ", ".join(each.TITLE for each in sources)
    where = "Add to fundwatch.yaml and press Reload on Pipeline (docs/settings.md has every key):"
    return html.Details(
        [html.Summary(f"Not configured: {names}"), html.P(where), html.Div(parts, className="fw-hows")],
        className="fw-unwatched",
        open=is_open,
    )


def thinned(data: SeriesData | None) -> list[float | None] | None:
    """Return at most SPARK_POINTS of the means, evenly chosen, the last among them; None without data."""
    if data is None or not data.mean:
        return None
    step = -(-len(data.mean) // SPARK_POINTS) or 1
    return [value if value is None else float(f"{value:.6g}") for value in data.mean[::-1][::step][::-1]]
