"""The levers of the study joint: their looks, and the share of the plain system that each set of them leaves, over
draws of the uncertain assumptions."""

import pandas as pd

from jouleproof.drawing.palette import BLUE, GREEN, ORANGE, VERMILION
from jouleproof.drawing.select import where
from jouleproof.evidence.intervals import Estimate, draws_interval

LEVERS = {  # colour, label below a bar, label in a line
    "mx": (VERMILION, "MX weights\nand cache", "MX"),
    "split": (BLUE, "phase\nsplitting", "splitting"),
    "placement": (ORANGE, "placement\nby profile", "placement"),
    "small": (GREEN, "small\nmodel", "small model"),
}
ALL = "+".join(LEVERS)
MEASURES = {"joules": "joules of a request", "megawatts": "provisioned power"}


def first_plain(levers: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first of the plain systems that the levers start from."""
    return levers[levers["plain"] == levers["plain"].iloc[0]]


def draws_of(rows: pd.DataFrame, metric: str, levers: str) -> "pd.Series[float]":
    """Values of a metric under a set of levers, by draw."""
    return where(rows, metric=metric, levers=levers).set_index("repeat")["value"]


def estimate_of(rows: pd.DataFrame, metric: str, levers: str) -> Estimate:
    """Median of these draws and the range that holds 95 % of them."""
    return draws_interval(draws_of(rows, metric, levers).to_numpy())


def alone_or_last(rows: pd.DataFrame, measure: str, name: str, alone: bool) -> Estimate:
    """Share that a lever leaves of the plain system, or of what the three others leave."""
    if alone:
        return estimate_of(rows, f"{measure}_ratio", name)
    others = "+".join(lever for lever in LEVERS if lever != name)
    left, left_by_others = (draws_of(rows, f"{measure}_ratio", levers) for levers in (ALL, others))
    return draws_interval((left / left_by_others).to_numpy())


def swing(table: pd.DataFrame) -> "pd.Series[float]":
    """Shift of the remaining share due to each assumption: the larger of joules and power. table: by assumption and
    metric."""
    moves = [(table[f"{metric}_high"] - table[f"{metric}_low"]).abs() for metric in ("joules_ratio", "megawatts_ratio")]
    return pd.concat(moves, axis=1).max(axis=1)
