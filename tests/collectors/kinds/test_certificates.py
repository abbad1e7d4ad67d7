"""Certificates of services: of a chain the one that ends first counts, and is named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.kinds.http.collector import probe as probe_http
from collectors.kinds.service import ServiceCollector
from collectors.kinds.tcp.collector import probe as probe_tcp
from core.kinds.http.source import HttpSource
from core.kinds.service_spec import About
from core.kinds.tcp.source import TcpSource
from core.model import Reading, Status
from core.tables import rows_of
from tests.support.chains import make_chain
from tests.support.tls_server import TlsServer

DAY = 86_400.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def read(kind: str, port: int, root: Path) -> Reading:
    ca_file = str(root)
    if kind == "http":
        http = HttpSource(name="main", url=SecretStr(f"https://localhost:{port}/"), ca_file=ca_file)
        return ServiceCollector(http, lambda deadline, now: probe_http(http, deadline, now)).collect(time.time())
    tcp = TcpSource(name="main", host="127.0.0.1", port=port, tls=True, ca_file=ca_file)
    return ServiceCollector(tcp, lambda deadline, now: probe_tcp(tcp, deadline, now)).collect(time.time())


@pytest.mark.parametrize("kind", ["http", "tcp"])
@pytest.mark.parametrize(
    ("leaf_days", "between_days", "status", "ends_days", "name", "why"),
    [
        (356, 6.51, Status.WARNING, 6.51, "Fund Intermediate CA",
         "a certificate of its chain expires in"),
        (356, 2.51, Status.CRITICAL, 2.51, "Fund Intermediate CA",
         "a certificate of its chain expires in"),
        (6.51, 356, Status.WARNING, 6.51, "orders.fund.example",
         "its certificate expires in"),
        (90, 356, Status.OK, 90, "orders.fund.example", ""),
    ],
)  # fmt: skip
def test_the_first_to_end_of_the_chain_is_judged_and_named(
    tmp_path: Path, kind: str, leaf_days: float, between_days: float, status: Status, ends_days: float, name: str,
    why: str,
) -> None:  # fmt: skip
    chain = make_chain(tmp_path, leaf_days, between_days)
    with TlsServer(OK, chain.shown, chain.key) as server:
        reading = read(kind, server.port, chain.root)
    component = reading.components[0]
    left = {sample.metric: sample.value for sample in reading.samples}[f"{kind}_certificate_seconds"]
    (about,) = rows_of({table.name: table for table in reading.tables}, About)
    assert component.status is status
    assert not why or (component.why.startswith(why) and component.why.endswith(f" ({name})"))
    assert left == pytest.approx(ends_days * DAY, abs=120)
    assert about.certificate == name
    assert about.certificate_ends == pytest.approx(time.time() + left, abs=60)
