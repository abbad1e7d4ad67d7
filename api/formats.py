"""How an answer is written: JSON, or of a list CSV and Arrow with the same rows, as `Accept` says."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from api.parameters import names_of
from api.problem import Refused

if TYPE_CHECKING:
    import pyarrow as pa
    from werkzeug.datastructures import MIMEAccept

JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"


def chosen(accept: MIMEAccept, *, is_list: bool) -> str:
    """Return the type that a request wants. Raises Refused when it takes none of those that there are."""
    offered = [JSON, CSV, ARROW] if is_list else [JSON]
    found = accept.best_match(offered) if accept else JSON
    if found is None:
        fix = f"Accept {' or '.join(offered)}."
        raise Refused(
            406, "None of the types that Accept names is offered here.", field="Accept", fix=fix, allowed=offered
        )
    return found


def written(kind: str, body: bytes, item: type[BaseModel]) -> bytes:
    """Return a list that is given as JSON as one of the types."""
    if kind == JSON:
        return body
    page = orjson.loads(body)
    return _csv(page["items"], item) if kind == CSV else _arrow(page, item)


def _csv(rows: Sequence[Mapping[str, Any]], item: type[BaseModel]) -> bytes:
    names = names_of(item)
    into = io.StringIO()
    lines = csv.writer(into, lineterminator="\r\n")
    lines.writerow(names)
    lines.writerows([_cell(row[name]) for name in names] for row in rows)
    return into.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as a cell: as in JSON, texts without quotes, an empty cell for null."""
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _arrow(page: Mapping[str, Any], item: type[BaseModel]) -> bytes:
    import pyarrow as pa

    fields = [
        pa.field(name, _type(each.annotation))
        for name, each in zip(names_of(item), item.model_fields.values(), strict=True)
    ]
    about = {name: orjson.dumps(value).decode() for name, value in page.items() if name != "items"}
    schema = pa.schema(fields, metadata=about)
    columns = [
        pa.array([_value(row[each.name], each.type) for row in page["items"]], type=each.type) for each in fields
    ]
    into = io.BytesIO()
    with pa.ipc.new_stream(into, schema) as stream:
        stream.write_table(pa.Table.from_arrays(columns, schema=schema))
    return into.getvalue()


def _value(value: Any, kind: pa.DataType) -> Any:
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    if pa.types.is_map(kind):
        return [*value.items()]
    return orjson.dumps(value).decode() if pa.types.is_string(kind) and not isinstance(value, str) else value


def _type(annotation: Any) -> pa.DataType:
    """Return the Arrow type of a field's annotation; what has no plain one is text, as in CSV."""
    import pyarrow as pa

    if get_origin(annotation) is Annotated:
        return _type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        known = [each for each in get_args(annotation) if each is not type(None)]
        return _type(known[0]) if len(known) == 1 else pa.string()
    if annotation == dict[str, str]:
        return pa.map_(pa.string(), pa.string())
    if annotation == list[str]:
        return pa.list_(pa.string())
    plain = {
        float: pa.float64(), int: pa.int64(), bool: pa.bool_(), date: pa.date32(),
        datetime: pa.timestamp("ms", tz="UTC"),
    }  # fmt: skip
    return plain.get(annotation, pa.string())
