"""The section of HTTP addresses: status, response time, certificate."""

from __future__ import annotations

from core.kinds.http import spec
from core.kinds.service_spec import Actions
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("response", "HTTP, response time", "", {spec.RESPONSE: ""},
          "From name look-up to the last byte, redirects included; a new connection for each check."),
    Chart("status", "HTTP, status", "", {spec.STATUS_CODE: ""},
          "Status of the last answer, good or not; gaps are checks without an answer."),
    Chart("certificate", "Certificate, time left", "", {spec.CERTIFICATE_LEFT: ""},
          "From now to the first end (notAfter) of the certificates that the servers on the way showed. The lines are "
          "the settings certificate_warning_days and certificate_critical_days, where all addresses have the same.",
          limit_of=lambda source: source.certificate_limit),
)  # fmt: skip

SECTION = Section(
    kind="http",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    actions=tuple(Actions),
)
