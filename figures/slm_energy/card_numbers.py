"""Model cards' comparison of their subject with each rival: the rival's billions of parameters, the tasks on which the
subject scores above it, the same and below it, and, on GSM8K, the difference in points with its 95 % interval for
another draw of questions. Cards with a single task give GSM8K."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.points import estimate_in
from jouleproof.drawing.select import where
from jouleproof.evidence.digits import number

TITLE = "Cards in numbers"
SOURCES = ["slm_energy/cards"]


def tabulate(cards: pd.DataFrame) -> pd.DataFrame:
    pairs = where(cards, metric="share_won")[["card", "subject", "model", "total_b"]].drop_duplicates()
    return pd.DataFrame([_row(cards, *pair) for pair in pairs.itertuples(index=False)])


def _row(cards: pd.DataFrame, card: str, subject: str, model: str, total_b: float) -> dict[str, str]:
    rows = where(cards, card=card, model=model)
    won = where(rows, metric="won")["value"]
    return {
        "card": card,
        "subject": subject,
        "rival": model,
        "parameters (10⁹)": number(total_b) if total_b else "not published",
        "tasks": str(len(won)),
        "above": str((won == 1).sum()),
        "same": str((won == 0.5).sum()),
        "below": str((won == 0).sum()),
        "GSM8K (points)": _points(where(rows, task="GSM8K")),
    }


def _points(rows: pd.DataFrame) -> str:
    values = rows.drop_duplicates("metric").set_index("metric")["value"]
    return spanned(estimate_in(values, "difference")) if "difference" in values else ""
