"""What travels with a file through the inbox: how it is to be read, who brings it; or an import to be undone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from core.errors import UndoRejected
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
    is_whole: bool = False
    """Whether who brings it knows that it is there to its end, however that looks."""
    wrong: str = ""
    """Why what lies next to the file is no order, in words."""

    def to_json(self) -> str:
        """Return it as JSON."""
        said = json.loads(self.said.to_json())
        told = {"name": self.name, "said": said, "accept": self.accept, "who": self.who, "whole": self.is_whole}
        return json.dumps(told, ensure_ascii=False)


def read_order(text: bytes) -> Order:
    """Return the order that `text` holds, one that is wrong where it holds none."""
    try:
        found = json.loads(text)
        said = Mapping.from_json(json.dumps(found.get("said", {})))
        who, is_whole = str(found.get("who", "inbox")), found.get("whole") is True
        return Order(str(found.get("name", "")), said, found.get("accept") is True, who, is_whole)
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        return Order(wrong=f"does not say how to read it: {error}")


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
