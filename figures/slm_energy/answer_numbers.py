"""Predicted cost of answers to grade school math by published models: joules of a token and of a right answer, at the
number of concurrent requests that the verdicts rest on, the share of right answers on the model cards, and the share of
draws in which no other model is right as often for fewer joules. Values are medians with the range that holds 95 % of
the draws; all models are assumed to write answers of the same length, up to a spread. The last row gives the gigabytes
of Phi-3-mini's weights by 4-bit format."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.points import estimate_in
from jouleproof.drawing.select import deciding_answers, where
from jouleproof.evidence.digits import number

TITLE = "Right answers in numbers"
SOURCES = ["slm_energy/answers"]


def tabulate(answers: pd.DataFrame) -> pd.DataFrame:
    limit, protocol = deciding_answers(answers)
    rows = where(answers, limit=limit)
    cells = rows.set_index(["model", "metric", "protocol"])["value"]
    predicted = [
        _row(cells[name], name, protocol) for name in where(rows, metric="at_front", protocol=protocol)["model"]
    ]
    weights = where(answers, metric="weights")[["format", "value"]]
    sizes = [f"{name} {number(value)} GB" for name, value in weights.itertuples(index=False)]
    return pd.DataFrame([*predicted, {"model": "Phi-3-mini's weights", "J/token": "; ".join(sizes)}]).fillna("")


def _row(cells: "pd.Series[float]", name: str, protocol: str) -> dict[str, str]:
    return {
        "model": name,
        "J/token": spanned(estimate_in(cells[:, "none"], "joules_per_token")),
        "right (share)": number(cells["accuracy", protocol]),
        "J/right answer": spanned(estimate_in(cells[:, protocol], "joules_per_correct")),
        "at the front": number(cells["at_front", protocol]),
    }
