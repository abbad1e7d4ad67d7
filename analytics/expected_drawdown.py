"""How deep the worst drawdown is expected to be, given drift, volatility and length (Magdon-Ismail & Atiya 2004)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats

_LOGS = -10.0 + 0.5 * np.arange(36)
"""ln x at which Q_p and Q_n below are known."""
# Worked out by inverting (Abate & Whitt 2006) the Laplace transform of E[D_T], which follows from that of the first
# time a Brownian motion is h below its maximum (Taylor 1975). The values printed in the paper differ by up to 0.5 %:
# they miss its limits for small and large x by as much. Between two values, straight lines in logs: within 0.35 %.
_RISING = np.array([
    0.00595251, 0.00763632, 0.00979395, 0.0125571, 0.0160931, 0.0206138, 0.0263862, 0.0337454, 0.0431085,
    0.0549904, 0.0700188, 0.0889463, 0.112656, 0.142151, 0.178525, 0.222891, 0.27627, 0.339426, 0.412679,
    0.495741, 0.587691, 0.687154, 0.792659, 0.902945, 1.01702, 1.13406, 1.25336, 1.37435, 1.49658, 1.61968,
    1.74339, 1.86753, 1.99196, 2.11658, 2.24133, 2.36617,
])  # fmt: skip
_FALLING = np.array([
    0.00599028, 0.00769859, 0.00989662, 0.0127264, 0.0163722, 0.0210739, 0.0271449, 0.0349962, 0.0451709,
    0.0583909, 0.0756257, 0.0981921, 0.127904, 0.167302, 0.220022, 0.291391, 0.389426, 0.526573, 0.722761,
    1.01088, 1.4466, 2.1255, 3.21141, 4.98059, 7.88899, 12.6825, 20.5855, 33.6155, 55.0982, 90.5171, 148.913,
    245.192, 403.929, 665.642, 1097.13, 1808.54,
])  # fmt: skip
_SMALL = np.sqrt(np.pi / 8.0)


def brownian_drawdown(drift: ArrayLike, deviation: ArrayLike, count: ArrayLike) -> Floats:
    """Return E[max drawdown] of a Brownian motion, positive, in its own units, over `count` periods.

    drift and deviation are a period's. √(π/2) σ √T without drift, (2σ²/μ) Q_p(μ²T / 2σ²) with a positive one,
    (2σ²/|μ|) Q_n(μ²T / 2σ²) with a negative one (Magdon-Ismail, Atiya, Pratap & Abu-Mostafa 2004). NaN where one is
    missing.
    """
    mu, sigma, length = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (drift, deviation, count)))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        place = mu**2 * length / (2.0 * sigma**2)
        scaled = 2.0 * sigma**2 / np.abs(mu) * np.where(mu > 0, _rising(place), _falling(place))
        without = 2.0 * _SMALL * sigma * np.sqrt(length)
    found = np.where(place < 1e-12, without, scaled)
    # Nothing random is left: it rises, or falls all the way.
    return np.asarray(np.where(sigma == 0, np.maximum(-mu * length, 0.0), found), dtype=np.float64)


def expected_max_drawdown(mean: ArrayLike, deviation: ArrayLike, count: ArrayLike) -> Any:
    """Return the maximum drawdown to be expected of `count` returns with this mean and deviation a period, negative.

    Log wealth is taken for a Brownian motion with drift mean − σ²/2: e^(−E[D]) − 1. It is watched all the time, so that
    returns a day apart show a little less. A float for floats, an array for arrays.
    """
    sigma = np.asarray(deviation, dtype=np.float64)
    found = np.expm1(-brownian_drawdown(np.asarray(mean, dtype=np.float64) - sigma**2 / 2.0, sigma, count))
    return found if found.ndim else float(found)


def _rising(place: Floats) -> Floats:
    """Return Q_p: γ√(2x) for small x, ln x / 4 + 0.49088 for large."""
    return _between(place, _RISING, 0.25 * np.log(place) + 0.49088)


def _falling(place: Floats) -> Floats:
    """Return Q_n: γ√(2x) for small x, x + 1/2 for large."""
    return _between(place, _FALLING, place + 0.5)


def _between(place: Floats, known: Floats, large: Floats) -> Floats:
    logs = np.log(place)
    inside = np.exp(np.interp(logs, _LOGS, np.log(known)))
    return np.where(logs < _LOGS[0], _SMALL * np.sqrt(2.0 * place), np.where(logs > _LOGS[-1], large, inside))
