"""Measured times of models on accelerators: medians of the published profile, and laws fitted to them.

The medians are committed (facts/, from github.com/Mutinifni/splitwise-sim, data/perf_model.csv, commit 8f99e7d, MIT),
so the profile itself is not needed; if it is present, it gives the same medians.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.serving.simulator.event_loop.records import BEND

AXIS = Path(__file__).with_name("facts") / "profile_axis.csv"
CELLS = Path(__file__).with_name("facts") / "profile_cells.csv"
GROUP = ["model", "hardware", "tensor_parallel"]


@dataclass(frozen=True)
class DecodeLaw:
    """Seconds of an iteration that decodes one token of each of n sequences:

    constant + per_sequence * n + above * max(n - BEND, 0) + context * (tokens of context of all sequences)
    """

    constant: float
    per_sequence: float
    above: float
    context: float

    def __call__(self, sequences: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Return the seconds. sequences: their number. context: tokens, summed over all sequences."""
        bent = np.maximum(sequences - BEND, 0)
        return self.constant + self.per_sequence * sequences + self.above * bent + self.context * context


def axis() -> pd.DataFrame:
    """Read the medians by batch_tokens = prompt_size x batch_size, which the published simulator interpolates."""
    return pd.read_csv(AXIS, comment="#")


def cells() -> pd.DataFrame:
    """Read the medians by measured cell: prompt_size, batch_size, token_size (most tokens that a run may generate) and
    tokens_made (those that it did generate); seconds; power as a share of TDP, 0 if unknown."""
    return pd.read_csv(CELLS, comment="#")


def axis_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Compute the medians by batch_tokens from the profile itself (jouleproof.inputs.read_profile)."""
    batch = runs.assign(batch_tokens=runs["prompt_size"] * runs["batch_size"])
    return batch.groupby([*GROUP, "batch_tokens"], as_index=False)[["prompt_time_s", "token_time_s"]].median()


def cells_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Compute the medians by cell from the profile itself."""
    shape = [*GROUP, "prompt_size", "batch_size", "token_size"]
    later_tokens = ((runs["end_to_end_time_s"] - runs["prompt_time_s"]) / runs["token_time_s"]).round()
    runs = runs.assign(tokens_made=(1 + later_tokens).clip(upper=runs["token_size"]))
    columns = ["tokens_made", "prompt_time_s", "token_time_s", "peak_power_tdp", "average_power_tdp"]
    medians = runs.groupby(shape, as_index=False)[columns].median()
    medians["tokens_made"] = medians["tokens_made"].astype(int)
    return medians.fillna({"peak_power_tdp": 0.0, "average_power_tdp": 0.0})


def of(table: pd.DataFrame, model: str, hardware: str, tensor_parallel: int) -> pd.DataFrame:
    """Return the rows of one model, accelerator and tensor parallelism. Raises ValueError if there are none."""
    rows = table[(table["model"] == model) & (table["hardware"] == hardware)]
    rows = rows[rows["tensor_parallel"] == tensor_parallel]
    if rows.empty:
        raise ValueError(f"the profile has no {model} on {hardware} with tensor_parallel={tensor_parallel}")
    return rows


def decode_law(measured: pd.DataFrame) -> DecodeLaw:
    """Fit a law to cells by least squares of relative errors, without negative coefficients.

    The mean context of a token is the prompt and half of the tokens that the run generated.
    """
    from scipy.optimize import nnls

    sequences, context = _load(measured)
    seconds = measured["token_time_s"].to_numpy()
    columns = [np.ones(len(seconds)), sequences, np.maximum(sequences - BEND, 0), context]
    coefficients, _ = nnls(np.stack(columns, axis=1) / seconds[:, None], np.ones(len(seconds)))
    return DecodeLaw(*coefficients.tolist())


def decode_error(law: DecodeLaw, measured: pd.DataFrame) -> float:
    """Return the mean relative error of a law over cells."""
    seconds = measured["token_time_s"].to_numpy()
    return float(np.mean(np.abs(law(*_load(measured)) / seconds - 1)))


def prompt_error(knots: pd.DataFrame, measured: pd.DataFrame) -> float:
    """Return the mean relative error over cells of linear interpolation between the medians by batch_tokens."""
    tokens = (measured["prompt_size"] * measured["batch_size"]).to_numpy()
    seconds = measured["prompt_time_s"].to_numpy()
    law = np.interp(tokens, knots["batch_tokens"], knots["prompt_time_s"])
    return float(np.mean(np.abs(law / seconds - 1)))


def _load(measured: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of sequences, and the sum of their tokens of context."""
    sequences = measured["batch_size"].to_numpy(dtype=float)
    return sequences, sequences * (measured["prompt_size"] + measured["tokens_made"] / 2).to_numpy(dtype=float)


def groups(table: pd.DataFrame) -> Iterable[tuple[str, str, int]]:
    return [tuple(row) for row in table[GROUP].drop_duplicates().itertuples(index=False)]
