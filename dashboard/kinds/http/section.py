"""HTTP addresses on the Services tab: status, time to answer, certificate."""

from __future__ import annotations

from core.limits import Limit
from dashboard.services.cards import no_cards
from dashboard.services.tables import ACTIONS
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

DAY = 86_400.0

CHARTS = (
    Chart("response", "HTTP, time to answer", "", {"http_response_seconds": ""},
          "From the look-up of the name to the last byte, redirects followed, once an interval on a new connection."),
    Chart("status", "HTTP status", "", {"http_status_code": ""},
          "Status of the last answer of a check that succeeded; gaps are checks that failed."),
    Chart("certificate", "Certificate, time left", "", {"http_certificate_seconds": ""},
          "From now to the end (notAfter) of the certificate that the server showed.",
          limit=Limit(14 * DAY)),
)  # fmt: skip

SECTION = Section(
    kind="http",
    charts=CHARTS,
    cards=no_cards,
    actions=ACTIONS,
)  # fmt: skip
