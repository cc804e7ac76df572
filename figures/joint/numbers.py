"""The levers in numbers, from each plain system: what they leave of a request's joules and of provisioned power, alone,
one after another, and last after the three others; joint saving over the product of the single savings, as factors, for
the levers up to there. Medians with the range that holds 95 % of the draws."""

import pandas as pd

from figures.joint.alone_and_after import SHORT, alone_or_last
from figures.joint.waterfall import LEVERS, of
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.intervals import Estimate

TITLE = "The levers together in numbers"
SOURCES = ["joint/levers"]
PLAIN = {"together": "whole prompts first", "chunked": "prompts in chunks"}
UNITS = {"joules": "J/request", "megawatts": "MW/(million/h)"}


def tabulate(levers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([row for plain, own in levers.groupby("plain", sort=False) for row in _rows(str(plain), own)])


def _rows(plain: str, own: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    for measure, unit in UNITS.items():
        about = {"plain system": PLAIN[plain], "of": unit}
        rows.append({**about, "lever": f"none: {_text(of(own, measure, 'none'))}", "alone (x)": "1",
                     "with those above (x)": "1", "last (x)": "–", "over product (x)": "–"})  # fmt: skip
        for count, name in enumerate(LEVERS, 1):
            chain = "+".join(list(LEVERS)[:count])
            rows.append({
                **about,
                "lever": SHORT[name],
                "alone (x)": _text(of(own, f"{measure}_ratio", name)),
                "with those above (x)": _text(of(own, f"{measure}_ratio", chain)),
                "last (x)": _text(alone_or_last(own, measure, name, False)),
                "over product (x)": _text(of(own, f"{measure}_overlap", chain)) if count > 1 else "–",
            })  # fmt: skip
    return rows


def _text(found: Estimate) -> str:
    return f"{number(found.value)} {span(found.low, found.high)}"
