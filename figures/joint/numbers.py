"""The levers in numbers, from each plain system: the share of a request's joules and of provisioned power that they
leave alone, one after another, and last after the three others; joint saving over the product of the single savings, as
factors, for the levers up to that row. Medians with the range that holds 95 % of the draws."""

import pandas as pd

from jouleproof.drawing.cells import MISSING, spanned
from jouleproof.drawing.levers import LEVERS, alone_or_last, estimate_of

TITLE = "The levers together in numbers"
SOURCES = ["joint/levers"]
PLAIN = {"together": "whole prompts first", "chunked": "prompts in chunks"}
UNITS = {"joules": "J/request", "megawatts": "MW/(million/h)"}
COLUMNS = ("lever", "alone (x)", "with those above (x)", "last (x)", "over product (x)")


def tabulate(levers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"plain system": PLAIN[str(plain)], "of": unit, **row}
        for plain, rows in levers.groupby("plain", sort=False)
        for measure, unit in UNITS.items()
        for row in _rows(rows, measure)
    )


def _rows(levers: pd.DataFrame, measure: str) -> list[dict[str, str]]:
    none = f"none: {spanned(estimate_of(levers, measure, 'none'))}"
    rows = [(none, "1", "1", MISSING, MISSING)]
    for count, (name, (*_, label)) in enumerate(LEVERS.items(), 1):
        chain = "+".join(list(LEVERS)[:count])
        alone, above = (spanned(estimate_of(levers, f"{measure}_ratio", names)) for names in (name, chain))
        last = spanned(alone_or_last(levers, measure, name, False))
        overlap = spanned(estimate_of(levers, f"{measure}_overlap", chain)) if count > 1 else MISSING
        rows.append((label, alone, above, last, overlap))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
