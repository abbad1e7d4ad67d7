"""`python -m collectors try NAME`: one reading of a source, printed; also beside the Fundwatch that runs.

Nothing is stored. A first reading has no rates: they need two.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any, cast

from collectors.base import Context
from collectors.runtime.registry import configured, made, module_collector
from core.clock import SystemClock
from core.errors import SettingsError, SourceRejected, SourceUnavailable, StorageUnavailable
from core.format import count, duration, first_of
from core.kinds.base import OWN, Source
from core.kinds.registry import KINDS
from core.kinds.service import ServiceSource
from core.model import SEVERITY, Collector, Component, Reading, SourceId, Status, worst
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.writer import Writer
from storage.live.redis import Live
from storage.state.database import State
from storage.stores import Stores

MACHINE = ("system", "processes")
"""Collectors of this machine that can be tried."""
SPARE_SECONDS = 1.0
FINE, TROUBLED = 0, 1


class _Elsewhere:
    """A store that belongs to the Fundwatch that runs. Raises StorageUnavailable for whatever is asked of it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.query_log = QueryLog()

    def __getattr__(self, name: str) -> Any:
        raise StorageUnavailable(f"{self._what} of the Fundwatch that runs is not opened to try a source")


def try_source(settings: Settings, name: str) -> int:
    """Read the source of that name once and print what was found. Return 0, 1 when something is wrong with it.

    Raises SettingsError when there is no such source, or when only the Fundwatch that runs can read it.
    """
    with closing(_state(settings)) as state:
        stores = Stores(
            settings,
            cast(ClickHouse, _Elsewhere("ClickHouse")),
            cast(Live, _Elsewhere("Redis")),
            state,
            cast(Writer, _Elsewhere("the writer")),
            SystemClock(),
        )
        context = Context(settings, stores, lambda: (), is_trial=True)
        if name in MACHINE:
            collector = module_collector(name, context)
        else:
            collector, _ = made(_at_once(_named(settings, name)), context)
        return _tell(collector)


def _state(settings: Settings) -> State:
    """Return what was decided; an empty one where Fundwatch has never run: to try a source leaves nothing behind."""
    if settings.state_url or (settings.data_dir / "state.sqlite").exists():
        return State(settings.state_dsn)
    state = State("sqlite:///:memory:")
    state.migrate()
    return state


def _named(settings: Settings, name: str) -> Source:
    """Return the source that is called NAME: `kind:name`, or its name alone where no other kind has one."""
    sources = configured(settings)
    if settings.is_embedded:
        sources = [each for each in sources if str(each.id) != f"clickhouse:{OWN}"]
    found = [each for each in sources if name in (each.collector, each.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(f"several sources are named {name}: {', '.join(each.collector for each in found)}")
    asked = SourceId.parse(name)
    if asked is not None and asked.kind not in KINDS:
        raise SettingsError(f"there is no kind {asked.kind}; there are {', '.join(KINDS)}")
    there = [*MACHINE, *(each.collector for each in sources)]
    raise SettingsError(f"there is no source {name}; there are {', '.join(there)}")


def _at_once(source: Source) -> Source:
    """Return the source without the retries that put off what is said of it: there is but one reading."""
    return source.model_copy(update={"retries": 0}) if isinstance(source, ServiceSource) else source


def _tell(collector: Collector) -> int:
    began = SystemClock().monotonic()
    found = _read(collector)
    took = duration(SystemClock().monotonic() - began)
    if isinstance(found, str):
        print(f"{collector.name}: {found} (after {took})")
        return TROUBLED
    for part in found.components:
        print(_line(part))
    print(f"{count(len(found.samples), 'value')} in {took}; {_tables(found)}")
    return TROUBLED if SEVERITY[worst([part.status for part in found.components])] else FINE


def _line(part: Component) -> str:
    word = part.status.value.replace("_", " ")
    return "\n".join([f"{part.name}: {word}: {part.why}", *(f"  {reason}" for reason in part.reasons[1:])])


def _tables(found: Reading) -> str:
    told = [f"{each.name.replace('_', ' ')} {len(each.rows)}" for each in found.tables if each.rows]
    return f"rows of {first_of(told, most=len(told))}" if told else "no rows"


def _read(collector: Collector) -> Reading | str:
    """Return a reading, or why there is none; waits no longer than the collector may take."""
    found: list[Reading | str] = ["no result within its time"]

    def read() -> None:
        try:
            found.append(collector.collect(SystemClock().now()))
        except SourceRejected as error:
            found.append(f"refused: {error}")
        except (SourceUnavailable, StorageUnavailable) as error:
            found.append(f"down: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was found
            found.append(f"{Status.DOWN.value}: {type(error).__name__}: {error}")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(collector.timeout_seconds + SPARE_SECONDS)
    return found[-1]
