"""Passwords: which are refused, and how they are kept (argon2id, from argon2-cffi).

A hash costs 64 MiB and a tenth of a second on purpose. So only a few are made at once, and few wait for their turn: the
other threads go on answering those who are signed in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from access.door import Door
from core.errors import SignInRefused

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 256
AT_ONCE = 2
"""Hashes that are made at the same time."""
MOST_AT_THE_DOOR = 4
"""Sign-ins that are looked at or wait for it; the next one is sent away."""
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5bm9ib2R5bm9ibw$JrjxEWgIHvAbpRqRowMGB9RJwyEahZ4tupZUv4kaelk"
"""A hash that no password has: an account that does not exist takes as long as one that does."""

RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]",
    "qwertzuiopü",
    "azertyuiop",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "yxcvbnm,.-",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "!@#$%^&*()_+",
)
LEAST_RUN, LONGEST_RUN = 3, max(map(len, RUNS))
MOST_OWN_CHARACTERS = 4
"""Characters that a password may have beside what everybody uses and still be refused."""
WRITTEN_FOR = str.maketrans("@4310!57$8", "aaeioistsb")
"""What a character stands for in p4$$w0rd."""

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_door = Door(AT_ONCE, MOST_AT_THE_DOOR)


@contextmanager
def at_the_door() -> Iterator[None]:
    """Hold a place while passwords are hashed or compared. Raises SignInRefused when too many others do."""
    with _door.turn(SignInRefused("Many people sign in at this moment: try again in a few seconds.", 2.0)):
        yield


def what_is_wrong(password: str, name: str) -> str:
    """Return why a password of the account `name` is refused, and what to choose; empty: it is not."""
    if len(password) < LEAST_CHARACTERS:
        return f"Choose at least {LEAST_CHARACTERS} characters."
    if len(password) > MOST_CHARACTERS:
        return f"Choose at most {MOST_CHARACTERS} characters."
    if is_common(password, name):
        return "Others would try this early: choose several unusual words, or let a password manager make one."
    return ""


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _hasher.hash(_normal(password))


def is_right(password: str, kept: str) -> bool:
    """Return whether `kept` was made of a password; an empty one takes as long, and is no password's."""
    if len(password) > MOST_CHARACTERS:
        password = ""
    try:
        _hasher.verify(kept or NOBODYS, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def is_old(kept: str) -> bool:
    """Return whether a hash was made with other costs than those of today."""
    return _hasher.check_needs_rehash(kept)


def is_common(password: str, name: str = "") -> bool:
    """Return whether a password is made of common words, runs of the keyboard, years and repeats, few characters aside.

    The words are those of common_words.txt, and the account's own name.
    """
    text = _normal(password).lower()
    words = _common_words() | {part for part in (name.lower(), name.lower().split("@")[0]) if len(part) >= LEAST_RUN}
    return min(_own_characters(text, words), _own_characters(text.translate(WRITTEN_FOR), words)) <= MOST_OWN_CHARACTERS


def _own_characters(text: str, words: frozenset[str]) -> int:
    """Return how many characters are left when as many as possible are taken by words, runs, years and repeats."""
    longest = max(LONGEST_RUN, *map(len, words))  # a longer repeat is several shorter ones
    least = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        least[end] = least[end - 1] + 1
        for start in range(max(0, end - longest), end - LEAST_RUN + 1):
            if least[start] < least[end] and _is_taken(text[start:end], words):
                least[end] = least[start]
    return least[-1]


def _is_taken(part: str, words: frozenset[str]) -> bool:
    return part in words or _is_repeat(part) or _is_run(part) or _is_year(part)


def _is_repeat(part: str) -> bool:
    """Return whether a part is one to four characters again and again, three times at least."""
    return any(len(part) >= 3 * size and part == (part[:size] * len(part))[: len(part)] for size in (1, 2, 3, 4))


def _is_run(part: str) -> bool:
    return any(part in run or part[::-1] in run for run in RUNS)


def _is_year(part: str) -> bool:
    return len(part) == 4 and part.isdigit() and part[:2] in ("19", "20")


@cache
def _common_words() -> frozenset[str]:
    lines = Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _normal(password: str) -> str:
    """Return the text of a password, however its keyboard composes letters with accents."""
    return unicodedata.normalize("NFC", password)
