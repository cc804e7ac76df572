"""Sources of the error of a cast, on Gaussian vectors with a random spread per vector: QSNR (signal to
quantisation-noise ratio) of each format with its defined block size under the floor rule, with its 95 % interval over
the seeds, and the gain or loss, in dB, of one change to the cast: another scale rule, another block size, or ties
rounded away from zero (means over the seeds, on the same vectors). Saturated: the share of elements that exceed the
largest value of their block under floor; their noise: the share of the noise power in these elements. Casts marked *
are not OCP MX; they are listed last, with their QSNR only. Bits are per element, including shared scales.
"""

from typing import Any

import pandas as pd

from jouleproof.drawing.cells import mean_with_interval
from jouleproof.drawing.select import preferred, unique, where
from jouleproof.drawing.style import Look, format_label, ordered_formats

TITLE = "Sources of error, in numbers"
SOURCES = ["mx/error_sources"]


def tabulate(table: pd.DataFrame) -> pd.DataFrame:
    table = where(table, distribution=preferred(list(table["distribution"]), "gaussian"))
    ours, others = where(table, ocp_mx="yes"), where(table, ocp_mx="no")
    floor = preferred(list(ours["scale"]), "floor")
    rules = [rule for rule in unique(ours["scale"]) if rule != floor]
    defined_blocks = set(ours.groupby("format")["block"].first())
    blocks = [block for block in sorted(set(ours["block"])) if defined_blocks != {block}]
    rows = [_row(where(ours, format=name), floor, rules, blocks) for name in ordered_formats(ours["format"])]
    rows += [_start(where(others, format=name), f"{name} *") for name in unique(others["format"])]
    return pd.DataFrame(rows).fillna("")


def _start(rows: pd.DataFrame, label: str) -> dict[str, str]:
    """Return the first cells of a table row. rows: QSNR of one cast."""
    bits = f"{rows['bits'].iloc[0]:.2f}"
    return {"format": label, "bits/element": bits, "QSNR (dB)": mean_with_interval(rows["value"], 2)}


def _row(rows: pd.DataFrame, floor: str, rules: list[str], blocks: list[int]) -> dict[str, str]:
    """Return the table row of one format. rows: its results, first those for its defined block size."""
    defined: Look = {"block": int(rows["block"].iloc[0]), "scale": floor, "rounding": "even"}
    qsnr = where(rows, metric="qsnr", **defined)
    changes: dict[str, dict[str, Any]] = {
        **{rule: {"scale": rule} for rule in rules},
        **{f"block {block}": {"block": block} for block in blocks},
        "ties away": {"rounding": "away"},
    }
    changed = {label: where(rows, metric="qsnr", **{**defined, **change}) for label, change in changes.items()}
    return {
        **_start(qsnr, format_label(rows["format"].iloc[0])),
        **{label: _gain(cast, qsnr) for label, cast in changed.items()},
        "saturated (%)": f"{100 * where(rows, metric='saturated_elements', **defined)['value'].mean():.2f}",
        "their noise (%)": f"{100 * where(rows, metric='saturated_noise', **defined)['value'].mean():.2f}",
    }


def _gain(changed: pd.DataFrame, qsnr: pd.DataFrame) -> str:
    return f"{changed['value'].mean() - qsnr['value'].mean():+.2f}" if len(changed) else ""
