"""What the Import page posts: a file to be looked at or taken, an import to be undone, refused files to be dismissed.

Nothing of a file is kept between two posts: each brings a line of JSON that says how to read it, and then the file as
it is. The line names a refused file of the inbox instead when that is looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import orjson
from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.errors import ImportRejected, UndoRejected
from core.format import bytes_, count
from dashboard.components.markup import markup
from dashboard.imports import rows
from dashboard.imports.look import Looked, look
from dashboard.imports.looked import answer, in_words
from dashboard.imports.taken import result
from dashboard.views.form import Form, Said, Sent
from portfolio.allowed import Limits
from portfolio.imports.mapping import Mapping
from portfolio.imports.refused import RefusedFile, find_refused, look_away, read_refused, to_look_at
from portfolio.imports.sheet import LARGEST_BYTES
from portfolio.imports.take import take_understood
from portfolio.imports.undo import undo
from portfolio.imports.within import within
from storage.state.imports import find_import

if TYPE_CHECKING:
    from storage.stores import Stores

ORDER_BYTES = 1_048_576
"""Most that the line before the file may have: roles of thousands of columns."""
LONGEST_NAME = 255
NOT_UNDERSTOOD = "Not understood: a line of JSON and a file were expected."
NOT_THERE = "There is no such file in inbox/refused any more."
TOO_LARGE = f"Too large: a file has {bytes_(LARGEST_BYTES)} at most. Split it, or pack it as .zip or .gz."


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that a page sent, or named, and what a person said of it."""

    name: str
    content: bytes | None
    said: Mapping
    accept: bool
    """Whether what is hard to believe was confirmed."""
    are_new: bool
    """Whether names that are like others were confirmed."""
    refused: RefusedFile | None = None


def forms(stores: Stores) -> list[Form]:
    """Return the forms of the page."""
    most_bytes = LARGEST_BYTES + ORDER_BYTES
    return [
        Form("/import/look", partial(_look, stores), CHANGING_ROLE, most_bytes=most_bytes, takes_file=True),
        Form("/import/take", partial(_take, stores), CHANGING_ROLE, most_bytes=most_bytes, takes_file=True),
        Form("/import/undo", partial(_undo, stores), CHANGING_ROLE),
        Form("/import/dismiss", partial(_dismiss, stores), CHANGING_ROLE, is_shared=True),
    ]


def _look(stores: Stores, sent: Sent, viewer: Viewer) -> Said:
    brought = _brought(stores, sent.content, viewer.portfolios)
    if isinstance(brought, Said):
        return brought
    if (kind := rows.kind_of(brought.name, brought.content)) is not None:
        return rows.looked_at(stores, brought.name, brought.content, kind, viewer.portfolios)
    return _shown(look(stores, brought.name, brought.content, brought.said, viewer.portfolios))


def _take(stores: Stores, sent: Sent, viewer: Viewer) -> Said:
    brought = _brought(stores, sent.content, viewer.portfolios)
    if isinstance(brought, Said):
        return brought
    if (kind := rows.kind_of(brought.name, brought.content)) is not None:
        said = rows.taken(stores, brought.name, brought.content, kind, viewer.name, viewer.portfolios)
        if said.is_done and brought.refused is not None:
            look_away(stores, [brought.refused], viewer.name)
        return said
    looked = look(stores, brought.name, brought.content, brought.said, viewer.portfolios)
    missing = _missing(looked, brought)
    if missing:
        return _shown(looked, missing)
    try:
        taken = take_understood(
            stores, looked.understood, looked.digest, brought.said, who=viewer.name, accept=brought.accept
        )
    except ImportRejected as error:
        looked = look(stores, brought.name, brought.content, brought.said, viewer.portfolios)
        if looked.can_be_taken:
            # What is wrong is not in the file: a portfolio of it is being merged, say.
            reasons = "; ".join(map(str, error.mistakes))
            return _shown(looked, f"Nothing was taken: {reasons}. {error.remedy} ")
        return _shown(looked, "Nothing was taken. ")
    if brought.refused is not None:
        look_away(stores, [brought.refused], viewer.name)
    taken = replace(taken, again=looked.again)
    return Said(str(taken), html=markup(result(taken)))


def _missing(looked: Looked, brought: Brought) -> str:
    """Return what a person has to do before the file is taken; empty: nothing."""
    if not looked.can_be_taken:
        return "Nothing was taken. "
    if looked.understood.doubts and not brought.accept:
        return "Nothing was taken: confirm what is hard to believe. "
    if looked.names.near and not brought.are_new:
        return "Nothing was taken: confirm the names that are new. "
    return ""


def _shown(looked: Looked, before: str = "") -> Said:
    return Said(f"{before}{in_words(looked)}", is_done=False, html=markup(answer(looked)))


def _brought(stores: Stores, body: bytes, limits: Limits) -> Brought | Said:
    """Return what a page sent, or what to say when that cannot be."""
    line, _, content = body.partition(b"\n")
    try:
        order = orjson.loads(line)
        name, refused = order.get("name", ""), order.get("refused", "")
        said = Mapping.from_json(json.dumps(order.get("said", {})))
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return _refuse(NOT_UNDERSTOOD)
    except ValueError as error:
        field = str(error).split(" ")[0].replace("-", "_")
        return Said(f"Not understood: {error}.", is_done=False, fields={field: str(error)})
    if not isinstance(name, str) or not isinstance(refused, str) or not (name or refused):
        return _refuse(NOT_UNDERSTOOD)
    accept, are_new = order.get("accept") is True, order.get("new") is True
    if refused:
        if limits is not None:
            return _refuse(NOT_THERE)
        return _of_inbox(stores, refused, said, accept, are_new)
    if len(content) > LARGEST_BYTES:
        return _refuse(TOO_LARGE)
    return Brought(name[:LONGEST_NAME], content, said, accept, are_new)


def _refuse(sentence: str) -> Said:
    return Said(sentence, is_done=False)


def _of_inbox(stores: Stores, name: str, said: Mapping, accept: bool, are_new: bool) -> Brought | Said:
    """Return a refused file of the inbox, found by its name in the list of them, whatever the name says."""
    try:
        file = find_refused(stores, name)
        if file is None or not file.is_table:
            return _refuse(NOT_THERE)
        content, order = read_refused(file)
    except OSError as error:
        return _refuse(f"It cannot be read: {error.strerror or error}.")
    return Brought(order.name or file.name, content, said.over(order.said), accept, are_new, file)


def _undo(stores: Stores, sent: Sent, viewer: Viewer) -> Said:
    if not (number := sent["number"]).isdecimal() or len(number) > 9:
        return Said("Not undone: which import is not told.", is_done=False)
    if not _may_undo(stores, int(number), viewer.portfolios):
        return Said(f"Not undone: there is no import {int(number)}.", is_done=False)
    try:
        undone = str(undo(stores, int(number), viewer.name))
    except UndoRejected as error:
        return Said(f"Not undone: {error}.", is_done=False)
    sentence = f"{undone[:1].upper()}{undone[1:]}."
    return Said(sentence, html=markup(html.P(sentence)))


def _may_undo(stores: Stores, number: int, limits: Limits) -> bool:
    """Return whether an import is listed for somebody under limits; without, it is for `undo` to find it."""
    if limits is None:
        return True
    item = find_import(stores.state, number)
    return item is not None and within(stores.state, limits).shows(item)


def _dismiss(stores: Stores, sent: Sent, viewer: Viewer) -> Said:
    """Mark one refused file as looked at, or all that are."""
    name = sent["name"]
    try:
        files = [file for file in to_look_at(stores) if name in ("", file.name)]
    except OSError as error:
        return Said(f"The inbox cannot be read: {error.strerror or error}.", is_done=False)
    if not files:
        return Said("It is not there any more, or was looked at.", is_done=False)
    look_away(stores, files, viewer.name)
    what = files[0].name if len(files) == 1 else count(len(files), "file")
    sentence = f"{what} dismissed; still in inbox/refused."
    return Said(sentence, html=markup(html.P(sentence)))
