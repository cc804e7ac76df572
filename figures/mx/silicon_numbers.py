"""Modelled cost of a dot-product unit of 32 products relative to bfloat16's (BF16), a ratio, with the 95 % range over
the constants of the model; area-energy is the geometric mean of area and energy, and "BF16 over it" its inverse. QSNR:
signal to quantisation-noise ratio on Gaussian vectors. The rows named "check" hold the model against published ratios
that it does not use: it errs most where circuits of different kinds are compared, and where multipliers of different
widths are."""

import pandas as pd

from jouleproof.drawing.style import OTHER_FORMAT_LABELS, format_label, ordered_formats
from jouleproof.evidence.intervals import draws_interval, mean_interval

TITLE = "Modelled cost of dot-product units, and checks of the model"
SOURCES = ["mx/silicon"]
METRICS = {"relative_area": "area", "relative_energy": "energy", "relative_area_energy": "area-energy"}


def tabulate(silicon: pd.DataFrame) -> pd.DataFrame:
    units = silicon[silicon["format"] != "-"]
    costs = units.groupby(["format", "metric"])["value"]
    names = sorted(
        ordered_formats(units["format"]), key=lambda name: -costs.get_group((name, "relative_area")).median()
    )
    rows = [
        {
            "format": OTHER_FORMAT_LABELS.get(name, format_label(name)),
            **{title: _range(costs.get_group((name, metric))) for metric, title in METRICS.items()},
            "BF16 over it (x)": _range(costs.get_group((name, "saved_area_energy"))),
            "QSNR (dB)": _signal(units, name),
        }
        for name in names
    ]
    checks = silicon[silicon["check"] != "-"]
    rows += [_check(str(name), table) for name, table in checks.groupby("check", sort=False)]
    return pd.DataFrame(rows)


def _check(name: str, table: pd.DataFrame) -> dict[str, str]:
    values = table.groupby("metric")["value"]
    modelled, published = (_ends(values.get_group(f"check_{kind}")) for kind in ("modelled", "published"))
    kind = "energy" if "energy" in name else "area"
    empty = dict.fromkeys((*METRICS.values(), "BF16 over it (x)", "QSNR (dB)"), "")
    return {"format": f"check: {name}", **empty, kind: f"{modelled}, published {published}"}


def _range(values: pd.Series) -> str:
    ratio = draws_interval(values.to_numpy())
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def _ends(values: pd.Series) -> str:
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return low if low == high else f"{low} to {high}"


def _signal(units: pd.DataFrame, name: str) -> str:
    values = units[(units["format"] == name) & (units["metric"] == "qsnr")]["value"]
    return f"{mean_interval(values.to_numpy()).value:.1f}" if len(values) else ""
