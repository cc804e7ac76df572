"""Everything that is assumed or drawn, with its source: median, 5th and 95th percentile, and what all four levers leave
of a request's joules and of provisioned power at those two ends, all else at its median. In the order of what hangs on
it."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from jouleproof.drawing.levers import swing
from jouleproof.evidence.digits import number, span

TITLE = "What the levers together rest on"
SOURCES = ["joint/assumptions"]


def tabulate(assumptions: pd.DataFrame) -> pd.DataFrame:
    table = assumptions.pivot(index=["assumption", "what", "source"], columns="metric", values="value")
    ordered = table.loc[swing(table).sort_values(ascending=False, kind="stable").index]
    return pd.DataFrame([_row(row) for row in ordered.reset_index().to_dict("records")])


def _row(row: dict[Hashable, Any]) -> dict[str, str]:
    low, high = row["value_low"], row["value_high"]
    return {
        "what": str(row["what"]),
        "value": f"{number(row['value'])} {span(low, high)}",
        "source": str(row["source"]),
        "joules left (x)": f"{number(row['joules_ratio_low'])} to {number(row['joules_ratio_high'])}",
        "power left (x)": f"{number(row['megawatts_ratio_low'])} to {number(row['megawatts_ratio_high'])}",
    }
