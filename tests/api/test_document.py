"""The document holds for whatever is asked: schemathesis makes the requests from it, and judges the answers by it."""

from __future__ import annotations

import hypothesis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig

from access.viewer import Viewer
from storage.stores import Stores
from tests.support.api import ADMIN, READER, fill, server_of, watching

EXAMPLES = 4
"""For each operation and role, of what fits the document and of what does not."""
SAID = {
    "checks": {
        # What a schema cannot say (a metric that is stored, times in order) is refused with 422 too.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "403", "404", "406", "422"]},
        # The guard stands in front of all operations and is tested by itself; here everybody has been found.
        "ignored_auth": {"enabled": False},
    },
    # 503 is the answer of what is not safe.
    "operations": [
        {
            "include-path-regex": "^/trading-readiness",
            "checks": {
                "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
                "positive_data_acceptance": {"expected-statuses": ["2xx", "403", "404", "406", "422", "503"]},
            },
        }
    ],
}


def test_no_request_finds_an_answer_that_the_document_does_not_know(stores: Stores) -> None:
    filled = watching(stores)
    fill(filled)
    load_all_checks()
    for viewer in (READER, ADMIN):
        _ask_for_everything(filled, viewer)


def _ask_for_everything(stores: Stores, viewer: Viewer) -> None:
    asked = ask_for_all_of(server_of(stores, lambda: viewer))
    assert asked > 20 * EXAMPLES


def ask_for_all_of(server: Flask) -> int:
    """Ask for every operation that the server's document has, and return how often. The answers are those it says."""
    answering = server.wsgi_app
    # It says that it takes gzip, and does not unpack it.
    server.wsgi_app = lambda environ, start: answering({**environ, "HTTP_ACCEPT_ENCODING": ""}, start)  # type: ignore[method-assign]
    config = SchemathesisConfig.from_dict(SAID)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", server, config=config)
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in GenerationMode:

            @hypothesis.settings(
                max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
                suppress_health_check=[*HealthCheck], derandomize=True,
            )  # fmt: skip
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate()

            try:
                ask()
            except hypothesis.errors.Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE  # whatever is sent to it fits
    return asked
