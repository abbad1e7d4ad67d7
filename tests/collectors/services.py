"""Services to check: collectors of each kind as tests make them, and an HTTP server whose answers a test gives."""

from __future__ import annotations

import http.server
import threading
import time
from functools import partial
from typing import Any

from pydantic import SecretStr

from collectors.kinds.http import collector as http_kind
from collectors.kinds.nginx.collector import NginxProbe
from collectors.kinds.scrape.collector import ScrapeProbe
from collectors.kinds.service import ServiceCollector
from collectors.kinds.tcp import collector as tcp_kind
from core.errors import SourceUnavailable
from core.kinds.http.source import HttpSource
from core.kinds.nginx.source import NginxSource
from core.kinds.scrape.source import ScrapeSource
from core.kinds.tcp.source import TcpSource
from core.model import Reading, Status

SHORT = {"timeout_seconds": 0.5, "retries": 0}
Answers = dict[str, tuple[int, dict[str, str], bytes]]


class Site:
    """A real HTTP server whose answers a test gives by path."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                return

            def do_GET(self) -> None:
                site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = site.answers.get(self.path, (404, {}, b"no"))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Raising:
    """A service's collector as the others are: what it finds down it raises."""

    def __init__(self, collector: ServiceCollector) -> None:
        self.name, self.interval_seconds = collector.name, collector.interval_seconds
        self.timeout_seconds = collector.timeout_seconds
        self._collector = collector

    def collect(self, now: float) -> Reading:
        reading = self._collector.collect(now)
        if reading.components[0].status is Status.DOWN:
            assert reading.is_up is False
            raise SourceUnavailable(reading.components[0].why)
        return reading


def of_http(url: str, **given: Any) -> ServiceCollector:
    source = HttpSource(name="web", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, partial(http_kind.probe, source))


def of_tcp(port: int, **given: Any) -> ServiceCollector:
    source = TcpSource(name="web", host="127.0.0.1", port=port, **{**SHORT, **given})
    return ServiceCollector(source, partial(tcp_kind.probe, source))


def of_scrape(url: str, **given: Any) -> ServiceCollector:
    source = ScrapeSource(name="oms", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, ScrapeProbe(source))


def of_nginx(url: str, **given: Any) -> ServiceCollector:
    source = NginxSource(name="front", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, NginxProbe(source))


def told(collector: ServiceCollector, now: float | None = None) -> tuple[Status, str]:
    part = collector.collect(time.time() if now is None else now).components[0]
    return part.status, part.why


def values(reading: Reading) -> dict[str, float]:
    return {sample.metric: sample.value for sample in reading.samples}
