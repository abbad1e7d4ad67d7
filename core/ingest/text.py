"""The tables of docs/your-data.md, made from the models: `make texts` writes them anew below the mark."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from core.format import count
from core.ingest.columns import Column
from core.ingest.kinds import KINDS, Kind

MARK = "<!-- Made by make texts from here on. -->"


def as_markdown() -> str:
    """Return a table a kind: column, what may stand in it, whether it must, and what it is."""
    return "\n".join(line for kind in KINDS.values() for line in _lines(kind)) + "\n"


def written_anew(text: str) -> str:
    """Return a page with the tables as they are now. Raises ValueError for one without the mark."""
    above, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK}")
    return f"{above}{MARK}\n\n{as_markdown()}"


def _lines(kind: Kind) -> Iterator[str]:
    about = " ".join((kind.model.__doc__ or "").split())
    yield f"### {kind.name}"
    yield ""
    yield f"{about} Key: {', '.join(kind.keys)}. A token needs the scope `{kind.scope}`."
    yield ""
    yield "| column | what it may be | unit | needed | what it is |"
    yield "|---|---|---|---|---|"
    for column in kind.columns:
        needed = "yes" if column.is_required else f"no: {_shown(column.default)}" if column.default else "no"
        yield f"| `{column.name}` | {_may_be(column)} | {column.unit or '–'} | {needed} | {column.meaning} |"
    yield ""


def _shown(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _may_be(column: Column) -> str:
    match column.sort:
        case "number":
            if column.above is not None:
                return f"number above {column.above:g}"
            return "number" if column.least is None else f"number, {column.least:g} or more"
        case "time":
            return f"time, kept by the {column.resolution}"
        case "choice":
            return ", ".join(f"`{each}`" for each in column.choices)
        case "currency":
            return "currency" if not column.choices else f"one of {', '.join(column.choices)}"
        case "labels":
            return "object of texts"
        case _:
            return f"text, {count(column.most_characters, 'character')} at most"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(written_anew(page.read_text(encoding="utf-8")), encoding="utf-8")
