"""Mean QSNR (signal to quantisation-noise ratio) in dB on the variable-variance Gaussian, by format and scale rule,
with 95 % intervals over the seeds. Each seed draws all vectors anew, and each vector a spread of its own."""

import pandas as pd

from jouleproof.drawing.select import preferred
from jouleproof.drawing.style import format_label, ordered_formats
from jouleproof.evidence.intervals import mean_interval

TITLE = "QSNR on the Gaussian, in numbers"
SOURCES = ["mx/qsnr"]


def tabulate(qsnr: pd.DataFrame) -> pd.DataFrame:
    gaussian = qsnr[qsnr["distribution"] == preferred(list(qsnr["distribution"]), "gaussian")]
    rules = list(dict.fromkeys(gaussian["scale"]))
    return pd.DataFrame(
        [
            {"format": format_label(name), **{rule: _cell(gaussian, name, rule) for rule in rules}}
            for name in ordered_formats(gaussian["format"])
        ]
    )


def _cell(table: pd.DataFrame, name: str, rule: str) -> str:
    mean = mean_interval(table[(table["format"] == name) & (table["scale"] == rule)]["value"].to_numpy())
    return f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
