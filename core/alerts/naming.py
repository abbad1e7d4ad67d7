"""What a message of several alerts, or of one, is called: the same in what is sent and in the list of messages."""

from __future__ import annotations

from collections.abc import Sequence

from core.format import count


def name_of(titles: Sequence[str], more: int, text: str) -> str:
    """Return what a message is called that tells of alerts with these titles, one or more, and of `more` beside.

    text: what is said of the first. The end of an alert is called by the words of its beginning: by what else would
    whoever got both know that they belong together.
    """
    amount = len(titles) + more
    if amount > 1:
        title = f"{titles[0]}: " if len({*titles}) == 1 and not more else ""
        return f"{title}{count(amount, 'alert')}"
    return text
