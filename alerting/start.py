"""Starting the alert engine of a process that collects."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerting.engine import Route
from alerting.evaluate import Read, Value
from alerting.forgetting import Forgetting
from alerting.mirror import Mirror
from alerting.quiet import Causes
from alerting.runner import Runner
from alerting.watchdog import Watchdog
from core.alerts.expression import Figure, Worked
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.lease import Lease
from core.model import Labels
from storage.live.leases import LeaseStore
from storage.stores import Stores

LEASE = "alerting"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the engine works with."""

    rules: Callable[[], Sequence[Rule]]
    """Returns those of now, or raises FundwatchError."""
    read: Read
    route: Route
    wake: Callable[[], None]
    """Tells who sends that there may be messages."""


def parts_of(stores: Stores) -> Parts:
    """Return what the engine works with: no rule yet, so nothing is read and nobody is told."""
    return Parts(tuple, _read_nothing, _tell_nobody, _wake_nobody)


def start_alerting(stores: Stores, parts: Parts | None = None) -> Runner | None:
    """Start the alert engine, its watchdog and the copying of its history; None: the settings switch it off.

    Stop it, before the stores are closed, with `stop(seconds)`.
    """
    settings = stores.settings
    if not settings.alerts.enabled:
        return None
    found = parts or parts_of(stores)
    lease = None if settings.is_embedded else Lease(LeaseStore(stores.live), _owner(stores), stores.clock, LEASE)
    causes = Causes(settings.alerts.all_rests_on, settings.alerts.inhibitions)
    runner = Runner(stores, found.rules, found.read, found.route, causes, lease, found.wake)

    def is_active() -> bool:
        return runner.is_active

    url = settings.alerts.watchdog_url.get_secret_value()
    watchdog = Watchdog(url, settings.alerts.watchdog_seconds, is_active, runner.audit)
    runner.attend(watchdog.run, "alerting-watchdog")
    runner.attend(Mirror(stores, is_active).run, "alerting-mirror")
    forgetting = Forgetting(stores.state, stores.clock, settings.alerts.keep_days, is_active)
    runner.attend(forgetting.run, "alerting-forgetting")
    runner.start()
    return runner


def _owner(stores: Stores) -> str:
    return f"{stores.settings.machine}:{os.getpid()}:{os.urandom(4).hex()}"


def _read_nothing(operand: Figure | Worked) -> Sequence[Value]:
    return ()


def _tell_nobody(rule: Rule, labels: Labels) -> tuple[str, Plan]:
    return rule.name, Plan()


def _wake_nobody() -> None:
    return
