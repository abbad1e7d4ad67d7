"""A small server that speaks the documented JSON of RabbitMQ's management API, in whatever state a test wants."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

NODE: dict[str, Any] = {
    "name": "rabbit@a", "type": "disc", "running": True, "mem_used": 138_285_056, "mem_limit": 10_110_600_806,
    "mem_alarm": False, "disk_free": 77_343_653_888, "disk_free_limit": 50_000_000, "disk_free_alarm": False,
    "fd_used": 40, "fd_total": 1_024, "sockets_used": 3, "sockets_total": 832, "proc_used": 356,
    "proc_total": 1_048_576, "run_queue": 1, "uptime": 105_173, "partitions": [],
}  # fmt: skip
QUEUE: dict[str, Any] = {
    "name": "orders", "vhost": "/", "type": "classic", "state": "running", "node": "rabbit@a", "messages": 0,
    "messages_ready": 0, "messages_unacknowledged": 0, "consumers": 2, "consumer_utilisation": 1.0, "memory": 16_320,
    "head_message_timestamp": None, "policy": None, "message_stats": {"publish_details": {"rate": 3.0}},
}  # fmt: skip


class RabbitmqApi:
    """Answers what `nodes`, `queues`, `vhosts` and `overview` hold; user and password as RabbitMQ has them at first."""

    def __init__(self) -> None:
        self.version = "4.1.0"
        self.nodes: list[dict[str, Any]] = [dict(NODE)]
        self.queues: list[dict[str, Any]] = [dict(QUEUE)]
        self.vhosts: list[dict[str, Any]] = [{"name": "/", "cluster_state": {"rabbit@a": "running"}}]
        self.message_stats: dict[str, Any] = {}
        self.statuses: dict[str, tuple[int, str]] = {}
        """By path: a status and reason instead."""
        self.paths: list[str] = []
        self.connections = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])
        self.url = f"http://guest:guest@127.0.0.1:{self.port}"

    def __enter__(self) -> RabbitmqApi:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, login: str) -> tuple[int, Any]:
        """Return status and content."""
        self.paths.append(path)
        if login != "Basic " + base64.b64encode(b"guest:guest").decode():
            return 401, {"error": "not_authorized", "reason": "Login failed"}
        if path in self.statuses:
            status, reason = self.statuses[path]
            return status, {"error": "not_authorised", "reason": reason}
        ready = sum(each.get("messages_ready") or 0 for each in self.queues)
        contents = {
            "/api/overview": {
                "rabbitmq_version": self.version, "erlang_version": "27.1", "cluster_name": "fund", "node": "rabbit@a",
                "rates_mode": "basic", "message_stats": self.message_stats,
                "queue_totals": {"messages_ready": ready, "messages_unacknowledged": 0},
                "object_totals": {"connections": 3, "channels": 4, "consumers": 2, "queues": len(self.queues)},
            },
            "/api/nodes": self.nodes,
            "/api/queues": {"items": self.queues, "total_count": len(self.queues)},
            "/api/vhosts": self.vhosts,
        }  # fmt: skip
        return (200, contents[path]) if path in contents else (404, {"error": "Object Not Found"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                api.connections += 1
                super().setup()

            def do_GET(self) -> None:
                status, content = api.answer(urlsplit(self.path).path, self.headers.get("Authorization", ""))
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler
