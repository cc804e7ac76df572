"""Joules modelled after a run from CPU seconds and bytes if no counter measured them: simulated, never measured.

Watts are known to a factor of two at best, so results are given as ratios, in which they cancel: both sides use the
same draw from the prior.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from jouleproof.evidence.intervals import CONFIDENCE, Estimate, draws_interval
from jouleproof.studies.slm_energy.config import Bounds, PowerConfig

TAIL_SIGMAS = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

Amount = float | np.ndarray  # one value for all draws, or (draws,)
Work = tuple[Amount, Amount]  # CPU seconds, bytes


@dataclass(frozen=True)
class Draws:
    """Constants drawn from the prior, (draws,) each, paired draw by draw.

    core_w: W of a core while it computes. dram_j_per_byte: J per byte moved to or from memory. idle_w: W of the rest of
    the machine per core that computes.
    """

    core_w: np.ndarray
    dram_j_per_byte: np.ndarray
    idle_w: np.ndarray


def constants(config: PowerConfig) -> Mapping[str, Bounds]:
    """Return the constants by name, with unit, source and whether each is verified."""
    return {name: value for name in type(config).model_fields if isinstance(value := getattr(config, name), Bounds)}


def prior_draws(config: PowerConfig) -> Draws:
    """Draw every constant from a separate seeded stream, so that changing one leaves the others unchanged."""
    draws = {name: constant_draws(name, bounds, config) for name, bounds in constants(config).items()}
    return Draws(
        core_w=draws["core_w"],
        dram_j_per_byte=draws["dram_pj_per_bit"] * 8e-12,
        idle_w=draws["idle_w"],
    )


def modelled_joules(cpu_s: Amount, bytes: Amount, draws: Draws) -> np.ndarray:
    """Model the joules, (draws,), of `cpu_s` seconds of computing cores and `bytes` moved to or from memory.

    Raises ValueError if either is negative or not finite.
    """
    for name, value in (("cpu_s", cpu_s), ("bytes", bytes)):
        if not (np.isfinite(value).all() and np.greater_equal(value, 0).all()):
            raise ValueError(f"{name} must be finite and at least 0, got {value!r}")
    return cpu_s * (draws.core_w + draws.idle_w) + bytes * draws.dram_j_per_byte


def modelled_interval(cpu_s: Amount, bytes: Amount, draws: Draws) -> Estimate:
    """Return the median and the range that holds 95 % of the prior, in J."""
    return draws_interval(modelled_joules(cpu_s, bytes, draws))


def ratio(a: Work, b: Work, draws: Draws) -> np.ndarray:
    """Return (draws,) joules of `a` over those of `b`, with the same constants on both sides.

    Raises ValueError if `b` takes no joules.
    """
    above, below = modelled_joules(*a, draws), modelled_joules(*b, draws)
    if not (below > 0).all():
        raise ValueError(f"b must take more than 0 J, got {b!r}")
    return above / below


def order_probability(a: Work, b: Work, draws: Draws) -> float:
    """Return the share of the prior in which `a` takes less energy than `b`; a tie counts half."""
    first, second = modelled_joules(*a, draws), modelled_joules(*b, draws)
    return float(np.mean((first < second) + 0.5 * (first == second)))


def stream(name: str, seed: int) -> np.random.Generator:
    """Return the random stream of one named constant."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def constant_draws(name: str, bounds: Bounds, config: PowerConfig, draws: int | None = None) -> np.ndarray:
    """Draw a constant, (draws,), reproducibly for its name and seed. draws: the config's number if None.

    Lognormal: `middle` is the median, 95 % lie between `low` and `high`, and the two sides have different spreads.
    Uniform: between low and high.
    """
    rng, draws = stream(name, config.seed), draws or config.draws
    if config.shape == "uniform":
        return rng.uniform(bounds.low, bounds.high, draws)
    sigmas = rng.standard_normal(draws) / TAIL_SIGMAS
    up, down = math.log(bounds.high / bounds.middle), math.log(bounds.middle / bounds.low)
    return bounds.middle * np.exp(np.where(sigmas > 0, sigmas * up, sigmas * down))
