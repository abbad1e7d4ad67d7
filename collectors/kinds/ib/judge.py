"""From what a gateway sent to checks: what is wrong with the way to Interactive Brokers, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors.judging.checks import Check, bad_if
from collectors.judging.market_hours import Market
from collectors.judging.recent import RECENT_SECONDS
from collectors.kinds.ib.state import Farm, GatewayState
from core.format import coarse_duration, count, duration, number, tenths
from core.kinds.ib import spec
from core.kinds.ib.codes import LOST, PACING, RESTORED_EMPTY, FarmState, Level
from core.kinds.ib.source import IbSource, window_of
from core.kinds.ib.spec import Checks, Message
from core.model import Status

FARMS_NAMED = 4
ACCOUNTS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What a reading is judged by, beside the state of the gateway."""

    messages: Sequence[Message]
    round_trips: Sequence[float]
    """The newest ones, in seconds."""
    skew_seconds: float
    requests_per_second: float | None
    reconnections: float
    """Within ten minutes."""
    hours: Market | None
    """None while they are not known, which counts as open."""


def judge(source: IbSource, state: GatewayState, measured: Measured, monotonic: float, now: float) -> list[Check]:
    """Return every check of a gateway that is ready."""
    until = reset_until(source.reset_windows, now)
    recent = [message for message in measured.messages if now - message.ts <= RECENT_SECONDS]
    is_open = measured.hours is None or measured.hours.is_open(now)
    return [
        _link(state, until, monotonic),
        _accounts(source, state),
        _farms(list(state.farms.values()), is_open, until, monotonic),
        _latency(measured.round_trips),
        _clock(measured.skew_seconds),
        _pacing(recent, measured.requests_per_second or 0.0),
        _errors(recent),
        _reconnections(measured.reconnections),
    ]


def reset_until(windows: Sequence[str], now: float) -> str:
    """Return when Interactive Brokers' reset that goes on at `now` ends ("01:45 New York"); empty outside of one."""
    for text in windows:
        day, start, end, zone = window_of(text)
        here = datetime.fromtimestamp(now, zone)
        for back in (0, 1):
            date = here.date() - timedelta(days=back)
            begins = datetime.combine(date, start, zone)
            ends = datetime.combine(date if end > start else date + timedelta(days=1), end, zone)
            if (day is None or date.weekday() == day) and begins <= here < ends:
                return f"{ends:%H:%M} {zone.key.rpartition('/')[2].replace('_', ' ')}"
    return ""


def lowered(name: str, status: Status, why: str, until: str) -> Check:
    """Return a check; in a reset of Interactive Brokers' a warning at most, which says so."""
    if not until:
        return Check(name, status, why)
    return Check(name, Status.WARNING, f"{why} (Interactive Brokers resets its servers until {until})")


def _link(state: GatewayState, until: str, monotonic: float) -> Check:
    if state.lost_since is None:
        return Check(Checks.LINK, Status.OK, "connected to Interactive Brokers")
    what = "the gateway has lost Interactive Brokers" if state.lost_code == LOST else "the gateway's link is broken"
    why = f"{what} for {coarse_duration(monotonic - state.lost_since)} (code {state.lost_code})"
    return lowered(Checks.LINK, Status.CRITICAL, why, until)


def _accounts(source: IbSource, state: GatewayState) -> Check:
    kind = state.kind
    names = ", ".join(state.accounts[:ACCOUNTS_NAMED])
    is_wrong = source.expects not in ("", kind)
    why = f"logged in to a {kind} account ({names}), not to a {source.expects} one"
    return bad_if(Checks.ACCOUNTS, is_wrong, why, f"{kind}: {names}", Status.CRITICAL)


def _farms(farms: Sequence[Farm], is_open: bool, until: str, monotonic: float) -> Check:
    broken = [farm for farm in farms if farm.state is FarmState.BROKEN]
    if not broken:
        connected = sum(farm.state is FarmState.OK for farm in farms)
        return Check(Checks.FARMS, Status.OK, f"{connected} of {len(farms)} connected")
    lasting = [(farm, monotonic - farm.since) for farm in broken]
    why = "; ".join(
        f"{farm.kind} farm {farm.name} broken for {coarse_duration(for_)}" for farm, for_ in lasting[:FARMS_NAMED]
    )
    status = spec.FARM_BROKEN.status(max(for_ for _, for_ in lasting))
    return lowered(Checks.FARMS, status if is_open else Status.WARNING, why, until)


def _latency(round_trips: Sequence[float]) -> Check:
    last = list(round_trips)[-2:]
    shortest = min(last, default=0.0)
    is_slow = len(last) == 2 and spec.ROUND_TRIP.is_bad(shortest)
    fine = f"answers in {duration(last[-1])}" if last else ""
    return bad_if(Checks.LATENCY, is_slow, f"answers take {duration(shortest)} or more, twice in a row", fine)


def _clock(skew_seconds: float) -> Check:
    why = f"its clock differs from ours by {number(skew_seconds, signed=True)} s"
    fine = f"differs from ours by less than {duration(spec.CLOCK_SKEW.warning)}"
    return bad_if(Checks.CLOCK, spec.CLOCK_SKEW.is_bad(abs(skew_seconds)), why, fine)


def _pacing(recent: Sequence[Message], requests_per_second: float) -> Check:
    share = requests_per_second / spec.REQUESTS_ALLOWED
    violated = [each for each in recent if each.code in PACING or "pacing violation" in each.text.lower()]
    if violated:
        return Check(Checks.PACING, Status.WARNING, f"requests come too fast: {violated[-1].sentence}", share)
    return Check(Checks.PACING, Status.OK, f"{tenths(requests_per_second)} of our requests a second", share)


def _errors(recent: Sequence[Message]) -> Check:
    if any(message.code == RESTORED_EMPTY for message in recent):
        why = "restored, but subscriptions were lost: programs must subscribe anew"
        return Check(Checks.ERRORS, Status.WARNING, why)
    errors = [each for each in recent if each.level == Level.ERROR and each.code not in (LOST, *PACING)]
    why = f"{count(len(errors), 'error')} in the last minute, newest: {errors[-1].sentence}" if errors else ""
    return bad_if(Checks.ERRORS, bool(errors), why, "none in the last minute")


def _reconnections(reconnections: float) -> Check:
    within = coarse_duration(spec.RECONNECTIONS_SECONDS)
    is_bad = spec.RECONNECTIONS.is_bad(reconnections)
    why = f"we had to connect anew {count(reconnections, 'time')} within {within}"
    return bad_if(Checks.RECONNECTIONS, is_bad, why, f"{number(reconnections)} within {within}")
