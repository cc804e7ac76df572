"""The published ratios in numbers: the compared quantity and its stated value, the best design and pools (prompt +
token machines) of a search, their price and power over the baseline's, and the ratio of loads, or of price or power per
unit of load, with its 95 % interval over draws of the requests."""

import pandas as pd

from jouleproof.drawing.cells import fixed, with_interval
from jouleproof.drawing.ledger import published
from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import where
from jouleproof.drawing.style import DESIGN_LABELS, HEADLINES, SERVICE_LABELS

TITLE = "Published ratios in numbers"
SOURCES = ["phase_split/headlines"]


def tabulate(headlines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        _row(name, rows)
        for name in HEADLINES
        for _, rows in where(headlines, metric="ratio", headline=name).groupby(["service", "setup"], sort=False)
    )


def _row(name: str, rows: pd.DataFrame) -> dict[str, str]:
    first = rows.iloc[0]
    return {
        "ratio": HEADLINES[name],
        "stated": f"{published(f'phase_split.{name}'):g}",
        "service": SERVICE_LABELS[first["service"]],
        "rules": str(first["setup"]),
        "design": DESIGN_LABELS[first["design"]],
        "pools": f"{first['prompt_machines']} + {first['token_machines']}",
        "price": fixed(first["price"], 2),
        "power": fixed(first["power"], 2),
        "here": with_interval(mean_of(rows), 2),
    }
