"""What the moving windows of many portfolios add up to: sums, moments, products, quantiles and drawdowns.

Sums come from running totals of returns less their mean over the whole history. A window that varies so little that the
rounding of those totals could show is worked out again from its own returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from analytics.block import RESIDUE, Block, Bools, Floats, Pair

Places: TypeAlias = NDArray[np.intp]

PART_VALUES = 32_768
"""Returns worked on at a time, so that what is shared of them stays in the processor's cache."""
SMALL = 1e-6
"""A window with a smaller share than this of all that varies is worked out from its own returns."""
LAID_OUT = 500_000
"""Values laid out at a time where windows are looked at as a whole."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The full windows of a block by their first period, (k, n − window + 1)."""

    block: Block
    window: int
    count: Floats | float
    """Returns in each; one number when none is missing, NaN where there is no figure."""
    offset: Floats
    """The mean less that of the whole history."""
    squares: Floats
    """Σ(r − mean of the window)², exactly 0 where nothing varies."""
    small: Bools | None
    """Where it was worked out from its own returns; None for nowhere."""
    given: Bools | None
    """Where there is a figure; None for everywhere."""

    @property
    def mean(self) -> Floats:
        """Return the mean a period."""
        found: Floats = self.offset + self.block.mean[:, None]
        return found

    @property
    def may_stand_still(self) -> bool:
        """Return whether there may be windows in which nothing varies."""
        return self.small is not None or bool((self.block.squares == 0).any())

    def variance(self, ddof: int = 1) -> Floats:
        """Return the variance a period."""
        freedom = np.asarray(self.count - ddof, dtype=np.float64)
        found: Floats = self.squares / np.where(freedom > 0, freedom, np.nan)
        return found

    def only_given(self, values: Floats) -> Floats:
        """Return the values, NaN where there is no figure."""
        return values if self.given is None else np.where(self.given, values, np.nan)


def check_window(window: int, least: int = 1) -> None:
    """Raise ValueError for a window that is too short to measure anything."""
    if window < least:
        raise ValueError(f"window: {window} is below {least} periods")


def windows_of(block: Block, window: int) -> Windows:
    """Return the windows of a block that is at least as long as one; worked out once."""
    return block.keep(("windows", window), lambda: _windows(block, window))


def products_of(pair: Pair, window: int) -> Floats:
    """Return Σ(r − mean of the window)(b − mean of the window) of each window."""
    own, other = windows_of(pair.own, window), windows_of(pair.other, window)
    found = sums(pair.own.centred * pair.other.centred, window)
    found -= own.count * own.offset * other.offset
    small = _either(own.small, other.small)
    if small is None:
        return found
    returns, benchmark = pair.own.values, np.broadcast_to(pair.other.values, pair.own.values.shape)
    for rows, starts in _pieces(np.broadcast_to(small, found.shape), window):
        one, two = _laid_out(returns, rows, starts, window), _laid_out(benchmark, rows, starts, window)
        found[rows, starts] = np.nansum(
            (one - np.nanmean(one, axis=1, keepdims=True)) * (two - np.nanmean(two, axis=1, keepdims=True)), axis=1
        )
    return found


def central_moment(block: Block, window: int, order: int) -> Floats:
    """Return Σ(r − mean of the window)^order of each window, for an order of 3 or 4."""
    found = windows_of(block, window)
    away, mean, count = block.centred, found.offset, found.count
    raw_squares = found.squares + count * mean**2
    powers = away * away * away
    cubes = sums(powers, window)
    if order == 3:
        total = cubes - 3.0 * mean * raw_squares + 2.0 * count * mean**3
    else:
        powers *= away
        total = sums(powers, window) - 4.0 * mean * cubes + 6.0 * mean**2 * raw_squares - 3.0 * count * mean**4
    whole = np.abs(powers).sum(axis=1)
    scale = (found.squares / count) ** (order / 2) * count
    for rows, starts in _pieces(scale < SMALL * whole[:, None], window):
        laid = _laid_out(block.values, rows, starts, window)
        total[rows, starts] = np.nansum((laid - np.nanmean(laid, axis=1, keepdims=True)) ** order, axis=1)
    return total


def sums(values: Floats, window: int) -> Floats:
    """Return the sum of each window, (k, n − window + 1); nothing may be missing."""
    totals = np.empty((len(values), values.shape[1] + 1))
    totals[:, 0] = 0.0
    np.cumsum(values, axis=1, out=totals[:, 1:])
    found: Floats = totals[:, window:] - totals[:, :-window]
    return found


def squares_below(block: Block, window: int) -> Floats:
    """Return Σ min(r, 0)² of each window."""
    below = np.minimum(block.filled, 0.0)
    below *= below
    found = sums(below, window)
    whole = below.sum(axis=1)[:, None]
    for rows, starts in _pieces((found < SMALL * whole) & (found > 0), window):
        found[rows, starts] = _laid_out(below, rows, starts, window).sum(axis=1)
    return found


def quantiles(block: Block, window: int, share: float) -> Floats:
    """Return the quantile of each window, linear between two (Hyndman & Fan 1996, type 7)."""
    views: Floats = sliding_window_view(block.values, window, axis=1)
    found = np.empty((views.shape[0], views.shape[1]))
    step = max(1, LAID_OUT // (window * max(1, len(views))))
    for start in range(0, found.shape[1], step):
        part = slice(start, start + step)
        found[:, part] = _quantile(views[:, part], share, block.is_complete)
    return found


def deepest(levels: Floats, length: int) -> Floats:
    """Return the least of W_t / max(W_s, s ≤ t) within each run of `length` levels: 1 without a loss.

    Runs are joined from halves, as many of their levels as there are bits in `length`.
    """
    run = (levels, levels, np.ones_like(levels))
    size, done, rest = 1, 0, length
    found = run
    while True:
        if rest & 1:
            width = levels.shape[1] - (size + done) + 1
            found = run if not done else _join(_cut(run, 0, width), _cut(found, size, width))
            done += size
        rest >>= 1
        if not rest:
            return found[2]
        width = levels.shape[1] - 2 * size + 1
        run = _join(_cut(run, 0, width), _cut(run, size, width))
        size *= 2


def parts_of(block: Block) -> list[tuple[slice, Block]]:
    """Return the block in parts of a few portfolios each; the same ones each time."""
    rows, length = block.values.shape
    step = max(1, PART_VALUES // max(1, length))
    if rows <= step:
        return [(slice(0, rows), block)]
    cuts = [slice(start, start + step) for start in range(0, rows, step)]
    return block.keep("parts", lambda: [(cut, Block(block.values[cut])) for cut in cuts])


def pairs_of(pair: Pair) -> Iterator[tuple[slice, Pair]]:
    """Yield the pair in parts of a few portfolios each."""
    if len(pair.other.values) == 1 < len(pair.own.values):
        for cut, own in parts_of(pair.own):
            yield cut, Pair(own, pair.other)
        return
    for (cut, own), (_, other) in zip(parts_of(pair.own), parts_of(pair.other), strict=True):
        yield cut, Pair(own, other)


def by_parts(block: Block, window: int, of: Callable[[Block], Floats]) -> Floats:
    """Return the figure of each window at its last period, (k, n): NaN before the first full one."""
    found = np.full(block.values.shape, np.nan)
    if block.values.shape[1] >= window:
        for cut, part in parts_of(block):
            found[cut, window - 1 :] = of(part)
    return found


def pairs_by_parts(pair: Pair, window: int, of: Callable[[Pair], Floats]) -> Floats:
    """Return the figure of each window at its last period, (k, n): NaN before the first full one."""
    found = np.full(pair.own.values.shape, np.nan)
    if pair.own.values.shape[1] >= window:
        for cut, part in pairs_of(pair):
            found[cut, window - 1 :] = of(part)
    return found


def _windows(block: Block, window: int) -> Windows:
    count, given = (float(window), None) if block.is_complete else _counts(block, window)
    offset = sums(block.centred, window)
    offset /= count
    squares = sums(block.centred * block.centred, window)
    squares -= count * offset * offset
    still = block.squares == 0
    if still.any():
        squares[still] = 0.0 * offset[still]
    small: Bools = squares < (SMALL * block.squares)[:, None]
    if not small.any():
        return Windows(block, window, count, offset, squares, None, given)
    for rows, starts in _pieces(small, window):
        laid = _laid_out(block.values, rows, starts, window)
        mean = np.nanmean(laid, axis=1)
        varied = np.nansum((laid - mean[:, None]) ** 2, axis=1)
        largest = np.nanmax(np.abs(laid), axis=1)
        squares[rows, starts] = np.where(varied <= (RESIDUE * largest) ** 2 * window, 0.0, varied)
        offset[rows, starts] = mean - block.mean[rows]
    return Windows(block, window, count, offset, squares, small, given)


def _counts(block: Block, window: int) -> tuple[Floats, Bools]:
    """Return how many returns each window has, NaN where too few for a figure, and where there is one."""
    length = block.values.shape[1]
    count = sums(block.there.astype(np.float64), window)
    starts = np.arange(length - window + 1)
    first = np.where(block.count > 0, block.there.argmax(axis=1), length)[:, None]
    last = (length - 1 - block.there[:, ::-1].argmax(axis=1))[:, None]
    given = (starts >= first) & (starts + window - 1 <= last) & (count >= max(min(2, window), window / 2))
    return np.where(given, count, np.nan), given


def _pieces(chosen: Bools, window: int) -> Iterator[tuple[Places, Places]]:
    """Yield rows and first periods of the chosen windows, no more at a time than can be laid out."""
    rows, starts = np.nonzero(chosen)
    step = max(1, LAID_OUT // window)
    for at in range(0, len(rows), step):
        yield rows[at : at + step], starts[at : at + step]


def _laid_out(values: Floats, rows: Places, starts: Places, window: int) -> Floats:
    found: Floats = sliding_window_view(values, window, axis=1)[rows, starts]
    return found


def _either(one: Bools | None, other: Bools | None) -> Bools | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


def _quantile(views: Floats, share: float, is_complete: bool) -> Floats:
    width = views.shape[2]
    if is_complete:
        place = (width - 1) * share
        nearest = round(place)
        place = float(nearest) if abs(place - nearest) < 1e-9 else place
        before, after = int(place), min(int(place) + 1, width - 1)
        chosen = np.partition(views, (before, after), axis=2)
        low, high = chosen[:, :, before], chosen[:, :, after]
        return np.asarray(low + (high - low) * (place - before))
    ordered = np.sort(views, axis=2)
    last = np.maximum(np.count_nonzero(~np.isnan(views), axis=2) - 1, 0)
    places = np.where(np.abs(last * share - np.rint(last * share)) < 1e-9, np.rint(last * share), last * share)
    first = places.astype(np.intp)
    low = np.take_along_axis(ordered, first[:, :, None], axis=2)[:, :, 0]
    high = np.take_along_axis(ordered, np.minimum(first + 1, last)[:, :, None], axis=2)[:, :, 0]
    return np.asarray(low + (high - low) * (places - first))


def _cut(run: tuple[Floats, Floats, Floats], start: int, width: int) -> tuple[Floats, Floats, Floats]:
    high, low, ratio = (values[:, start : start + width] for values in run)
    return high, low, ratio


def _join(first: tuple[Floats, Floats, Floats], then: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats]:
    ratio = then[1] / first[0]
    np.minimum(ratio, first[2], out=ratio)
    np.minimum(ratio, then[2], out=ratio)
    return np.maximum(first[0], then[0]), np.minimum(first[1], then[1]), ratio
