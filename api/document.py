"""The OpenAPI 3.1 document, made from the operations that answer: pydantic knows the schemas, the rest is here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from api.body import MOST_BYTES
from api.formats import ARROW, CSV, JSON
from api.mount import BASE
from api.operation import Operation
from api.problem import BatchProblem, Problem
from core.roles import Role
from core.web.problem import PROBLEM

REFERENCE = "#/components/schemas/{model}"
OF_A_LIST = re.compile(r"Page_(\w+)_")
PROBLEMS = {
    401: "Nobody is signed in, or the token is none.",
    403: "The role or the token is not enough.",
    404: "There is no such thing, or it may not be seen.",
    406: "The type that Accept names is not offered.",
    422: "A parameter is wrong; field and fix say which and how to mend it.",
    429: "Too many requests of this token or person; Retry-After says in how many seconds to go on.",
    500: "Fundwatch failed at this; its log says why.",
    503: "Storage does not answer.",
}
UNWELL = "It is answered, and the answer is no; or storage does not answer, a problem."
PROBLEMS_OF_A_BODY = {
    400: "The body is no JSON.",
    413: f"The body is larger than {MOST_BYTES:,} bytes.",
    415: "The body is not said to be JSON.",
    422: "A parameter or a field of the body is wrong; field and fix say which. Nothing was changed.",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "The same batch with the same key gets the answer that it got first, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}  # fmt: skip
PROBLEMS_OF_ROWS = {
    409: "A batch with this Idempotency-Key is being worked on.",
    413: "The batch has more bytes or rows than the settings allow.",
    415: "The type or the packing is none of those offered.",
    422: "Rows, columns or parameters are wrong: `rows` says which, why and how to mend them. Nothing was stored.",
}
ABOUT = (
    "Reads what Fundwatch knows, and changes it for who may. Sign in, or send `Authorization: Bearer <token>` with a "
    "token of the scope `read`, or of the one that an operation names. "
    "Lists have `items` and `next`; send `next` back as `cursor` for what follows. Every figure has its unit, its time "
    "(`as_of`, RFC 3339 in UTC), its age, its source, and whether it is stale. Errors are problem details (RFC 9457)."
)


class _Named(GenerateJsonSchema):
    """Calls a list of components ComponentList, as its own model does: pydantic would write Page_Component_."""

    def normalize_name(self, name: str) -> str:
        """Return the key of a schema."""
        return OF_A_LIST.sub(r"\1List", super().normalize_name(name))


def document(operations: Sequence[Operation], cookie: str) -> dict[str, Any]:
    """Return the document. cookie: the name of the one with a session."""
    models: list[type[BaseModel]] = [Problem, BatchProblem, *dict.fromkeys(operation.model for operation in operations)]
    bodies = dict.fromkeys(operation.body for operation in operations if operation.body is not None)
    rows = dict.fromkeys(operation.rows for operation in operations if operation.rows is not None)
    names, found = models_json_schema(
        [*((model, "serialization") for model in models), *((model, "validation") for model in [*bodies, *rows])],
        ref_template=REFERENCE, schema_generator=_Named,
    )  # fmt: skip
    references: dict[Any, Any] = {model: reference for (model, _), reference in names.items()}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fundwatch", "version": "1", "description": ABOUT},
        "servers": [{"url": BASE}],
        "security": [{"session": []}, {"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": found["$defs"],
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "Of a browser."},
                "token": {"type": "http", "scheme": "bearer", "description": "A token that an account was given."},
            },
        },
    }  # fmt: skip


def _operation(operation: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    who = "everybody who is signed in" if operation.role == Role.VIEWER else f"who has the role {operation.role.word}"
    needs = f"For {who}. A token needs the scope `{operation.scope}`."
    if operation.is_shared:
        needs += " Not for who may see some portfolios alone."
    types: dict[str, Any] = {JSON: {"schema": references[operation.model]}}
    if operation.is_list:
        types |= {CSV: {"schema": {"type": "string"}}, ARROW: {"schema": {"type": "string", "format": "binary"}}}
    problems = dict(PROBLEMS)
    told: dict[str, Any] = {"description": operation.summary, "content": types}
    answers = {str(operation.status): told}
    if operation.method == "GET":
        told["headers"] = _headers(operation)
        answers["304"] = {"description": "Nothing has changed since the ETag that If-None-Match names."}
    sent = {}
    if operation.body is not None:
        problems |= PROBLEMS_OF_A_BODY
        sent = {"requestBody": {"required": True, "content": {JSON: {"schema": references[operation.body]}}}}
    if operation.rows is not None:
        problems |= PROBLEMS_OF_ROWS
        sent = {"requestBody": {"required": True, "content": _batch(references[operation.rows])}}
    problem = {PROBLEM: {"schema": references[Problem]}}
    unwell = {PROBLEM: problem[PROBLEM], **types} if operation.is_well is not None else problem
    of_rows = {PROBLEM: {"schema": {"anyOf": [references[BatchProblem], references[Problem]]}}}
    return {
        "operationId": _id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": needs,
        "parameters": _parameters(operation),
        **sent,
        "responses": answers
        | {
            str(status): {"description": said, "content": of_rows if operation.rows and status == 422 else problem}
            for status, said in sorted(problems.items())
        }
        | ({"503": {"description": UNWELL, "content": unwell}} if operation.is_well is not None else {}),
    }


def _batch(row: Any) -> dict[str, Any]:
    """Return how rows may be sent."""
    lists = {"application/json": {"schema": {"type": "array", "minItems": 1, "items": row}}}
    lines = {"application/x-ndjson": {"schema": {"type": "string", "description": "An object a line."}}}
    table = {CSV: {"schema": {"type": "string", "description": "Names of columns in the first line, UTF-8."}}}
    arrow = {ARROW: {"schema": {"type": "string", "format": "binary"}}}
    return lists | lines | table | arrow


def _headers(operation: Operation) -> dict[str, Any]:
    headers = {"ETag": {"schema": {"type": "string"}, "description": "Of the content without its ages."}}
    if operation.is_list:
        headers["Link"] = {"schema": {"type": "string"}, "description": 'Address of the next part, rel="next".'}
    return headers


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name, "in": "path", "required": True, "description": operation.parts[name],
            "schema": {"type": "string", "minLength": 1}
            | ({"enum": [*operation.choices[name]]} if name in operation.choices else {}),
        }
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]  # fmt: skip
    properties = operation.query.model_json_schema(by_alias=True).get("properties", {})
    key = [IDEMPOTENCY_KEY] if operation.rows is not None else []
    return [*in_path, *(_in_query(name, schema) for name, schema in properties.items()), *key]


def _in_query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter of the query string: it is there or not, never null."""
    plain = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    told = {key: value for key, value in plain.items() if key not in ("title", "description", "default")}
    default = {"default": schema["default"]} if schema.get("default") not in (None, "") else {}
    return {"name": name, "in": "query", "description": schema.get("description", ""), "schema": told | default}


def _id(operation: Operation) -> str:
    return "_".join([operation.method.lower(), *re.findall(r"\w+", operation.path)])
