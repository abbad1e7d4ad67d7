"""Does what a page asked to be done to a watched source, if the settings allow it; reads one now, reloads the settings.

A kind's module may have `act(source, action, target) -> Done`; it raises SourceUnavailable or SourceRejected with
the reason when it cannot, and keeps to `source.timeout_seconds`, which is longer here than for a reading.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from collectors.base import Done
from collectors.runtime.registry import source_module, source_of
from collectors.runtime.reload import Reloading
from collectors.runtime.runner import Runner
from core.errors import SettingsError, SourceError, SourceRejected, SourceUnavailable, StorageError
from core.format import count, duration
from core.model import Outcome, SourceId
from core.requests import RELOAD, TRY_NOW
from storage.state.actions import DATASET, DONE, FAILED, Action, finish_action, take_action
from storage.stores import Stores

LOOK_SECONDS = 1.0
LEAST_SECONDS = 10.0
"""An action may take this long where a reading may not: a person waits for it, and no interval does."""
TRY_SECONDS = 15.0
"""Longest time that a reading which was asked for is waited for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of an action, when (epoch seconds), before the state database has it."""

    id: int
    at: float
    status: str
    sentence: str
    detail: str


Own = Mapping[str, Callable[[SourceId], Done]]
"""What the runtime itself does for a page, by the name of the request. No settings need to allow it."""


def own_work(runner: Runner, reloading: Reloading) -> Own:
    """Return what the collectors of a process do for a page beside the actions of a kind."""

    def try_now(source: SourceId) -> Done:
        try:
            run = runner.try_now(str(source), TRY_SECONDS)
        except KeyError as error:
            raise SourceRejected(f"there is no source {source}") from error
        if run.outcome is not Outcome.OK:
            raise SourceUnavailable(run.error)
        return Done(f"answers, {count(run.samples, 'value')} in {duration(run.duration_seconds)}")

    def reload(_source: SourceId) -> Done:
        try:
            return Done(str(reloading.reload()))
        except SettingsError as error:
            raise SourceRejected(f"refused, the settings before stay in force: {error}") from error

    return {TRY_NOW: try_now, RELOAD: reload}


def run_actions(
    reloading: Reloading,
    runner: Runner,
    own: Own,
    stopping: threading.Event,
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> None:
    """Look for requests every second until told to stop. One that stands by leaves them to the one that collects.

    only, without: names of the requests that are done here; empty: all.
    """
    untold: deque[Ended] = deque()
    is_told = False
    while not stopping.wait(LOOK_SECONDS):
        try:
            while runner.is_collecting and do_next(reloading.stores, own, untold, only, without):
                pass
            is_told = False
        except StorageError as error:
            if not is_told:
                log.warning("actions wait: the state database does not take them: %s", error)
            is_told = True


def do_next(
    stores: Stores,
    own: Own | None = None,
    untold: deque[Ended] | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> bool:
    """Do the oldest request (of these names alone, or but these), if there is one. Return whether there was.

    An action is taken before it is done, so that it is never done twice. What came of it stays in `untold` until the
    state database has it, and until then nothing else is done. Raises StorageUnavailable.
    """
    untold = deque() if untold is None else untold
    _tell(stores, untold)
    action = take_action(stores.state, stores.clock.now(), only, without)
    if action is None:
        return False
    status, done = _do(stores, action, own or {})
    log.info("action %s on %s (%s): %s: %s", action.action, action.source, action.target, status, done.sentence)
    detail = orjson.dumps({"columns": done.table.columns, "rows": done.table.rows}).decode() if done.table else ""
    untold.append(Ended(action.id, stores.clock.now(), status, done.sentence, detail))
    _tell(stores, untold)
    return True


def _tell(stores: Stores, untold: deque[Ended]) -> None:
    while untold:
        ended = untold[0]
        finish_action(stores.state, ended.at, ended.id, ended.status, ended.sentence, ended.detail)
        untold.popleft()
        stores.live.bump(DATASET)


def _do(stores: Stores, action: Action, own: Own) -> tuple[str, Done]:
    if action.action not in own and not stores.settings.actions_enabled:
        return FAILED, Done("actions are switched off in the settings of the collecting process")
    asked = SourceId.parse(action.source)
    if asked is None:
        return FAILED, Done(f"there is no source {action.source}")
    try:
        if action.action in own:
            return DONE, own[action.action](asked)
        source = source_of(stores.settings, asked)
        patient = source.model_copy(update={"timeout_seconds": max(source.timeout_seconds, LEAST_SECONDS)})
        return DONE, source_module(source.KIND).act(patient, action.action, action.target)
    except SourceError as error:
        return FAILED, Done(str(error))
    except KeyError:
        return FAILED, Done(f"there is no source {action.source}")
    except Exception as error:
        log.exception("action %s on %s failed", action.action, action.source)
        return FAILED, Done(f"{type(error).__name__}: {error}")
