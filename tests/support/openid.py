"""A small OpenID provider: discovery, authorize, token, keys and logout, with real RS256 signatures over HTTP."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "fundwatch", "between us two"
Claims = dict[str, Any]


@dataclass
class OpenIdProvider:
    """Runs in a `with` block. Its person, what it says of it, and how it lies, can be changed while it runs."""

    now: Callable[[], float] = time.time
    person: Claims = field(default_factory=lambda: {"sub": "1", "preferred_username": "ana", "groups": ["funds"]})
    lie: Callable[[Claims], Claims] = lambda claims: claims
    """What becomes of the claims before they are signed."""
    forge: Callable[[str], str] = lambda token: token
    """What becomes of the token after that."""
    is_away: bool = False
    slow_seconds: float = 0.0
    """How long it takes for each answer."""
    odd_keys: list[Any] = field(default_factory=list)
    """That stand before its own ones."""
    moved: dict[str, str] = field(default_factory=dict)
    """Paths that lead elsewhere."""
    logouts: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Paths."""

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> OpenIdProvider:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return what Fundwatch is told of it."""
        roles = {"funds": "viewer", "desk": "operator", "root": "admin"}
        told = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET, "roles": roles}
        return {**told, "label": "Sign in at the bank", **more}

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})

    def consent(self, address: str) -> str:
        """Return where a browser is sent back to that opened `address` and went on."""
        page = requests.get(address, timeout=5)
        assert page.status_code == 200, page.text
        found = re.search(r'href="([^"]+)"', page.text)
        assert found, page.text
        answer = requests.get(self.issuer + html.unescape(found[1]), allow_redirects=False, timeout=5)
        return answer.headers["Location"]

    def answer(self, path: str, query: dict[str, str], form: dict[str, str], auth: str) -> tuple[int, Any]:
        """Return status and what is answered: an object as JSON, a text beginning with / or http as a redirect."""
        self.asked.append(path)
        time.sleep(self.slow_seconds)
        if self.is_away:
            return 503, {}
        if path in self.moved:
            return 302, self.moved[path]
        match path:
            case "/.well-known/openid-configuration":
                ends = {"authorization": "authorize", "token": "token", "end_session": "logout"}
                told = {f"{name}_endpoint": f"{self.issuer}/{at}" for name, at in ends.items()}
                return 200, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks", **told}
            case "/favicon.ico":
                return 200, {}
            case "/jwks":
                return 200, {"keys": [*self.odd_keys, *KeySet([self.key]).as_dict(private=False)["keys"]]}
            case "/authorize":
                assert query["client_id"] == CLIENT and query["response_type"] == "code", query
                assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43, query
                assert "openid" in query["scope"].split() and query["state"] and query["nonce"], query
                label = f"Go on as {self.person['sub']}"
                return 200, f'<title>Bank</title><a href="/go?{html.escape(urlencode(query))}">{label}</a>'
            case "/go":
                code = secrets.token_urlsafe()
                self._codes[code] = query
                back = {"code": code, "state": query["state"], "iss": self.issuer}
                return 302, f"{query['redirect_uri']}?{urlencode(back)}"
            case "/token":
                return self._token(form, auth)
            case "/logout":
                self.logouts.append(query)
                return 302, query["post_logout_redirect_uri"]
        return 404, {}

    def _token(self, form: dict[str, str], auth: str) -> tuple[int, Any]:
        if auth != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        begun = self._codes.pop(form["code"], None)  # a code works once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_same = begun is not None and form["redirect_uri"] == begun["redirect_uri"]
        if begun is None or not is_same or begun["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            **self.person,
        }
        token = self.forge(jwt.encode({"alg": "RS256", "kid": self.key.kid}, self.lie(claims), self.key))
        return 200, {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": token}


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer(_single(body))

        def _answer(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            auth = self.headers.get("Authorization", "")
            status, told = provider.answer(parts.path, _single(parts.query), form, auth)
            is_page = isinstance(told, str)
            body = told.encode() if is_page else json.dumps(told).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", told)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
