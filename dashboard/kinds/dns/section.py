"""The section of names in the DNS: response time, how long answers may be kept, what they are."""

from __future__ import annotations

from core.format import coarse_duration, duration
from core.kinds.dns import spec
from core.kinds.service_spec import Actions
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.table import Field, Rows, words

CHARTS = (
    Chart("response", "DNS, response time", "", {spec.RESPONSE: ""},
          "From the question to the answer, of the server itself: no cache of this machine is asked."),
    Chart("ttl", "DNS, time to live", "lowest of an answer", {spec.TTL: ""},
          "How long the answer may be kept; of a server that asks others it counts down from the zone's own."),
    Chart("unchanged", "DNS, answers unchanged", "", {spec.UNCHANGED: ""},
          "Time since the answers became others than before; since the first one seen, where they never did. A "
          f"change is a warning for {coarse_duration(spec.CHANGED.warning)}, unless may_change or expects is set."),
)  # fmt: skip


def _way(row: spec.Answer) -> str:
    return "muted" if not row.is_asked else ""


ANSWERS = Rows(
    spec.Answer,
    (
        words("domain", "Name"),
        words("record", "Type", "Muted: on the way to what was asked for", _way),
        words("value", "Value"),
        Field("ttl_seconds", "TTL", duration, "How long it may still be kept"),
        words("server", "Server"),
        words("protocol", "By"),
    ),
    nothing="No answer yet.",
)

SECTION = Section(
    kind="dns",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    tables=(
        TablePanel("answers", "Answers", "of the newest check", 12, "the answer section of the server's reply.",
                   ANSWERS, is_filtered=True),
    ),
    actions=tuple(Actions),
)  # fmt: skip
