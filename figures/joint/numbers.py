"""The levers in numbers, from each plain system: what they leave of a request's joules and of provisioned power, alone,
one after another, and last after the three others; joint saving over the product of the single savings, as factors, for
the levers up to there. Medians with the range that holds 95 % of the draws."""

import pandas as pd

from jouleproof.drawing.levers import LEVERS, alone_or_last, estimate_of
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.intervals import Estimate

TITLE = "The levers together in numbers"
SOURCES = ["joint/levers"]
PLAIN = {"together": "whole prompts first", "chunked": "prompts in chunks"}
UNITS = {"joules": "J/request", "megawatts": "MW/(million/h)"}


def tabulate(levers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([row for plain, part in levers.groupby("plain", sort=False) for row in _rows(str(plain), part)])


def _rows(plain: str, levers: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    for measure, unit in UNITS.items():
        case = {"plain system": PLAIN[plain], "of": unit}
        rows.append({**case, "lever": f"none: {_text(estimate_of(levers, measure, 'none'))}", "alone (x)": "1",
                     "with those above (x)": "1", "last (x)": "–", "over product (x)": "–"})  # fmt: skip
        for count, (name, (*_, label)) in enumerate(LEVERS.items(), 1):
            chain = "+".join(list(LEVERS)[:count])
            rows.append({
                **case,
                "lever": label,
                "alone (x)": _text(estimate_of(levers, f"{measure}_ratio", name)),
                "with those above (x)": _text(estimate_of(levers, f"{measure}_ratio", chain)),
                "last (x)": _text(alone_or_last(levers, measure, name, False)),
                "over product (x)": _text(estimate_of(levers, f"{measure}_overlap", chain)) if count > 1 else "–",
            })  # fmt: skip
    return rows


def _text(estimate: Estimate) -> str:
    return f"{number(estimate.value)} {span(estimate.low, estimate.high)}"
