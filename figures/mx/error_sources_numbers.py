"""Where the error of a cast comes from, on the Gaussian with a spread of its own for each vector: QSNR (signal to
quantisation-noise ratio) of each format in its own block under the floor rule, with its 95 % interval over the seeds,
and what one change of the cast gains or loses, in dB: another scale rule, another block size, ties rounded away from
zero (means over the seeds, on the same vectors). Saturated: share of the elements that lie beyond the largest value of
their block under floor; their noise: the share of the noise power that they carry. Casts marked * are not OCP MX and
stand below, with their QSNR alone; bits are per element, everything that is shared included."""

import pandas as pd

from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import format_label, ordered_formats
from jouleproof.evidence.intervals import mean_interval

TITLE = "Sources of error, in numbers"
SOURCES = ["mx/error_sources"]

Cast = tuple[int, str, str]  # block, scale rule, rounding


def tabulate(table: pd.DataFrame) -> pd.DataFrame:
    table = table[table["distribution"] == preferred(list(table["distribution"]), "gaussian")]
    ours, others = table[table["ocp_mx"] == "yes"], table[table["ocp_mx"] == "no"]
    floor = preferred(list(ours["scale"]), "floor")
    rules = [rule for rule in dict.fromkeys(ours["scale"]) if rule != floor]
    defined_blocks = set(ours.groupby("format")["block"].first())
    blocks = [block for block in sorted(set(ours["block"])) if defined_blocks != {block}]
    rows = [_row(ours[ours["format"] == name], floor, rules, blocks) for name in ordered_formats(ours["format"])]
    for name in dict.fromkeys(others["format"]):
        rows.append(_start(others[others["format"] == name], f"{name} *"))
    return pd.DataFrame(rows).fillna("")


def _start(rows: pd.DataFrame, label: str) -> dict[str, str]:
    """rows: QSNR of one cast."""
    mean = mean_interval(rows["value"].to_numpy())
    return {
        "format": label,
        "bits/element": f"{rows['bits'].iloc[0]:.2f}",
        "QSNR (dB)": f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]",
    }


def _row(rows: pd.DataFrame, floor: str, rules: list[str], blocks: list[int]) -> dict[str, str]:
    """rows: of one format. The first of them are of its own block."""
    defined = (int(rows["block"].iloc[0]), floor, "even")
    qsnr = _of(rows, defined, "qsnr")
    changes = {rule: (defined[0], rule, "even") for rule in rules}
    changes |= {f"block {block}": (block, floor, "even") for block in blocks}
    changes |= {"ties away": (defined[0], floor, "away")}
    return {
        **_start(qsnr, format_label(rows["format"].iloc[0])),
        **{label: _gain(_of(rows, cast, "qsnr"), qsnr) for label, cast in changes.items()},
        "saturated (%)": f"{100 * _of(rows, defined, 'saturated_elements')['value'].mean():.2f}",
        "their noise (%)": f"{100 * _of(rows, defined, 'saturated_noise')['value'].mean():.2f}",
    }


def _of(rows: pd.DataFrame, cast: Cast, metric: str) -> pd.DataFrame:
    block, scale, rounding = cast
    rows = rows[(rows["block"] == block) & (rows["scale"] == scale) & (rows["rounding"] == rounding)]
    return rows[rows["metric"] == metric]


def _gain(changed: pd.DataFrame, qsnr: pd.DataFrame) -> str:
    return f"{changed['value'].mean() - qsnr['value'].mean():+.2f}" if len(changed) else ""
