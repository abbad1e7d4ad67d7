"""What a message of several alerts, or of one, is called: the same in what is sent and in the list of messages."""

from __future__ import annotations

from collections.abc import Sequence

from core.format import count


def name_of(titles: Sequence[str], more: int, *, text: str, where: str, is_over: bool) -> str:
    """Return what a message is called that tells of alerts with these titles, one or more, and of `more` beside.

    text: what is said of the first; where: its labels; is_over: what is said of it held, and does no longer.
    """
    amount = len(titles) + more
    if amount > 1:
        title = f"{titles[0]}: " if len({*titles}) == 1 and not more else ""
        return f"{title}{count(amount, 'alert')}"
    if is_over:
        return f"{titles[0]}: {where}" if where else titles[0]
    return text
