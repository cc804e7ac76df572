"""Mean QSNR (signal to quantisation-noise ratio) in dB on the variable-variance Gaussian, by format and scale rule,
with 95 % intervals over the seeds. Every seed draws new vectors, and each vector has a random spread.
"""

import pandas as pd

from jouleproof.drawing.cells import mean_with_interval
from jouleproof.drawing.select import preferred, unique, where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "QSNR on the Gaussian, in numbers"
SOURCES = ["mx/qsnr"]


def tabulate(qsnr: pd.DataFrame) -> pd.DataFrame:
    gaussian = where(qsnr, distribution=preferred(list(qsnr["distribution"]), "gaussian"))
    rules = unique(gaussian["scale"])
    return pd.DataFrame(
        {"format": format_label(name)}
        | {rule: mean_with_interval(where(gaussian, format=name, scale=rule)["value"], 2) for rule in rules}
        for name in ordered_formats(gaussian["format"])
    )
