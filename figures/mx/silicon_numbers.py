"""Modelled cost of a dot-product unit of 32 products relative to bfloat16 (BF16), a ratio, with the 95 % range over the
constants of the model; area-energy is the geometric mean of area and energy, and "BF16 over it" its inverse. QSNR:
signal to quantisation-noise ratio on Gaussian vectors. The rows named "check" compare the model with published ratios
that it does not use; its errors are largest between different kinds of circuits, and between multipliers of different
widths.
"""

import pandas as pd

from jouleproof.drawing.cells import fixed, with_interval
from jouleproof.drawing.select import where
from jouleproof.drawing.style import OTHER_FORMAT_LABELS, format_label, ordered_formats
from jouleproof.evidence.intervals import draws_interval

TITLE = "Modelled cost of dot-product units, and checks of the model"
SOURCES = ["mx/silicon"]
METRICS = {
    "relative_area": "area",
    "relative_energy": "energy",
    "relative_area_energy": "area-energy",
    "saved_area_energy": "BF16 over it (x)",
}


def tabulate(silicon: pd.DataFrame) -> pd.DataFrame:
    units = silicon[silicon["format"] != "-"]
    names = ordered_formats(units["format"])
    area = where(units, metric="relative_area").groupby("format")["value"].median()
    rows = [_unit(where(units, format=name), name) for name in sorted(names, key=lambda name: -area[name])]
    checks = silicon[silicon["check"] != "-"]
    rows += [_check(str(name), table) for name, table in checks.groupby("check", sort=False)]
    return pd.DataFrame(rows, columns=list(rows[0])).fillna("")


def _unit(rows: pd.DataFrame, name: str) -> dict[str, str]:
    costs = {
        title: with_interval(draws_interval(where(rows, metric=metric)["value"].to_numpy()), 2)
        for metric, title in METRICS.items()
    }
    signal = fixed(where(rows, metric="qsnr")["value"].mean(), 1, missing="")
    return {"format": OTHER_FORMAT_LABELS.get(name, format_label(name)), **costs, "QSNR (dB)": signal}


def _check(name: str, rows: pd.DataFrame) -> dict[str, str]:
    modelled, published = (_ends(where(rows, metric=f"check_{kind}")["value"]) for kind in ("modelled", "published"))
    kind = "energy" if "energy" in name else "area"
    return {"format": f"check: {name}", kind: f"{modelled}, published {published}"}


def _ends(values: "pd.Series[float]") -> str:
    low, high = fixed(values.min(), 2), fixed(values.max(), 2)
    return low if low == high else f"{low} to {high}"
