"""The door for rows: a batch of one kind in one request, taken whole or refused with every reason."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Literal

from flask import request
from pydantic import Field

from api.models import Answered
from api.operation import Ask, Operation
from api.parameters import Parameters
from api.problem import Refused
from core.errors import RowsRefused, StorageRejected
from core.format import bytes_
from core.ingest.kinds import KINDS, Kind
from core.roles import Role
from portfolio.ingest.body import PACKINGS, TYPES, unpacked
from portfolio.ingest.raw import TooLarge
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.take import take_content
from portfolio.ingest.trace import trace_refused, trace_sent
from storage.state.ingest_answers import begin, forget, keep_answer

TAG = "Ingest"
KEY_HEADER = "Idempotency-Key"
KEY_CHARACTERS = 255

log = logging.getLogger(__name__)


class HowTaken(Parameters):
    """How a batch is to be taken."""

    create: bool = Field(False, description="Whether portfolios that there are none of are made.")
    on_conflict: Literal["restate", "refuse"] = Field(
        "restate",
        description="What becomes of a row that says something else than what stands there: it replaces that, and "
        "leaves a mark; or it refuses the batch.",
    )


class Taken(Answered):
    """A batch that is taken whole, and is on disk. Counts that nobody knows yet are null."""

    kind: str = Field(description="Of its rows.")
    rows: int = Field(description="How many were sent.")
    added: int | None = Field(description="There was nothing of before; null: see is_waiting.")
    already_there: int | None = Field(description="Say what is there, or what another row says.")
    restated: int | None = Field(None, description="Replaced what was said before; each left a mark.")
    updated: int | None = Field(None, description="Orders that came into a later state.")
    older: int | None = Field(None, description="States of orders that have gone on since.")
    is_waiting: bool = Field(
        False, description="Whether it waits on disk until ClickHouse answers; then nobody knows yet what was there."
    )
    created: list[str] = Field(default_factory=list, description="Portfolios that were made for it.")
    told: list[str] = Field(default_factory=list, description="What must be known beside it, a sentence each.")


def _door(kind: Kind) -> Callable[[Ask[HowTaken]], Taken]:
    def answer(ask: Ask[HowTaken]) -> Taken:
        try:
            content, written = _content(ask)
            return _once(ask, kind, content, written)
        except TooLarge as error:
            raise Refused(413, str(error), fix="The limits are the settings ingest.most_…") from error
        except StorageRejected as error:
            log.exception("ClickHouse refuses %s that were sent", kind.name)
            fix = "Send it in smaller batches; the log of Fundwatch says more."
            raise Refused(422, f"ClickHouse refuses this batch: {error}", fix=fix) from error

    return answer


def _content(ask: Ask[HowTaken]) -> tuple[bytes, str]:
    """Return the unpacked body and how it is written. Raises Refused, TooLarge, RowsRefused."""
    written = TYPES.get(request.mimetype)
    if written is None:
        detail = f"Rows are not taken as {request.mimetype[:100] or 'no type'}."
        raise Refused(415, detail, field="Content-Type", fix="Send one of those allowed.", allowed=TYPES)
    packing = request.headers.get("Content-Encoding", "").strip().lower().replace("identity", "")
    if packing not in ("", *PACKINGS):
        detail = f"The body is packed with {packing[:40]}."
        raise Refused(415, detail, field="Content-Encoding", fix="Pack it with one of those allowed.", allowed=PACKINGS)
    limits = ask.stores.settings.ingest
    request.max_content_length = limits.most_bytes + 1
    if (request.content_length or 0) > limits.most_bytes:
        raise TooLarge(f"A batch has {bytes_(limits.most_bytes)} at most, as it is sent: send several.")
    return unpacked(request.stream, packing, limits.most_unpacked_bytes), written


def _once(ask: Ask[HowTaken], kind: Kind, content: bytes, written: str) -> Taken:
    """Take a batch; one whose key was used for it before gets the answer that it got then."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        return _taken(ask, kind, content, written)
    if len(key) > KEY_CHARACTERS or not key.isprintable():
        fix = f"Give 1 to {KEY_CHARACTERS} printable characters, such as a UUID."
        raise Refused(422, f"{KEY_HEADER} is none.", field=KEY_HEADER, fix=fix)
    state, who = ask.stores.state, ask.viewer.name[:160]
    about = f"{kind.name}\0{written}\0{ask.query.model_dump_json()}\0".encode()
    digest = hashlib.blake2b(about + content, digest_size=32).hexdigest()
    before = begin(state, who, key, digest, ask.now, ask.stores.settings.ingest.keep_answers_seconds)
    if before is not None and before.digest != digest:
        fix = "Give each batch a key of its own, and send the same batch again unchanged."
        raise Refused(422, f"This {KEY_HEADER} came with another batch before.", field=KEY_HEADER, fix=fix)
    if before is not None and not before.answer:
        raise Refused(
            409, "A batch with this key is being worked on.", field=KEY_HEADER, fix="Send it again in a minute."
        )
    if before is not None:
        return Taken.model_validate_json(before.answer)
    try:
        taken = _taken(ask, kind, content, written)
    except BaseException:  # whatever it was: a key that stays "being worked on" could not be used again
        forget(state, who, key)
        raise
    keep_answer(state, who, key, taken.model_dump_json())
    return taken


def _taken(ask: Ask[HowTaken], kind: Kind, content: bytes, written: str) -> Taken:
    may_create = ask.query.create or ask.stores.settings.ingest.create_portfolios
    refuses = ask.query.on_conflict == "refuse"
    asked = Asked(kind, ask.viewer.portfolios, may_create, refuses, who=ask.viewer.name)
    try:
        taken = take_content(ask.stores, asked, content, written)
    except (RowsRefused, TooLarge, StorageRejected) as error:
        trace_refused(ask.stores, asked, str(error))
        raise
    trace_sent(ask.stores, asked, taken)
    return _told(taken)


def _told(taken: Ingested) -> Taken:
    return Taken.model_validate({name: value for name, value in asdict(taken).items() if name in Taken.model_fields})


def _operation(kind: Kind) -> Operation:
    about = (kind.model.__doc__ or "").strip().splitlines()[0]
    return Operation(
        path=f"/ingest/{kind.name}", summary=f"Send {kind.name}. {about}", answer=_door(kind), model=Taken,
        query=HowTaken, tag=TAG, method="POST", rows=kind.model, role=Role.OPERATOR, scope=kind.scope,
    )  # fmt: skip


OPERATIONS: tuple[Operation, ...] = tuple(map(_operation, KINDS.values()))
