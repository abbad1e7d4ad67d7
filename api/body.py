"""What a request sends: JSON that one model describes, read whole or refused with the name of the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.parameters import first_of, refusal
from api.problem import Refused
from core.format import bytes_

if TYPE_CHECKING:
    from flask import Request

MOST_BYTES = 65_536
"""Of a body."""
KIND = "application/json"


class Body(BaseModel):
    """The body of an operation: its fields and no others, each of its own type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Named(Body):
    """What deletes something: its name, typed by somebody who means it."""

    name: str = Field(max_length=200, description="The name of what is to be deleted, letter for letter.")


B = TypeVar("B", bound=Body)


def sent_body(model: type[B], request: Request) -> B:
    """Return the body of a request. Raises Refused that names the first field that is wrong."""
    if request.mimetype != KIND:
        detail = f"The body is {request.mimetype[:100] or 'of no type'}, not JSON."
        raise Refused(415, detail, field="Content-Type", fix=f"Send JSON, and Content-Type: {KIND}.", allowed=[KIND])
    content = _content(request)
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        found = first_of(error)
        if found["type"] == "json_invalid":
            said = str(found.get("ctx", {}).get("error", "it cannot be read"))
            raise Refused(400, f"The body is no JSON: {said}.", fix="Send one JSON object, in UTF-8.") from error
        raise refusal(model, found, "field") from error


def _content(request: Request) -> bytes:
    """Return the bytes of a body. Raises Refused for one that is larger than it may be."""
    request.max_content_length = MOST_BYTES + 1  # Flask cuts a body without a length there, and says nothing
    content = b"" if (request.content_length or 0) > MOST_BYTES else request.stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES or (request.content_length or 0) > MOST_BYTES:
        raise Refused(413, "The body is too large.", fix=f"Send {bytes_(MOST_BYTES)} at most.")
    return content
