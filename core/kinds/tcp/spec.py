"""What is measured of a TCP port."""

from __future__ import annotations

from core.kinds.service_spec import failed_tries, response_seconds
from core.metrics import Metric

RESPONSE = response_seconds("tcp")
FAILED_TRIES = failed_tries("tcp")
CERTIFICATE_LEFT = Metric("tcp_certificate_seconds", "Time left until the first certificate of the chain ends.")
