"""A TLS server with a certificate of its own (tests/support/tls), which answers whatever it is given to answer."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType

FOLDER = Path(__file__).parent / "tls"
CERTIFICATE = FOLDER / "certificate.pem"


class TlsServer:
    """Shakes hands, reads something, answers `answer`, and closes; shows the certificates of the file `certificate`."""

    def __init__(self, answer: bytes, certificate: Path = CERTIFICATE, key: Path = FOLDER / "key.pem") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context = context
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.host = "127.0.0.1"
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> TlsServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with connection, self._context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65_536)
                    secured.sendall(self._answer)
            except OSError:  # the other side spoke no TLS, or trusted us not
                continue
