"""What figures work on: returns of many portfolios at once, time along the last axis, and what they share of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

Kept = TypeVar("Kept")

RESIDUE = 1e-12
"""A deviation at or below this share of the largest return is rounding residue of a constant series."""
SAMPLED = 8
"""One of so many values is looked at to find where a tail begins."""
NOTHING = 1e-250
"""A divisor closer to 0 than this is 0: what it gave would overflow."""

_MIDNIGHT = re.compile(r"[T ]00:00:00(\.0+)?$")


@dataclass(frozen=True, eq=False)
class Sides:
    """Gains and losses apart, by portfolio; losses as positive numbers."""

    gains: Floats
    losses: Floats
    gains_squared: Floats
    losses_squared: Floats
    gained: Floats
    """How many returns were above 0."""
    lost: Floats


@dataclass(eq=False)
class Block:
    """Returns of k portfolios over n periods, as (k, n). What figures share is worked out once and kept.

    A portfolio's observations end with its first return of −100 % or worse: what comes after measures nothing. One
    below −100 % leaves no figure that compounds (NaN): nothing compounds through a debt.
    """

    values: Floats
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, values: ArrayLike, dates: Any = None, names: Any = None) -> Block:
        """Return the block of a (k, n) or (n,) array.

        Raises ValueError when a return is infinite: it names the date and the portfolio when it is given them.
        """
        # Time side by side in memory: figures run along it.
        found = np.ascontiguousarray(np.atleast_2d(np.asarray(values, dtype=np.float64)))
        if not found.size:
            return cls(found)
        with np.errstate(invalid="ignore"):
            # A sum that is finite proves that nothing is missing or infinite, in one pass.
            if not np.isfinite(found.sum()):
                _check_finite(found, dates, names)
            block = cls(found)
            return cls(_until_total_loss(found)) if bool((block.lowest <= -1.0).any()) else block

    @cached_property
    def there(self) -> Bools:
        """Return where there is an observation."""
        return ~np.isnan(self.values)

    @cached_property
    def is_complete(self) -> bool:
        """Return whether nothing is missing."""
        # NaN anywhere makes the sum NaN: cheaper than looking at each.
        return bool(np.isfinite(self.values.sum())) or bool(self.there.all())

    @cached_property
    def filled(self) -> Floats:
        """Return the returns with 0 where one is missing: for sums, never for means."""
        return self.values if self.is_complete else np.where(self.there, self.values, 0.0)

    @cached_property
    def count(self) -> Floats:
        """Return n, the number of observations, by portfolio."""
        if self.is_complete:
            return np.full(len(self.values), float(self.values.shape[1]))
        found: Floats = self.there.sum(axis=1, dtype=np.float64)
        return found

    @cached_property
    def known(self) -> Floats:
        """Return n, NaN instead of 0: to divide by."""
        return np.where(self.count > 0, self.count, np.nan)

    @cached_property
    def mean(self) -> Floats:
        """Return the mean a period; NaN without observations."""
        return over(self.filled.sum(axis=1), self.known)

    @cached_property
    def centred(self) -> Floats:
        """Return the returns less their mean, 0 where one is missing."""
        away = self.values - self.mean[:, None]
        return away if self.is_complete else np.where(self.there, away, 0.0)

    @cached_property
    def squares(self) -> Floats:
        """Return Σ(r − mean)², exactly 0 for a constant series."""
        found: Floats = np.vecdot(self.centred, self.centred)
        largest = np.abs(self.filled).max(axis=1, initial=0.0)
        return np.where(found <= (RESIDUE * largest) ** 2 * self.count, 0.0, found)

    def variance(self, ddof: int = 1) -> Floats:
        """Return Σ(r − mean)² / (n − ddof) a period; NaN with ddof observations or fewer."""
        return over(self.squares, np.where(self.count > ddof, self.count - ddof, np.nan))

    def deviation(self, ddof: int = 1) -> Floats:
        """Return the standard deviation a period; NaN with ddof observations or fewer."""
        return self.keep(("deviation", ddof), lambda: np.sqrt(self.variance(ddof)))

    @cached_property
    def powers(self) -> tuple[Floats, Floats]:
        """Return Σ(r − mean)³ and Σ(r − mean)⁴."""
        away = self.centred * self.centred
        return np.vecdot(away, self.centred), np.vecdot(away, away)

    @cached_property
    def sides(self) -> Sides:
        """Return what gains and losses add up to: returns above and below 0."""
        below = np.minimum(self.filled, 0.0)
        losses, squares = below.sum(axis=1), np.vecdot(below, below)
        gains = self.filled.sum(axis=1) - losses
        all_squares: Floats = np.vecdot(self.filled, self.filled)
        lost: Floats = np.count_nonzero(self.filled < 0, axis=1).astype(np.float64)
        gained: Floats = np.count_nonzero(self.filled > 0, axis=1).astype(np.float64)
        return Sides(gains, 0.0 - losses, all_squares - squares, squares, gained, lost)

    @cached_property
    def ordered(self) -> Floats:
        """Return the returns from worst to best, NaN last."""
        return np.sort(self.values, axis=1)

    def tail(self, share: float) -> Floats:
        """Return the returns from the worst on, in order: at least `share` of them and one more; NaN last."""
        most = int(self.count.max(initial=0.0) * share) + 2
        if "ordered" in self.__dict__ or 2 * most > self.values.shape[1]:
            return self.ordered
        return self.keep(("tail", most), lambda: smallest(self.values, most))

    def quantile(self, share: float) -> Floats:
        """Return the value below which `share` of the returns lie, linear between two (Hyndman & Fan 1996, type 7)."""
        if not self.values.shape[1]:
            return np.full(len(self.values), np.nan)
        if share > 0.5:
            return -self.keep("turned", lambda: Block(-self.values)).quantile(1.0 - share)
        last = np.maximum(self.count - 1.0, 0.0)
        place, nearest = last * share, np.rint(last * share)
        # A product of rounded numbers misses the observation that it means.
        place = np.where(np.abs(place - nearest) < 1e-9, nearest, place)
        before = place.astype(np.intp)
        after = np.minimum(before + 1, last.astype(np.intp))
        rows, ordered = np.arange(len(self.values)), self.tail(share)
        low, high = ordered[rows, before], ordered[rows, after]
        return np.asarray(low + (high - low) * (place - before), dtype=np.float64)

    @cached_property
    def lowest(self) -> Floats:
        """Return the worst return, by portfolio; NaN without observations."""
        is_plain = self.is_complete and self.values.shape[1] > 0
        found: Floats = self.values.min(axis=1) if is_plain else np.fmin.reduce(self.values, axis=1, initial=np.nan)
        return found

    @cached_property
    def highest(self) -> Floats:
        """Return the best return, by portfolio; NaN without observations."""
        is_plain = self.is_complete and self.values.shape[1] > 0
        found: Floats = self.values.max(axis=1) if is_plain else np.fmax.reduce(self.values, axis=1, initial=np.nan)
        return found

    @cached_property
    def growth(self) -> Floats:
        """Return 1 + r, 1 where a return is missing, NaN where it is below −100 %."""
        found = 1.0 + self.filled
        if bool((self.lowest < -1.0).any()):
            found[found < 0.0] = np.nan
        return found

    @cached_property
    def wealth(self) -> Floats:
        """Return W_t after each return from W_0 = 1 (which is not included); a missing return leaves it as it was.

        From a return below −100 % on it is NaN.
        """
        return np.asarray(np.cumprod(self.growth, axis=1), dtype=np.float64)

    @cached_property
    def total(self) -> Floats:
        """Return ∏(1 + r) − 1; NaN without observations or with a loss of more than 100 %."""
        if not self.values.shape[1]:
            return np.full(len(self.values), np.nan)
        return np.where(self.count > 0, self.wealth[:, -1] - 1.0, np.nan)

    @cached_property
    def depths(self) -> Floats:
        """Return the drawdown after each return, W_0 = 1 included; a missing return leaves it as it was."""
        peak: Floats = np.maximum(np.maximum.accumulate(self.wealth, axis=1), 1.0)
        np.divide(self.wealth, peak, out=peak)
        np.subtract(peak, 1.0, out=peak)
        peak[peak >= -RESIDUE] = 0.0  # Rounding is no drawdown.
        return peak

    @cached_property
    def path(self) -> Floats:
        """Return the drawdown after each return, W_0 = 1 included; NaN where the return is missing."""
        return self.depths if self.is_complete else np.where(self.there, self.depths, np.nan)

    def minus(self, rate: ArrayLike) -> Block:
        """Return the excess over a rate a period: a number, one a period, or one a portfolio and period.

        A number gives the same Block each time; a row where either is missing is missing.
        """
        rates = np.asarray(rate, dtype=np.float64)
        if rates.ndim:
            return Block(self.values - rates)
        number = float(rates)
        if np.isnan(number):
            return Block(self.values - number)
        return self if number == 0 else self.keep(("minus", number), lambda: self._shifted(number))

    def _shifted(self, number: float) -> Block:
        """Return the block less a number, with what that leaves as it is: the spread around the mean."""
        found = Block(self.values - number)
        found.__dict__.update(
            is_complete=self.is_complete, count=self.count, known=self.known, centred=self.centred, squares=self.squares
        )
        if not self.is_complete:
            found.__dict__["there"] = self.there
        return found

    def keep(self, name: Any, make: Callable[[], Kept]) -> Kept:
        """Return what `make` gave the first time it was asked for under `name`."""
        if name not in self._kept:
            self._kept[name] = make()
        kept: Kept = self._kept[name]
        return kept


@dataclass(eq=False)
class Pair:
    """Returns beside a benchmark's, both only where both are there.

    A missing return is spanned by the next one: where only one side has it, the other's returns are compounded over it,
    so that both go from one common period to the next.
    """

    own: Block
    other: Block
    """As many rows as `own`, or one for all."""

    @classmethod
    def of(cls, own: Block, benchmark: Block) -> Pair:
        """Return the pair. Raises ValueError when they differ in length or number."""
        if own.values.shape[1] != benchmark.values.shape[1]:
            raise ValueError("returns and benchmark differ in length")
        if len(benchmark.values) not in (1, len(own.values)):
            raise ValueError("give one benchmark, or one for each portfolio")
        if own.is_complete and benchmark.is_complete:
            return cls(own, benchmark)
        both = own.there & benchmark.there
        rows = _parted(own.there, benchmark.there, both)
        if rows.any():
            own, benchmark = (_spanned_rows(one, both, rows) for one in (own, benchmark))
        if bool((both == own.there).all()):
            return cls(own, Block(np.where(both, benchmark.values, np.nan)))
        return cls(Block(np.where(both, own.values, np.nan)), Block(np.where(both, benchmark.values, np.nan)))

    @cached_property
    def products(self) -> Floats:
        """Return Σ(r − mean r)(b − mean b) by portfolio."""
        own, other = self.own.centred, self.other.centred
        found: Floats = own @ other[0] if len(other) == 1 else np.vecdot(own, other)
        return found

    @cached_property
    def active(self) -> Block:
        """Return r − b; exactly 0 where all that parts the two is rounding."""
        found = self.own.values - self.other.values
        known = found if self.own.is_complete and self.other.is_complete else np.nan_to_num(found, nan=0.0)
        same = np.vecdot(known, known) <= RESIDUE**2 * found.shape[1]
        if same.any():
            found[same] *= 0.0
        return Block(found)

    def minus(self, rate: ArrayLike) -> Pair:
        """Return both in excess of a rate a period."""
        own, other = self.own.minus(rate), self.other.minus(rate)
        return self if own is self.own else Pair.of(own, other)


def spanned(values: Floats, kept: Bools) -> Floats:
    """Return a portfolio's returns at the places kept, each from the one kept before: compounded over those between.

    The first kept is as it is: what lies before it is no span of it. NaN elsewhere.
    """
    places = np.flatnonzero(kept)
    found = np.full(len(values), np.nan)
    if not len(places):
        return found
    found[places] = values[places]
    is_long = np.diff(places, prepend=places[0] - 1) > 1
    if is_long.any():
        growth = 1.0 + np.nan_to_num(values[: places[-1] + 1], nan=0.0)
        starts = np.append(places[0], places[:-1] + 1)
        found[places[is_long]] = np.multiply.reduceat(growth, starts)[is_long] - 1.0
    return found


def _parted(own: Bools, other: Bools, both: Bools) -> Bools:
    """Return the portfolios of which one side misses a return between two common ones that the other side has."""
    seen = np.logical_or.accumulate(both, axis=1)
    ahead = np.logical_or.accumulate(both[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(((own != other) & seen & ahead).any(axis=1))


def _spanned_rows(block: Block, both: Bools, rows: Bools) -> Block:
    """Return the block, one row a portfolio, with the returns of `rows` spanning what the other side misses."""
    values = np.array(np.broadcast_to(block.values, both.shape))
    for row in np.flatnonzero(rows):
        values[row] = spanned(values[row], both[row])
    return Block(values)


def over(above: ArrayLike, below: ArrayLike) -> Floats:
    """Return above / below, NaN where `below` is 0 or either is missing: never infinite, never a warning."""
    bottom = np.asarray(below, dtype=np.float64)
    found: Floats = np.asarray(above, dtype=np.float64) / np.where(np.abs(bottom) < NOTHING, np.nan, bottom)
    return found


def smallest(values: Floats, count: int) -> Floats:
    """Return the `count` smallest of each row, in order; NaN counts as largest."""
    length = values.shape[1]
    if length >= SAMPLED * SAMPLED and 4 * count <= length:
        # A sample of each row says about where its tail begins: only what lies beyond is put in order.
        expected = count / SAMPLED
        place = int(expected + 3.0 * expected**0.5) + 2
        edge = np.partition(values[:, ::SAMPLED], place, axis=1)[:, place]
        beyond = values <= edge[:, None]
        counts = np.count_nonzero(beyond, axis=1)
        if counts.min() >= count and 2 * counts.max() <= length:
            packed = np.full((len(values), int(counts.max())), np.inf)
            packed[np.arange(packed.shape[1]) < counts[:, None]] = values[beyond]
            packed.sort(axis=1)
            return packed[:, :count]
    found: Floats = np.partition(values, count - 1, axis=1)[:, :count]
    found.sort(axis=1)
    return found


def _check_finite(values: Floats, dates: Any, names: Any) -> None:
    """Raise ValueError that says which return is infinite."""
    rows, places = np.nonzero(np.isinf(values))
    if not len(rows):
        return
    row, place = int(rows[0]), int(places[0])
    who = f" of {names[row]}" if names is not None else f" of portfolio {row}" if len(values) > 1 else ""
    when = f"at position {place}" if dates is None else f"on {_MIDNIGHT.sub('', str(dates[place]))}"
    raise ValueError(f"the return{who} {when} is infinite")


def _until_total_loss(values: Floats) -> Floats:
    lost = values <= -1.0
    first = np.where(lost.any(axis=1), lost.argmax(axis=1), values.shape[1])
    return np.where(np.arange(values.shape[1]) > first[:, None], np.nan, values)
