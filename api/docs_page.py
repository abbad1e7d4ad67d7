"""The docs page: the document as HTML in the look of Fundwatch, without a script and without any outside file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from api.mount import BASE

STYLE = Markup(
    "<style>"
    "body{display:block}main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem;text-align:left}"
    "h2{margin-top:2rem}details{border-top:1px solid var(--fw-line);padding:.5rem 0}"
    "summary{cursor:pointer}code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}"
    "</style>"
)


def page(document: Mapping[str, Any], address: str) -> str:
    """Return the page of an OpenAPI document. address: at which Fundwatch was asked for it, as in http://host:8050."""
    schemas = document["components"]["schemas"]
    groups = Markup("").join(_group(document, tag["name"]) for tag in document["tags"])
    answers = Markup("").join(_schema(name, schema) for name, schema in sorted(schemas.items()))
    example = f"curl -H 'Authorization: Bearer …' '{address}{BASE}/status'"
    body = Markup(
 '<main><p class="fw-plain-brand"><a href="/">Fundwatch</a></p><h1>API</h1><p>{about}</p>'
        '<p>The document: <a href="{base}/openapi.json">{base}/openapi.json</a>.</p>'
        "<p><code>{example}</code></p>{groups}<h2>What answers are made of</h2>{answers}</main>"
    ).format(
        about=document["info"]["description"].replace("`", ""), base=BASE, example=example, groups=groups,
        answers=answers,
    )  # fmt: skip
    return str(
        Markup(
            '<!doctype html><html lang="en" data-bs-theme="dark"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1"><title>API · Fundwatch</title>'
            '<script src="/assets/boot/theme.js"></script><link rel="stylesheet" href="/assets/css/01-tokens.css">'
            '<link rel="stylesheet" href="/assets/boot/plain.css">'
            '<link rel="icon" type="image/svg+xml" href="/assets/boot/icon.svg">{style}</head>'
            "<body>{body}</body></html>"
        ).format(style=STYLE, body=body)
    )


def _group(document: Mapping[str, Any], tag: str) -> Markup:
    found = [
        _operation(method.upper(), path, each)
        for path, methods in document["paths"].items()
        for method, each in methods.items()
        if tag in each["tags"]
    ]
    return Markup("<h2>{}</h2>{}").format(tag, Markup("").join(found))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Markup:
    content = next(each for status, each in operation["responses"].items() if status.startswith("2"))["content"]
    rows = Markup("").join(
        Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>").format(
            each["name"], _kind(each["schema"]), each["description"].replace("`", "")
        )
        for each in operation["parameters"]
    )
    table = Markup("<table><thead><tr><th>Parameter</th><th>Type</th><th>Meaning</th></tr></thead>{}</table>").format(
        rows
    )
    return Markup(
        "<details><summary><code>{method} {base}{path}</code> – {summary}</summary><p>{needs}{takes} Answers with "
        "{model} as {types}.</p>{table}</details>"
    ).format(
        method=method, base=BASE, path=path, summary=operation["summary"],
        needs=operation["description"].replace("`", ""), takes=_takes(operation),
        model=_kind(content["application/json"]["schema"]), types=", ".join(content), table=table if rows else "",
    )  # fmt: skip


def _takes(operation: Mapping[str, Any]) -> Markup:
    if "requestBody" not in operation:
        return Markup("")
    content = operation["requestBody"]["content"]
    kind = next(iter(content.values()))["schema"]
    return Markup(" Takes {} as {}.").format(_kind(kind), ", ".join(content))


def _schema(name: str, schema: Mapping[str, Any]) -> Markup:
    rows = Markup("").join(
        Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>").format(
            field, _kind(each), each.get("description", "")
        )
        for field, each in schema.get("properties", {}).items()
    )
    return Markup('<details id="{name}"><summary>{name}</summary><p>{about}</p><table>{rows}</table></details>').format(
        name=name, about=schema.get("description", ""), rows=rows
    )


def _kind(schema: Mapping[str, Any]) -> Markup:
    """Return the type of a schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    if "anyOf" in schema:
        return Markup(" or ").join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return Markup("list of {}").format(_kind(schema.get("items", {})))
    return escape(schema.get("format") or schema.get("type") or "any")
