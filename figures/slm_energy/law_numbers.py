"""Laws of the energy of a token: the exponents of their predictors and the share of the variance of its logarithm that
they explain, with 95 % intervals from resampled models; the numbers of models and configurations that each law is
fitted to; and the error on a model left out of the fit, as a share of the measured value, for the median model and for
the worst."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.select import where
from jouleproof.evidence.digits import number
from jouleproof.evidence.intervals import draws_interval

TITLE = "Laws of the energy of a token"
SOURCES = ["slm_energy/energy_law"]
SHOWN = (8, 64, 256)  # concurrent requests of the laws fitted at one limit
LAW = ["models", "gpu", "limit", "predictors"]


def tabulate(energy_law: pd.DataFrame) -> pd.DataFrame:
    law = where(energy_law[energy_law["predictors"] != "none"], limit=[0, *SHOWN])
    law = law[(law["gpu"] == "both") | ((law["gpu"] == "H100") & (law["limit"] > 0))]
    return pd.DataFrame(_row(rows) for _, rows in law.groupby(LAW, sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    models, gpu, limit, predictors = rows[LAW].iloc[0]
    counted = where(rows, metric=["models", "configurations"]).set_index("metric")["value"]
    left_out = where(rows, metric="left_out")["value"]
    return {
        "models": models,
        "GPU": "H100 and B200" if gpu == "both" else gpu,
        "requests at once": str(limit) if limit else "all",
        "exponents": ", ".join(f"{name} {_drawn(rows, 'exponent', name)}" for name in predictors.split(" + ")),
        "R²": _drawn(rows, "r2", "none"),
        "models (configurations)": f"{number(counted['models'])} ({number(counted['configurations'])})",
        "error on a model left out": f"{left_out.median():.0%}, worst {left_out.max():.0%}",
    }


def _drawn(rows: pd.DataFrame, metric: str, predictor: str) -> str:
    return spanned(draws_interval(where(rows, metric=metric, predictor=predictor)["value"].to_numpy()))
