"""Messages: what was told of alerts, to whom, and what became of it; the channels, and trying one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.viewer import Viewer
from core.alerts.channel_set import ChannelSet
from core.alerts.spec import ALERTS
from core.format import count
from core.roles import Role
from dashboard.access.common import told_zone
from dashboard.alerts.channel_forms import EXPORT_PATH, edit_address, export_link, forms
from dashboard.alerts.channels import channels_table, read_delivered
from dashboard.alerts.known import know
from dashboard.alerts.messages import ID, PATH, messages_table, seen
from dashboard.alerts.parts import ANY, PAGE_ROWS, chosen_or_any, page_of, turning
from dashboard.alerts.rule_forms import link
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.choices import choice_bar, choice_select
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.route import Answer, Route
from dashboard.views.tab import Choices, Page, View
from portfolio.channel_set import channel_set
from portfolio.own_channels import exported
from status.freshness import next_stale_at
from storage.state.alert_log import WantedMessages, read_messages
from storage.state.alerts import MessageStatus

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT, ZONE, TURNING = f"{ID}-verdict", f"{ID}-zone", f"{ID}-turning"
ALL = Panel(
    f"{ID}-all",
    "Messages",
    "What was told, newest first. A message is written down with what it tells, and sent from there: tried again until "
    "it arrives or is given up; then its fallback is told.",
    TableBody(400),
    subtitle_slot=ZONE,
    controls_slot=TURNING,
)
CHANNELS = Panel(
    f"{ID}-channels",
    "Channels",
    "Ways in which alerts reach people: those of fundwatch.yaml, and those that were made here (docs/channels.md).",
    TableBody(90),
    controls_slot=f"{ID}-channels-does",
)
WORDS = {
    MessageStatus.QUEUED: "waiting", MessageStatus.RETRYING: "being tried", MessageStatus.SENT: "sent",
    MessageStatus.FAILED: "failed", MessageStatus.SUPPRESSED: "muted or held back",
    MessageStatus.MERGED: "told by a later one",
}  # fmt: skip


def layout(stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    names = [ANY, *((each, each) for each in channel_set(stores).every())]
    states = [ANY, *((each.value, word) for each, word in WORDS.items())]
    bar = choice_bar(
        choice_select(ID, "to", names, choices, default="any", label="To"),
        choice_select(ID, "state", states, choices, default="any", label="State"),
    )
    content = [verdict_slot(VERDICT), panels(CHANNELS.element(), ALL.element())]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return a page of messages, and the channels."""
    known = know(stores, viewer.portfolios)
    channels = channel_set(stores)
    wanted = WantedMessages(*(chosen_or_any(choices, name) for name in ("to", "state")))
    page = page_of(choices.get("page", ""))
    with stores.state.reading() as connection:
        found = read_messages(connection, wanted, PAGE_ROWS + 1, page * PAGE_ROWS)
        delivered = read_delivered(connection, channels, known.now)
    shown = seen(found[:PAGE_ROWS], known.sight)
    return View(
        slots={
            VERDICT: alerts_verdict(known),
            ZONE: told_zone("newest first", known.now),
            TURNING: turning(ID, count(len(shown), "message"), page, has_older=len(found) > PAGE_ROWS),
            ALL.slot: messages_table(shown, known.sight),
            f"{ID}-channels-does": [
                link("Add a channel", edit_address(), "Make a channel: it is told of alerts within seconds"),
                export_link(),
            ],
            CHANNELS.slot: [*_problem(channels), channels_table(channels, delivered, known.sight)],
        },
        notes={ALL.id: "", CHANNELS.id: ""},
        stale_at=next_stale_at([known.reading], known.now),
    )


def _problem(channels: ChannelSet) -> list[html.P]:
    return [html.P(f"✕ {channels.problem}", className="fw-tone-critical", role="alert")] if channels.problem else []


def _routes(stores: Stores) -> list[Route]:
    """Return the file of channels."""

    def export(_choices: Choices, viewer: Viewer) -> Answer | None:
        if viewer.portfolios is not None:
            return None  # whom they tell of what may name any portfolio
        return Answer(exported(channel_set(stores)), YAML, "channels.yaml")

    return [Route(EXPORT_PATH, export, Role.ADMIN)]


YAML = "application/yaml"
PAGE = Page(
    id=ID,
    title="Messages",
    path=PATH,
    parent="alerts",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=(CHANNELS, ALL),
    slots=(VERDICT, ZONE, TURNING, ALL.slot, f"{ID}-channels-does", CHANNELS.slot),
    routes=_routes,
    forms=forms,
)
