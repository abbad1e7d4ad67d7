"""What is measured of an HTTP address."""

from __future__ import annotations

from core.kinds.service_spec import failed_tries, response_seconds
from core.metrics import Metric

RESPONSE = response_seconds("http")
FAILED_TRIES = failed_tries("http")
STATUS_CODE = Metric("http_status_code", "Status of the answer.")
BODY = Metric("http_body_bytes", "Bytes of the answer that were read.")
CERTIFICATE_LEFT = Metric("http_certificate_seconds", "Time left until the first certificate of the chain ends.")
