"""The fund's tree in the order of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storage.state.portfolios import Portfolio


def in_order(portfolios: Sequence[Portfolio]) -> Iterator[tuple[int, Portfolio]]:
    """Yield (depth, portfolio), each before its parts; siblings as they come. A part of nothing known is a root."""
    ids = {(each.origin, each.id) for each in portfolios}
    parts: dict[tuple[str, str], list[Portfolio]] = {}
    for each in portfolios:
        above = (each.origin, each.parent)
        parts.setdefault(above if above in ids else (each.origin, ""), []).append(each)

    def below(origin: str, id: str, depth: int) -> Iterator[tuple[int, Portfolio]]:
        for each in parts.get((origin, id), ()):
            yield depth, each
            yield from below(origin, each.id, depth + 1)

    for origin in dict.fromkeys(each.origin for each in portfolios):
        yield from below(origin, "", 0)
