"""What can be done to a Redis: empty the slow log, end a client, look at a sample of the keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from collectors.base import Done
from collectors.kinds.redis.connection import Command, Refused, Resp, text
from core.errors import SourceRejected
from core.format import bytes_, count, number
from core.kinds.redis.source import RedisSource
from core.kinds.redis.spec import Actions, KeyGroup
from core.model import Table
from core.net.reach import Deadline
from core.tables import table_of

MOST_KEYS = 10_000
KEYS_AT_ONCE = 500
ANALYSIS_SECONDS, SPARE_SECONDS = 10.0, 2.0
LIVES = ((60, "under a minute"), (3_600, "under an hour"), (86_400, "under a day"), (float("inf"), "a day or more"))
MEMORY_SAMPLES = 5
NAMESPACES_SHOWN = 15
BIGGEST_SHOWN = 15
SEPARATOR = ":"


def act(source: RedisSource, action: str, target: str) -> Done:
    """Do one action: reset_slowlog, kill_client (target: its id), analyse_keys (target: a database)."""
    todo = ACTS.get(action)
    if todo is None:
        raise SourceRejected(f"a Redis knows no action {action}")
    server = Resp(source, Deadline(source.timeout_seconds))
    try:
        return todo(server, target)
    except Refused as error:
        raise SourceRejected(f"refused: {error}") from error
    finally:
        server.close()


def _reset_slowlog(server: Resp, _target: str) -> Done:
    length = server.ask("SLOWLOG", "LEN")
    server.ask("SLOWLOG", "RESET")
    return Done(f"slow log emptied, {count(length, 'entry', 'entries')}")


def _kill_client(server: Resp, target: str) -> Done:
    if not target.isdigit():
        raise SourceRejected(f"{target} is no client id")
    if not server.ask("CLIENT", "KILL", "ID", target):
        raise SourceRejected(f"there is no client {target} any more")
    return Done(f"client {target} disconnected")


def _analyse_keys(server: Resp, target: str) -> Done:
    """Look at up to 10,000 keys for at most 10 seconds: type, size in memory, time to live, by namespace."""
    database = int(target) if target.isdigit() else 0
    deadline = Deadline(ANALYSIS_SECONDS)
    server.renew(deadline)
    server.ask("SELECT", database)
    total = int(server.ask("DBSIZE"))
    found: list[tuple[str, str, int, int]] = []
    cursor = "0"
    while len(found) < MOST_KEYS and deadline.left() > SPARE_SECONDS:
        answer = server.ask("SCAN", cursor, "COUNT", KEYS_AT_ONCE)
        cursor = text(answer[0])
        found += _looked_at(server, answer[1])
        if cursor == "0":
            break
    found = found[:MOST_KEYS]
    kind = "all" if len(found) >= total else "a sample of"
    total_bytes = sum(each[2] for each in found)
    looked_at = f"{number(len(found))} of {count(total, 'key')}"
    return Done(f"looked at {kind} {looked_at} in db{database}, {bytes_(total_bytes)}", _summary(found))


def _looked_at(server: Resp, keys: list[bytes]) -> list[tuple[str, str, int, int]]:
    questions: list[Command] = []
    for key in keys:
        questions += [("TYPE", key), ("MEMORY", "USAGE", key, "SAMPLES", MEMORY_SAMPLES), ("PTTL", key)]
    answers = server.ask_all(questions)
    rows = []
    for index, key in enumerate(keys):
        kind, held, ttl = answers[3 * index : 3 * index + 3]
        if not any(isinstance(each, Refused) for each in (kind, held, ttl)) and held is not None:
            rows.append((text(key), text(kind), int(held), int(ttl)))
    return rows


def _summary(found: list[tuple[str, str, int, int]]) -> Table:
    """Return what was found by type, namespace, life, and the biggest."""
    rows: list[KeyGroup] = []
    for group, name_of in (("type", _type_of), ("namespace", _namespace_of), ("time to live", _life_of)):
        keys, sizes, lasting = Counter[str](), Counter[str](), Counter[str]()
        for each in found:
            name = name_of(each)
            keys[name] += 1
            sizes[name] += each[2]
            lasting[name] += each[3] == -1
        rows += [
            KeyGroup(group, name, "", keys[name], held, lasting[name] / keys[name])
            for name, held in sizes.most_common(NAMESPACES_SHOWN)
        ]
    biggest = sorted(found, key=lambda each: -each[2])[:BIGGEST_SHOWN]
    rows += [KeyGroup("biggest", name, kind, 1, held, float(ttl == -1)) for name, kind, held, ttl in biggest]
    return table_of(KeyGroup, rows)


def _type_of(each: tuple[str, str, int, int]) -> str:
    return each[1]


def _life_of(each: tuple[str, str, int, int]) -> str:
    return next(name for seconds, name in LIVES if each[3] / 1e3 < seconds) if each[3] >= 0 else "for ever"


def _namespace_of(each: tuple[str, str, int, int]) -> str:
    head, separator, _ = each[0].partition(SEPARATOR)
    return head + separator if separator else "(no namespace)"


ACTS: dict[str, Callable[[Resp, str], Done]] = {
    Actions.RESET_SLOWLOG: _reset_slowlog,
    Actions.KILL_CLIENT: _kill_client,
    Actions.ANALYSE_KEYS: _analyse_keys,
}
