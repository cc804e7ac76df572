"""Answers to grade school math by published models, predicted: joules of a token and of a right answer, at as many
requests at once as the verdicts rest on, beside the share right that cards give, and the share of draws in which no
other model is right as often for fewer joules. Medians with the range that holds 95 % of the draws; lengths of
answers are assumed alike but for a spread. Last the gigabytes of Phi-3-mini's weights by format of 4 bits."""

import pandas as pd

from figures.slm_energy.frontier import deciding
from jouleproof.evidence.digits import number, with_span

TITLE = "Right answers in numbers"
SOURCES = ["slm_energy/answers"]


def tabulate(answers: pd.DataFrame) -> pd.DataFrame:
    limit, protocol = deciding(answers)
    own = answers[answers["limit"] == limit]
    names = own.loc[(own["metric"] == "at_front") & (own["protocol"] == protocol), "model"]
    cells = own.set_index(["model", "metric", "protocol"])["value"]
    rows = [_row(cells[name], name, protocol) for name in names]
    weights = answers.loc[answers["metric"] == "weights", ["format", "value"]]
    sizes = [f"{name} {number(value)} GB" for name, value in weights.itertuples(index=False)]
    held = {"model": "Phi-3-mini's weights", "J/token": "; ".join(sizes)}
    return pd.DataFrame([*rows, held]).fillna("")


def _row(own: "pd.Series[float]", name: str, protocol: str) -> dict[str, str]:
    def spanned(metric: str, under: str) -> str:
        return with_span(*(own[f"{metric}{end}", under] for end in ("", "_low", "_high")))

    return {
        "model": name,
        "J/token": spanned("joules_per_token", "none"),
        "right (share)": number(own["accuracy", protocol]),
        "J/right answer": spanned("joules_per_correct", protocol),
        "at the front": number(own["at_front", protocol]),
    }
