"""An alert engine with its senders as the product has them, over a state database in a file and without ClickHouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from alerting.quiet import Causes
from alerting.router import Router
from alerting.runner import Reading, Runner
from alerting.sender import Sender
from core.alerts.rule import Rule
from core.clock import Clock
from core.errors import StorageUnavailable
from core.settings.channels import Channels, Webhook
from core.settings.model import Settings
from core.settings.routes import Route
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.live.redis import Live
from storage.state.database import State
from storage.stores import Stores

RULE = Rule.model_validate({"name": "busy", "when": "load > 80 %", "severity": "critical", "every": "1 s"})


def state_of(folder: Path) -> State:
    """Return the state database of a folder."""
    return State(f"sqlite:///{folder / 'state.sqlite'}")


def runner_of(
    state: State, spool: Path, valkey: str, clock: Clock, figures: Reading, hooks: Sequence[Webhook],
    rules: Callable[[], Sequence[Rule]] = lambda: [RULE],
) -> Runner:  # fmt: skip
    """Return a runner of these rules whose incidents are one a host, each told to every hook at once and only once.

    spool: a file of its own.
    """
    routes = (Route(receivers=tuple(each.name for each in hooks), group_by=("host",), repeat=0),)
    settings = Settings(data_dir=spool.parent, machine="bench", channels=Channels(webhook=tuple(hooks)), routes=routes)

    def refuse(batch: object) -> None:
        raise StorageUnavailable("there is no ClickHouse here")

    writer = Writer(refuse, Spool(spool, 2**20))
    stores = Stores(settings, ClickHouse("http://127.0.0.1:9"), Live(valkey, "bench"), state, writer, clock)
    router = Router(lambda: routes, clock)
    sender = partial(Sender, state, settings.channels.every, clock.now, machine="bench", address="")
    return Runner(stores, rules, figures, router, Causes({}), None, sender)
