"""Silences in the form of Alertmanager. Their ids are the numbers of ours in the form of a UUID."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from api.alertmanager.alerts import time_of, uuid_of
from api.matching import matchers_of, meant
from api.problem import Refused
from api.resources.alerts import HIGHEST_NUMBER
from core.alerts.expression import Matcher
from core.alerts.matchers import checked
from core.alerts.silence import Silence, When
from core.format import cut
from portfolio.alerts import Sight
from storage.state.silences import DATASET, add_silence, end_silence, silence_in, silences_in

if TYPE_CHECKING:
    from storage.stores import Stores

KEPT_SECONDS = 5 * 86_400.0
"""How long one that is over is told, as Alertmanager keeps them (its data.retention)."""
WHO_CHARACTERS = 80
EVERYTHING = [{"name": "alertname", "value": ".*", "isRegex": True, "isEqual": True}]
"""The matchers of what mutes everything."""


class _Sent(BaseModel):
    """Its names are those of Alertmanager, which also sends others."""

    model_config = ConfigDict(alias_generator=to_camel)


class SentMatcher(_Sent):
    """A matcher as it is sent."""

    name: str = Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=80)
    value: str
    is_regex: bool
    is_equal: bool = True


class SentSilence(_Sent):
    """A silence as it is sent (`postableSilence`)."""

    id: str = ""
    matchers: list[SentMatcher] = Field(min_length=1)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    created_by: str
    comment: str


def list_silences(
    stores: Stores, sight: Sight, filters: Sequence[str], creators: Sequence[str]
) -> list[dict[str, Any]]:
    """Return `gettableSilences`: what is active first, then what is to come, then what is over."""
    now = stores.clock.now()
    with stores.state.reading() as connection:
        found = silences_in(connection, now - KEPT_SECONDS)
    seen = [
        each
        for each in found
        if not sight.names_hidden(each.matchers) and (not creators or each.who in creators)
    ]  # fmt: skip
    labels = [{matcher["name"]: matcher["value"] for matcher in _matchers(each)} for each in seen]
    held = meant(matchers_of(filters, "filter"), labels, "filter")
    told = [each for each, is_meant in zip(seen, held, strict=True) if is_meant]
    return [silence_as_json(each, now) for each in sorted(told, key=lambda each: _order(each, now))]


def find_silence(stores: Stores, sight: Sight, id: str) -> Silence | None:
    """Return the silence of an id; None: there is none that may be seen."""
    number = number_of(id)
    if number is None:
        return None
    with stores.state.reading() as connection:
        found = silence_in(connection, number)
    return found if found is not None and not sight.names_hidden(found.matchers) else None


def put_silence(stores: Stores, sight: Sight, body: bytes, who: str) -> str:
    """Make a silence, or a new one in place of one, and return its id.

    One that was is ended after the new one has begun, so that nothing is told in between. Raises Refused (404: there is
    no silence of the id that is sent; amtool then sends it without), ChangeRejected.
    """
    sent, now = _read(body), stores.clock.now()
    before = find_silence(stores, sight, sent.id) if sent.id else None
    if sent.id and before is None:
        raise Refused(404, f"silence {cut(sent.id, 40)} not found")
    made = Silence(
        checked([_matcher(each) for each in sent.matchers]), max(sent.starts_at.timestamp(), now),
        sent.ends_at.timestamp(), sent.comment, _who(who, sent.created_by), now,
    )  # fmt: skip
    if before is not None and before.when(now) is not When.EXPIRED and _is_same(before, made, sent.starts_at):
        return uuid_of(before.id)
    done = add_silence(stores.state, made)
    if before is not None and before.when(now) is not When.EXPIRED:
        end_silence(stores.state, before.id, who, now)
    stores.live.bump(DATASET)
    return uuid_of(done.id)


def expire_silence(stores: Stores, id: int, who: str) -> None:
    """End a silence. Raises ChangeRejected."""
    end_silence(stores.state, id, who, stores.clock.now())
    stores.live.bump(DATASET)


def silence_as_json(each: Silence, now: float) -> dict[str, Any]:
    """Return `gettableSilence`."""
    return {
        "id": uuid_of(each.id),
        "status": {"state": each.when(now).value},
        "updatedAt": time_of(each.ends if each.ended_by else each.made_at),
        "comment": each.why,
        "createdBy": each.who,
        "endsAt": time_of(each.ends),
        "matchers": _matchers(each),
        "startsAt": time_of(each.begins),
    }


def number_of(id: str) -> int | None:
    """Return the number of a silence by the id that Alertmanager's clients know, or by itself; None: it is none."""
    try:
        number = int(id) if re.fullmatch(r"[0-9]{1,15}", id) else UUID(id).int
    except ValueError:
        return None
    return number if number <= HIGHEST_NUMBER else None


def _read(body: bytes) -> SentSilence:
    try:
        return SentSilence.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(400, f"{where}: {first['msg']}" if where else str(first["msg"])) from error


def _matcher(sent: SentMatcher) -> Matcher:
    operator = ("=~" if sent.is_equal else "!~") if sent.is_regex else ("=" if sent.is_equal else "!=")
    return Matcher(sent.name, operator, sent.value)


def _matchers(silence: Silence) -> list[dict[str, Any]]:
    if silence.is_of_all:
        return EVERYTHING
    return [
        {
            "isEqual": each.operator in ("=", "=~"),
            "isRegex": each.operator in ("=~", "!~"),
            "name": each.label,
            "value": each.value,
        }
        for each in silence.matchers
    ]


def _who(who: str, created_by: str) -> str:
    """Return who made it: whose token it is, and for whom where that says another one."""
    other = "".join(each for each in created_by if each.isprintable()).strip()
    if other.startswith(("service:", f"{who} for ")):
        # It is told so here, and comes back with `amtool silence import`: whom it was for is the last of it.
        other = other.rpartition(" for ")[2]
    return cut(f"{who} for {other}" if other and other != who else who, WHO_CHARACTERS)


def _is_same(before: Silence, made: Silence, starts: datetime) -> bool:
    """Return whether what is sent is what there is, by the millisecond in which times are told."""
    times = (before.begins, before.ends), (starts.timestamp(), made.ends)
    same_times = all(abs(one - other) < 0.001 for one, other in zip(*times, strict=True))
    return same_times and replace(before, begins=0, ends=0, made_at=0, id=0, who="") == replace(
        made, begins=0, ends=0, made_at=0, id=0, who=""
    )


def _order(each: Silence, now: float) -> tuple[int, float]:
    when = each.when(now)
    if when is When.ACTIVE:
        return 0, each.ends
    return (1, each.begins) if when is When.PENDING else (2, -each.ends)
