"""What travels with a file through the inbox: how it is to be read, who brings it; or an import to be undone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from core.errors import ImportRejected, Mistake, UndoRejected
from portfolio.imports.mapping import Mapping

ORDER = ".import.json"
"""Ending of the file that goes with another one, after its whole name."""
UNDO = ".undo.json"
"""Ending of a file that asks for an import to be undone."""
CHANGE = ".change.json"
"""Ending of a file that asks for a portfolio to be changed (portfolio/tree/order.py)."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a file is to be taken. `name`: what it was called before it got a free name; empty: as it is called."""

    name: str = ""
    said: Mapping = field(default_factory=Mapping)
    accept: bool = False
    who: str = "inbox"

    def to_json(self) -> str:
        """Return it as JSON."""
        said = json.loads(self.said.to_json())
        return json.dumps({"name": self.name, "said": said, "accept": self.accept, "who": self.who}, ensure_ascii=False)


def read_order(name: str, text: str) -> Order:
    """Return the order that `text` holds. Raises ImportRejected when it is none."""
    try:
        found = json.loads(text)
        said = Mapping.from_json(json.dumps(found.get("said", {})))
        return Order(str(found.get("name", "")), said, found.get("accept") is True, str(found.get("who", "inbox")))
    except (ValueError, AttributeError) as error:
        reason = f"{name}{ORDER} does not say how to read it: {error}"
        raise ImportRejected(name, [Mistake(reason)], remedy="Correct or remove it.") from error


def undo_order(number: int, who: str) -> str:
    """Return the text that asks for an import to be undone."""
    return json.dumps({"undo": number, "who": who}, ensure_ascii=False)


def read_undo(name: str, content: bytes | None) -> tuple[int, str]:
    """Return number and who asks. Raises UndoRejected when the file says neither."""
    try:
        found = json.loads(content or b"")
        return int(found["undo"]), str(found.get("who", "inbox"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UndoRejected(f'{name} does not say which import to undo: write {{"undo": 3}}') from error
