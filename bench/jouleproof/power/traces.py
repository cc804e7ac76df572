"""Textures, the power variations within five minutes: pieces of 150 samples, 2 s apart, with a mean of 0 W.

Those of prompt and token machines come from the simulated phase-split cluster. The others are assumptions: services
draw power in bursts of about twenty seconds, the power of training jobs swings with their steps and drops at
checkpoints, and batch work is steady.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from jouleproof.errors import UserError
from jouleproof.power.kernels import Pieces, add_samples
from jouleproof.power.time_grid import SAMPLE_S, SAMPLES, SLOT_S
from jouleproof.power.workloads import KINDS, Fleet

PIECES = 288
BURST_W, BURST_S = 500.0, 20.0  # standard deviation of a service's bursts, and their correlation time
SWING_W, STEP_S = 1_400.0, 24.0  # rise from communication to computation in a training step, and length of a step
STEADY_W = 60.0
STEADY = "steady"
Textures = Mapping[str, np.ndarray]  # (pieces, SAMPLES) watts


def textures_of(power_trace: pd.DataFrame, seed: int = 0) -> Textures:
    """Make the textures. power_trace: pool, machine, t_s and watts (value) of the simulated cluster, 2 s apart.

    Raises UserError where samples are missing, duplicated or not 2 s apart, or a pool is missing.
    """
    rng = np.random.default_rng([seed, 4])
    simulated = {pool: _of_pool(power_trace, pool) for pool in ("prompt", "token")}
    steps = np.arange(PIECES * SAMPLES) * SAMPLE_S / STEP_S
    swings = SWING_W * np.where(steps % 1.0 < 0.7, 0.3, -0.7) * (1 + 0.1 * rng.standard_normal(len(steps)))
    swings[(np.arange(len(steps)) // 10) % 180 == 179] = -2.5 * SWING_W  # a checkpoint of 20 s every hour
    return {
        **simulated,
        "bursts": _level(BURST_W * _coloured(rng, BURST_S)),
        "swings": _level(swings),
        "steady": _level(STEADY_W * _coloured(rng, BURST_S)),
    }


def samples(fleet: Fleet, servers: np.ndarray, pieces: Pieces) -> np.ndarray:
    """Return the total watts of some servers, (samples,) 2 s apart; a workload with 0 W in a slot is absent."""
    out = np.empty((fleet.watts.shape[1], SAMPLES))
    add_samples(servers, fleet.watts, pieces, fleet.idle_w, fleet.most_w, out)
    return out.reshape(-1)


def means(watts: np.ndarray, samples: int) -> np.ndarray:
    """Return the means of successive groups of `samples` samples; an incomplete last group is left out."""
    return watts[: len(watts) // samples * samples].reshape(-1, samples).mean(axis=1)


def pieces_of(fleet: Fleet, textures: Textures) -> Pieces:
    """Return the pieces that each workload of a fleet goes through; workloads of unknown kinds get those of steady
    work."""
    first, total = {}, 0
    for name, pieces in textures.items():
        first[name] = total
        total += len(pieces)
    names = [KINDS[name].texture if (name := fleet.kinds[kind]) in KINDS else STEADY for kind in fleet.kind]
    return Pieces(
        watts=np.concatenate([*textures.values()]).astype(np.float32),
        first=np.array([first[name] for name in names]),
        length=np.array([len(textures[name]) for name in names]),
        ahead=fleet.offset,
    )


def _of_pool(power_trace: pd.DataFrame, pool: str) -> np.ndarray:
    rows = power_trace[power_trace["pool"] == pool]
    if rows.empty:
        raise UserError(f"placement: the power trace has no {pool} machines")
    if rows.duplicated(["machine", "t_s"]).any():
        raise UserError(f"placement: the power trace has a duplicate sample of a {pool} machine")
    watts = rows.pivot(index="machine", columns="t_s", values="value")
    times = watts.columns.to_numpy()
    if watts.isna().any(axis=None) or not np.allclose(np.diff(times), SAMPLE_S):
        raise UserError(
            f"placement: the power trace of the {pool} machines has gaps, or samples not {SAMPLE_S} s apart"
        )
    if (watts.to_numpy() < 0).any():
        raise UserError(f"placement: the power trace of the {pool} machines has negative watts")
    whole = len(times) // SAMPLES * SAMPLES
    if not whole:
        raise UserError(f"placement: the power trace is shorter than one slot of {SLOT_S} s")
    return _level(watts.to_numpy()[:, :whole].reshape(-1))


def _level(watts: np.ndarray) -> np.ndarray:
    pieces = watts.reshape(-1, SAMPLES)
    return pieces - pieces.mean(axis=1, keepdims=True)


def _coloured(rng: np.random.Generator, seconds: float) -> np.ndarray:
    keep = float(np.exp(-SAMPLE_S / seconds))
    return lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], rng.standard_normal(PIECES * SAMPLES))
