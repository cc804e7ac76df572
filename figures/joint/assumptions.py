"""Every quantity that is assumed or drawn, with its source: median, 5th and 95th percentile, and the share of a
request's joules and of provisioned power that all four levers leave at those two ends, with everything else at its
median. Sorted by influence on the result."""

import pandas as pd

from jouleproof.drawing.cells import spanned
from jouleproof.drawing.levers import swing
from jouleproof.drawing.points import estimate_in
from jouleproof.evidence.digits import number

TITLE = "Assumptions of the levers together"
SOURCES = ["joint/assumptions"]


def tabulate(assumptions: pd.DataFrame) -> pd.DataFrame:
    table = assumptions.pivot(index=["assumption", "what", "source"], columns="metric", values="value")
    ordered = table.loc[swing(table).sort_values(ascending=False, kind="stable").index].reset_index()
    return pd.DataFrame(
        {
            "what": str(row["what"]),
            "value": spanned(estimate_in(row, "value")),
            "source": str(row["source"]),
            "joules left (x)": f"{number(row['joules_ratio_low'])} to {number(row['joules_ratio_high'])}",
            "power left (x)": f"{number(row['megawatts_ratio_low'])} to {number(row['megawatts_ratio_high'])}",
        }
        for _, row in ordered.iterrows()
    )
