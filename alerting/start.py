"""Starting the alert engine of a process that collects."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from alerting.beside import Beside
from alerting.engine import Route
from alerting.figures import Figures
from alerting.forgetting import Forgetting
from alerting.mirror import Mirror
from alerting.quiet import Causes
from alerting.readiness.evaluator import Engine, Evaluator, readiness_states
from alerting.router import Router
from alerting.runner import Deliver, Runner
from alerting.sender import Sender
from alerting.watchdog import Watchdog
from core.alerts.rule import Rule
from core.alerts.rule_set import require
from core.lease import Lease
from portfolio.channel_set import channels_in_force, fallbacks_of_off, routes_in_force
from portfolio.rule_files import in_force, rule_set
from storage.live.leases import LeaseStore
from storage.stores import Stores

LEASE = "alerting"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the engine works with."""

    rules: Callable[[], Sequence[Rule]]
    """Returns those of now, or raises FundwatchError."""
    figures: Figures
    route: Route
    deliver: Deliver

    takers: list[Callable[[Stores], None]] = field(default_factory=list)
    """What else hears of changed sources."""

    def take(self, stores: Stores) -> None:
        """Take the sources of changed settings. It may be called by another thread.

        Routes, channels and rules of the settings are those of the start: changed ones need a restart. Channels that
        people make are followed.
        """
        self.figures.take(stores)
        for take in self.takers:
            take(stores)


def parts_of(stores: Stores) -> Parts:
    """Return what the engine works with, by the settings. Raises SettingsError: a rule is wrong."""
    settings = stores.settings
    require(rule_set(stores))
    router = Router(partial(routes_in_force, stores), stores.clock)

    beside = Beside(stores, partial(in_force, stores))

    def deliver(token: int) -> Sender:
        channels, now = partial(channels_in_force, stores), stores.clock.now
        works = settings.alerts.message_link_seconds if settings.alerts.message_links else 0.0
        return Sender(
            stores.state, channels, now, token, machine=settings.machine, address=settings.links_lead_to,
            links_work_seconds=works, complete=beside, fallbacks=partial(fallbacks_of_off, stores),
        )  # fmt: skip

    return Parts(partial(in_force, stores), Figures(stores), router, deliver)


def prepare_alerting(stores: Stores) -> Parts | None:
    """Return what the engine will work with; None: the settings switch it off. Raises SettingsError: a rule is wrong.

    Collectors start after it, so that it hears of every change of their sources.
    """
    return parts_of(stores) if stores.settings.alerts.enabled else None


def start_alerting(stores: Stores, found: Parts) -> Runner:
    """Start the alert engine, its watchdog and the copying of its history.

    Stop it, before the stores are closed, with `stop(seconds)`.
    """
    settings = stores.settings
    lease = None if settings.is_embedded else Lease(LeaseStore(stores.live), _owner(stores), stores.clock, LEASE)

    def left_out() -> Sequence[str]:
        return [str(each) for each in rule_set(stores).left_out]

    causes = Causes(settings.alerts.all_rests_on, settings.alerts.inhibitions)
    runner = Runner(stores, found.rules, found.figures, found.route, causes, lease, found.deliver, left_out)

    def is_active() -> bool:
        return runner.is_active

    url = settings.alerts.watchdog_url.get_secret_value()
    watchdog = Watchdog(url, settings.alerts.watchdog_seconds, is_active, runner.audit)
    runner.attend(watchdog.run, "alerting-watchdog")
    runner.attend(Mirror(stores, is_active).run, "alerting-mirror")
    forgetting = Forgetting(stores.state, stores.clock, settings.alerts.keep_days, is_active)
    runner.attend(forgetting.run, "alerting-forgetting")
    states = readiness_states(stores)
    engine = Engine(runner.may_tell, lambda: runner.has_ticked, lambda: runner.tick_age_seconds, lambda: runner.problem)
    readiness = Evaluator(stores, engine, states)
    runner.attend(states.run, "readiness-states")
    found.takers.append(readiness.take)
    runner.attend(readiness.run, "readiness")
    for probe in readiness.probes:
        runner.attend(probe.run, f"readiness-{probe.name}")
    runner.start()
    return runner


def _owner(stores: Stores) -> str:
    return f"{stores.settings.machine}:{os.getpid()}:{os.urandom(4).hex()}"
