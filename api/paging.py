"""Lists in parts: a cursor names the last item that was sent by its key, so that rows that are added move none.

A cursor is opaque: it holds where it was, in which list, and the end of time that the first part was of.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from api.parameters import Listed
from api.problem import Refused

Item = TypeVar("Item")
Key = tuple[str | int | float, ...]
"""What tells an item from the others of its list, and orders them."""
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a list begins: after `after`, None at the beginning."""

    list: str
    """What tells this list from others: path and parameters."""
    limit: int
    after: Key | None = None
    now: float = 0.0
    """When the first part was asked for, epoch seconds."""

    def next(self, key: Key) -> str:
        """Return the cursor of what follows an item."""
        content = orjson.dumps([self.list, self.now, *key])
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def place(path: str, asked: Listed, now: float) -> Place:
    """Return where the part that is asked for begins. Raises Refused for a cursor that is none of this list."""
    others = asked.model_dump_json(exclude={"cursor", "limit"})
    name = hashlib.blake2b(f"{path} {others}".encode(), digest_size=6).hexdigest()
    if not asked.cursor:
        return Place(name, asked.limit, None, now)
    try:
        found = orjson.loads(base64.urlsafe_b64decode(asked.cursor + "=" * (-len(asked.cursor) % 4)))
    except (binascii.Error, ValueError):
        found = None
    if not _is_place(found) or found[0] != name or not 0 <= found[1] <= now + 1:
        fix = "Send `next` of the answer before as it is, with the same other parameters; or leave it out."
        raise Refused(422, "cursor is none of this list.", field="cursor", fix=fix)
    return Place(name, asked.limit, tuple(found[2:]), float(found[1]))


def part_of(items: Sequence[Item], key: Callable[[Item], Key], where: Place) -> tuple[list[Item], str | None]:
    """Return the items of one part of a list that is in the order of its keys, and the cursor of the next one."""
    try:
        start = 0 if where.after is None else bisect.bisect_right(items, where.after, key=key)
    except TypeError as error:
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.") from error
    found = [*items[start : start + where.limit]]
    is_last = start + where.limit >= len(items)
    return found, None if is_last or not found else where.next(key(found[-1]))


def _is_place(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) > 2
        and isinstance(found[0], str)
        and isinstance(found[1], int | float)
        and all(_is_part_of_key(each) for each in found[2:])
    )


def _is_part_of_key(found: Any) -> bool:
    """Return whether something can be a part of a key; whole numbers are such as the stores can hold."""
    if isinstance(found, int):
        return not isinstance(found, bool) and abs(found) <= LARGEST
    return isinstance(found, str | float)
