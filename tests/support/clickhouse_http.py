"""A ClickHouse server for tests: the real engine behind the HTTP interface that clickhouse-connect speaks.

Only this process may hold the engine's folder, so run it in a process of its own:
`python -m tests.support.clickhouse_http FOLDER PORT`.
"""

from __future__ import annotations

import re
import sys
from socketserver import ThreadingMixIn
from threading import local
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from clickhouse_connect.driver._backend.chdb_backend import _decompress
from clickhouse_connect.driver._backend.models import QueryRuntime

INSERT = re.compile(rb"\s*INSERT INTO (?P<table>\S+) \((?P<columns>[^)]*)\) FORMAT (?P<format>\w+)[ \t]*\n")
FORMAT = re.compile(r"\bFORMAT\s+\w+\s*$", re.IGNORECASE)
TRANSPORT = {
    "database",
    "query",
    "compress",
    "decompress",
    "enable_http_compression",
    "session_id",
    "wait_end_of_query",
}
TRANSPORT |= {"client_protocol_version", "send_progress_in_http_headers", "http_headers_progress_interval_ms"}


class Engine:
    """One handle of the engine for each serving thread."""

    def __init__(self, folder: str) -> None:
        self._url = f"chdb://{folder}"
        self._local = local()
        self._keep = self._open()

    def _open(self) -> Any:
        import clickhouse_connect

        return clickhouse_connect.get_client(dsn=self._url)

    @property
    def client(self) -> Any:
        if not hasattr(self._local, "client"):
            self._local.client = self._open()
        return self._local.client


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a test reads standard output."""


def application(engine: Engine) -> Any:
    """Return the WSGI application round the engine."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/ping":
            start_response("200 OK", [("Content-Length", "4")])
            return [b"Ok.\n"]
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"], keep_blank_values=True).items()}
        body = read_body(environ)
        encoding = environ.get("HTTP_CONTENT_ENCODING", "")
        try:
            payload = execute(engine.client, query, body, encoding)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client must hear it
            text = str(error).encode()
            code = str(getattr(error, "code", None) or 1000)
            start_response("500 Error", [("Content-Length", str(len(text))), ("X-ClickHouse-Exception-Code", code)])
            return [text]
        headers = [("Content-Length", str(len(payload))), ("X-ClickHouse-Server-Display-Name", "tests")]
        start_response("200 OK", [*headers, ("X-ClickHouse-Summary", "{}")])
        return [payload]

    return answer


def read_body(environ: dict[str, Any]) -> bytes:
    """Return the request's body, by its length or chunk by chunk."""
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() != "chunked":
        return bytes(stream.read(int(environ.get("CONTENT_LENGTH") or 0)))
    chunks = []
    while size := int(stream.readline().split(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


def execute(client: Any, query: dict[str, str], body: bytes, encoding: str) -> bytes:
    """Run one request and return the bytes of its answer."""
    parameters = {name: value for name, value in query.items() if name.startswith("param_")}
    settings = {k: v for k, v in query.items() if k not in TRANSPORT and k not in parameters}
    runtime = QueryRuntime(database=query.get("database") or None, settings=settings, retryable=False)
    body = _decompress(body, encoding) if encoding else body
    insert = INSERT.match(body)
    if insert:
        table, columns = insert["table"].decode(), [name.strip(" `") for name in insert["columns"].decode().split(",")]
        client._backend.execute_raw_insert(
            table, columns, body[insert.end() :], insert["format"].decode(), None, runtime, None
        )
        return b""
    sql = query.get("query") or body.decode()
    if "query" in query or not FORMAT.search(sql):
        sql = with_format(sql)
    return bytes(client._backend.execute_raw_query(sql, parameters, None, runtime, None))


def with_format(sql: str) -> str:
    """Return the statement with the format that HTTP answers in when none is named."""
    is_read = sql.lstrip().upper().startswith(("SELECT", "WITH", "SHOW", "DESCRIBE", "EXISTS", "EXPLAIN"))
    return f"{sql}\n FORMAT TabSeparated" if is_read and not FORMAT.search(sql) else sql


if __name__ == "__main__":
    with make_server(
        "127.0.0.1", int(sys.argv[2]), application(Engine(sys.argv[1])), server_class=Server, handler_class=Handler
    ) as server:
        print("ready", flush=True)
        server.serve_forever()
