"""From what a gateway told to checks: what is wrong with the way to Interactive Brokers, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors.judging.checks import Check, bad_if
from collectors.judging.market_hours import Market
from collectors.kinds.ib.state import LOST, PACING, RESTORED_EMPTY, Event, Farm, Told
from core.format import coarse_duration, count, duration, number, tenths
from core.kinds.ib.source import IbSource, window_of
from core.model import Status

SLOW_SECONDS = 1.0
SKEW_SECONDS = 2.5
"""The gateway tells whole seconds."""
FARM_CRITICAL_SECONDS = 60.0
FLAPPING_COUNT = 3
TOLD_SECONDS = 60.0
REQUESTS_ALLOWED = 50.0
"""Messages a second that IB takes from all clients of a gateway together."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reading measured besides what was told."""

    round_trips: Sequence[float]
    """The newest ones, in seconds."""
    skew_seconds: float
    requests_per_second: float
    reconnections: float
    """Within ten minutes."""


def judge(
    source: IbSource,
    told: Told,
    events: Sequence[Event],
    seen: Seen,
    hours: Market | None,
    monotonic: float,
    now: float,
) -> list[Check]:
    """Return every check of a gateway that is ready. hours: None while not known, which counts as open."""
    until = reset_until(source.reset_windows, now)
    recent = [event for event in events if now - event.ts <= TOLD_SECONDS]
    return [
        _link(told, until, monotonic),
        _accounts(source, told),
        _farms(list(told.farms.values()), hours, until, monotonic, now),
        _latency(seen.round_trips),
        bad_if(
            "clock", abs(seen.skew_seconds) > SKEW_SECONDS,
            f"its clock differs from ours by {number(seen.skew_seconds, signed=True)} s", "that of ours, to 2 s",
        ),
        _pacing(recent, seen),
        _errors(recent),
        bad_if(
            "reconnections", seen.reconnections >= FLAPPING_COUNT,
            f"we had to connect anew {count(seen.reconnections, 'time')} within 10 minutes",
            f"{number(seen.reconnections)} within 10 minutes",
        ),
    ]  # fmt: skip


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


def _link(told: Told, until: str, monotonic: float) -> Check:
    if told.lost_since is None:
        return Check("link", Status.OK, "connected to Interactive Brokers")
    what = "the gateway has lost Interactive Brokers" if told.lost_code == LOST else "the gateway's link is broken"
    why = f"{what} for {coarse_duration(monotonic - told.lost_since)} (code {told.lost_code})"
    return lowered("link", Status.CRITICAL, why, until)


def _accounts(source: IbSource, told: Told) -> Check:
    kind = "paper" if told.is_paper else "live"
    names = ", ".join(told.accounts[:3])
    is_wrong = source.expects not in ("", kind)
    return bad_if(
        "accounts", is_wrong, f"logged in to a {kind} account ({names}), not to a {source.expects} one",
        f"{kind}: {names}", Status.CRITICAL,
    )  # fmt: skip


def _farms(farms: Sequence[Farm], hours: Market | None, until: str, monotonic: float, now: float) -> Check:
    broken = [farm for farm in farms if farm.state == "broken"]
    if not broken:
        return Check("farms", Status.OK, f"{sum(farm.state == 'ok' for farm in farms)} of {len(farms)} connected")
    told = [f"{farm.kind} farm {farm.name} broken for {coarse_duration(monotonic - farm.since)}" for farm in broken[:4]]
    lasts = any(monotonic - farm.since >= FARM_CRITICAL_SECONDS for farm in broken)
    is_open = hours is None or hours.is_open(now)
    return lowered("farms", Status.CRITICAL if lasts and is_open else Status.WARNING, "; ".join(told), until)


def _latency(round_trips: Sequence[float]) -> Check:
    last = list(round_trips)[-2:]
    is_slow = len(last) == 2 and min(last) >= SLOW_SECONDS
    fine = f"answers in {duration(last[-1])}" if last else ""
    return bad_if("latency", is_slow, f"answers take {duration(min(last, default=0))} or more, twice in a row", fine)


def _pacing(recent: Sequence[Event], seen: Seen) -> Check:
    share = seen.requests_per_second / REQUESTS_ALLOWED
    violated = [event for event in recent if event.code in PACING or "pacing violation" in event.text.lower()]
    if violated:
        last = violated[-1]
        return Check("pacing", Status.WARNING, f"requests come too fast: {last.text} (code {last.code})", share)
    return Check("pacing", Status.OK, f"{tenths(seen.requests_per_second)} of our requests a second", share)


def _errors(recent: Sequence[Event]) -> Check:
    if any(event.code == RESTORED_EMPTY for event in recent):
        return Check("errors", Status.WARNING, "restored, but subscriptions were lost: programs must subscribe anew")
    errors = [event for event in recent if event.level == "error" and event.code not in (LOST, *PACING)]
    last = errors[-1] if errors else None
    why = f"{count(len(errors), 'error')} in the last minute, newest: {last.text} (code {last.code})" if last else ""
    return bad_if("errors", last is not None, why, "none in the last minute")
