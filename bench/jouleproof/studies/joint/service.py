"""The reference service, interpolated between simulated cases: joules and provisioned watts of a request, by draws.

Interpolation is linear between neighbouring cases: formats by bits, ways of serving, shares of requests taken away,
which requests those are, levels of load. A draw is a weight for each case.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.formats.description import get_format

UNPACKED, UNPACKED_BITS = "16 bits", 16.0
JOULES = ("prompt_j", "token_j", "idle_j", "host_j")
SPLIT = "split"
WHICH = ("any", "short")
MEGAWATTS = 1e6 / 3600 / 1000  # MW for a million requests an hour, per kW for one request/s


@dataclass(frozen=True)
class State:
    """The position of draws between the cases, (draws,) each. bits: of a stored value. split: 0 for the plain system, 1
    for split pools. taken: share of the requests that are answered elsewhere. short: 0 if these are any requests, 1 if
    those with the shortest answers. level: load over the highest load that the machines sustain."""

    bits: np.ndarray
    split: np.ndarray
    taken: np.ndarray
    short: np.ndarray
    level: np.ndarray


@dataclass(frozen=True)
class Service:
    """The simulated cases. table: phase_split/service_energy. plain: the way of serving that is not split."""

    table: pd.DataFrame
    plain: str

    @cached_property
    def forms(self) -> list[str]:
        """List the formats in ascending order of bits."""
        return sorted(set(self.table["stored_as"]), key=bits_of)

    @cached_property
    def taken(self) -> np.ndarray:
        return np.array(sorted(set(self.table["taken"])))

    @cached_property
    def levels(self) -> np.ndarray:
        return np.array(sorted(set(self.table["level"])))

    def joules(self, at: State) -> dict[str, np.ndarray]:
        """Return (draws,) J per request of the whole service, including requests taken away, by JOULES."""
        weights = [*self._weights(at), hats(at.level, self.levels)]
        over = self._kept[:, None, None] * self.levels  # so that power, which is linear in the load, is interpolated
        return {metric: _mixed(self._cases(metric) * over, weights) / at.level for metric in JOULES}

    def kilowatts(self, at: State) -> np.ndarray:
        """Return (draws,) kW of nameplate power per request/s of the whole service."""
        return _mixed(self._cases("provisioned")[..., -1] * self._kept[:, None], self._weights(at))

    def row_gain(self, at: State) -> np.ndarray:
        """Return (draws,) ratios of the W that a machine needs in a row of only its pool to those in a row of both
        pools."""
        weights = self._weights(at)[:2]
        alike, mixed = (self._cases(f"row_{name}_w")[:, :, 0, 0, -1] for name in ("alike", "mixed"))
        return _mixed(alike, weights) / _mixed(mixed, weights)

    @property
    def _kept(self) -> np.ndarray:
        return 1 - self.taken

    def _weights(self, at: State) -> list[np.ndarray]:
        bits = np.array([bits_of(form) for form in self.forms])
        knots = ((at.bits, bits), (at.split, np.arange(2.0)), (at.taken, self.taken), (at.short, np.arange(2.0)))
        return [hats(values, of_axis) for values, of_axis in knots]

    @cached_property
    def _means(self) -> "pd.Series[float]":
        return self.table.groupby(["metric", "stored_as", "way", "taken", "which", "level"])["value"].mean()

    @cached_property
    def _cached(self) -> dict[str, np.ndarray]:
        return {}

    def _cases(self, metric: str) -> np.ndarray:
        """Return (forms, ways, taken, which, levels) means over seeds, NaN for cases that were not simulated."""
        if metric not in self._cached:
            ways = (self.plain, SPLIT)
            cases = np.full((len(self.forms), len(ways), len(self.taken), len(WHICH), len(self.levels)), np.nan)
            for form, way, taken, which, level in np.ndindex(*cases.shape):
                requests = WHICH[which] if taken else WHICH[0]  # if none is taken away, both cases are the same
                case = (metric, self.forms[form], ways[way], self.taken[taken], requests, self.levels[level])
                cases[form, way, taken, which, level] = self._means.get(case, np.nan)
            if np.isnan(cases[:, :, 0, 0, -1]).any():
                raise UserError(f"joint: service_energy lacks {metric} of a format served {self.plain} or {SPLIT}")
            self._cached[metric] = cases
        return self._cached[metric]


def bits_of(form: str) -> float:
    """Return the bits of a stored value, including its share of the scale."""
    return UNPACKED_BITS if form == UNPACKED else get_format(form).bits_per_element


def hats(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return (draws, knots) weights of a piecewise linear basis (hat functions) on ascending knots; beyond an outer
    knot, that knot has all the weight."""
    return np.stack([np.interp(values, knots, one) for one in np.eye(len(knots))], axis=1)


def _mixed(cases: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Interpolate the cases to (draws,). weights: (draws, cases of the axis) for each axis of the cases."""
    letters = "abcde"[: len(weights)]
    return np.einsum(",".join([letters, *(f"n{letter}" for letter in letters)]) + "->n", cases, *weights)
